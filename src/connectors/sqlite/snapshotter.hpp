// The Snapshotter facet: all rows of a table at one position of its log.
#pragma once

#include "ustream/connector.hpp"

#include "connectors/sqlite/options.hpp"

namespace ustream::sqlite {

/// One read transaction sees both the rows and the log's end, so changes after the returned
/// position are exactly those that are not in the rows. It keeps the write-ahead log from being
/// reset while it lasts. Any thread.
class SqliteSnapshotter final : public Snapshotter {
 public:
  explicit SqliteSnapshotter(Options options) : options_(std::move(options)) {}
  Position snapshot(std::string_view collection, const Filter& filter,
                    const SnapshotCallback& rows) override;

 private:
  Options options_;
};

}  // namespace ustream::sqlite
