// All rows of a table, with the position at which they were true.
#pragma once

#include "ustream/connector.hpp"

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/options.hpp"

namespace ustream::mysql {

/// Reads in one consistent snapshot transaction on a connection of its own, while others write. How
/// its position is found: MariaDB keeps that of the snapshot (binlog_snapshot_file and _position);
/// MySQL does not, so there the table alone is locked against writes for the moment in which the
/// snapshot is made (LOCK TABLES … READ on a second connection). No global lock is taken.
class MysqlSnapshotter final : public Snapshotter {
 public:
  /// `catalog` outlives the snapshotter.
  MysqlSnapshotter(Options options, Catalog& catalog)
      : options_(std::move(options)), catalog_(catalog) {}
  Position snapshot(std::string_view collection, const Filter& filter,
                    const SnapshotCallback& rows) override;

 private:
  const Options options_;
  Catalog& catalog_;
};

}  // namespace ustream::mysql
