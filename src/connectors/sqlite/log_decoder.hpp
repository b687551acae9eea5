// From log rows to changes: pure, no database behind it.
//
// REPLACE: SQLite tells nobody of the rows that a REPLACE evicts unless recursive_triggers is on.
// The capture therefore logs the rows which stand in the way before an INSERT or a key-changing
// UPDATE ("candidates"). When the row that follows conflicts with a candidate on a unique set, the
// candidate must be gone, since both cannot stand in one table; when the statement was ignored,
// failed or became an upsert, nothing conflicting follows and the candidate means nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ustream/change.hpp"

#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/row_codec.hpp"

namespace ustream::sqlite {

/// One log row, taken apart.
struct LogRow {
  std::int64_t seq = 0;
  LogOp op = LogOp::inserted;
  ShapePtr shape;
  std::optional<Timestamp> timestamp;
  Document image;    ///< of the row ops
  std::string text;  ///< of ddl and gap
};

/// Turns the rows of one group (what became visible between two reads) into batches. One per group;
/// not thread-safe.
class LogDecoder {
 public:
  LogDecoder(std::shared_ptr<const PositionOrigin> origin, LogPlace after,
             std::shared_ptr<const SourceInfo> source);

  /// Rows in order of seq. Changes at or before `after` are dropped.
  void push(const LogRow& row);
  /// A row that cannot be decoded.
  void push_bad(std::int64_t seq, const ShapePtr& shape, std::string reason, std::string raw);
  /// Changes that are certain by now; keeps the newest back, since it may turn out to be the
  /// group's last.
  [[nodiscard]] std::shared_ptr<ChangeBatch> take();
  /// The rest; its boundary is `end`, the group's last seq.
  [[nodiscard]] std::shared_ptr<ChangeBatch> finish(std::int64_t end);
  /// Changes that wait in take()'s batch.
  [[nodiscard]] std::size_t pending() const noexcept { return batch_->changes.size(); }

 private:
  struct Tracked {
    ShapePtr shape;
    Document image;
  };
  using TrackedKey = std::pair<std::int64_t, std::string>;  // shape, key or image bytes

  void inserted(const LogRow& row);
  void updated(const LogRow& row);
  void deleted(const LogRow& row);
  void flush_deleted();
  /// Tells the candidates that `row` has evicted, except the one with `key`; returns the next sub
  /// position.
  std::uint16_t evict(const LogRow& row, const std::string& key);
  void emit(Op op, const LogRow& row, std::uint16_t sub, Document before, Document after);
  void notice(std::int64_t seq, std::variant<Quarantine, Resync> what);
  [[nodiscard]] bool already_seen(std::int64_t seq, std::uint16_t sub) const noexcept;

  std::shared_ptr<const PositionOrigin> origin_;
  LogPlace after_;
  std::shared_ptr<const SourceInfo> source_;
  std::shared_ptr<ChangeBatch> batch_ = std::make_shared<ChangeBatch>();
  std::uint64_t transaction_seq_ = 0;
  std::optional<LogRow> before_;  // waits for its `after`
  std::vector<LogRow>
      deleted_;  // deletes of candidates: may turn out to be a REPLACE of the same key
  std::map<TrackedKey, Tracked> tracked_;
};

/// Whether two rows of a table agree on a unique set, by its collations (NULLs agree with nothing).
[[nodiscard]] bool conflicts(const Shape& shape, const Document& a, const Document& b);

}  // namespace ustream::sqlite
