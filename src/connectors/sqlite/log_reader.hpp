// Reads the log out of the database and through the decoder, a group at a time.
#pragma once

#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "ustream/connector.hpp"

#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/database.hpp"
#include "connectors/sqlite/log_decoder.hpp"

namespace ustream::sqlite {

/// What stands under "source" of a change: {"db":"sqlite","seq":N}.
[[nodiscard]] std::shared_ptr<const SourceInfo> make_source_info();

/// One connection's view of the log. One thread at a time.
class LogReader {
 public:
  explicit LogReader(Database& database) : database_(database) {}

  /// Throws StreamingError(history_lost) when `from` is not in this log's history.
  void check(const Position& from);
  /// What is to be told of those of `tables` that were not captured yet at `from`.
  [[nodiscard]] std::vector<Resync> captured_later(
      const Position& from, const std::set<std::string, std::less<>>& tables);

  /// Delivers everything after `place` up to `until` (or all there is, when 0) as one group and
  /// moves `place` to its end. Returns false when the sink asked to stop or `stop` was requested
  /// (place then stands where it stood).
  bool read_group(LogPlace& place, std::int64_t until,
                  const std::set<std::string, std::less<>>& tables, ChangeSink& sink,
                  const std::stop_token& stop);

  [[nodiscard]] const std::shared_ptr<const PositionOrigin>& origin();
  /// Position after everything committed.
  [[nodiscard]] Position end();

 private:
  /// Returns the seq of the last row read, 0 when there was none. Rows after `first_needed` must be
  /// there: throws history_lost.
  std::int64_t read_chunk(std::int64_t after, std::int64_t until, std::int64_t first_needed,
                          const std::set<std::string, std::less<>>& tables, LogDecoder& decoder);
  void push_row(Statement& select, const ShapePtr& shape, std::shared_ptr<RowStorage>& storage,
                LogDecoder& decoder) const;
  const ShapePtr& shape(std::int64_t id);

  Database& database_;
  std::shared_ptr<const PositionOrigin> origin_;
  std::unordered_map<std::int64_t, ShapePtr> shapes_;
  std::shared_ptr<const SourceInfo> source_info_;
};

}  // namespace ustream::sqlite
