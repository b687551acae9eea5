// Change capture: triggers that write every change of a watched table into a log inside the same
// database.
//
// What is made in the database (all names begin with _ustream_; docs/adr/001-sqlite-capture.md says
// why it looks so):
//   _ustream_meta(name, value)      format version, epoch, whether the file was switched to WAL by
//   us _ustream_shape(id, tbl, started, description)   what a table looked like: log rows are
//   decoded by their shape _ustream_log(seq, kind, ts, c0, c1, …)          the changes; columns
//   without type, so values keep their storage class _ustream_pad_<shape>            always empty:
//   gives a dropped column's name a meaning until triggers are renewed _ustream_<shape>_{x,c,y,u,d}
//   the triggers
// kind = shape * 8 + LogOp. `ts` is a Julian day. The last log row is never deleted, so that seq
// never goes back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/position.hpp"

#include "connectors/sqlite/catalog.hpp"
#include "connectors/sqlite/database.hpp"

namespace ustream::sqlite {

/// What a log row says; the low three bits of `kind`.
enum class LogOp : std::uint8_t {
  inserted,   ///< the row after an INSERT
  before,     ///< the row before an UPDATE; `after` follows at once
  after,      ///< the row after an UPDATE
  deleted,    ///< the row before a DELETE
  candidate,  ///< a row that REPLACE may evict without firing delete triggers; see LogDecoder
  ddl,        ///< c0: the table's new definition
  gap,        ///< c0: why changes of the table may be missing before this row
  started     ///< capture of the table begins here
};

/// A shape: one definition of one table, as the log refers to it. Immutable.
struct Shape {
  std::int64_t id = 0;
  std::int64_t started = 0;  ///< seq from which the table is captured without interruption
  SchemaPtr schema;
  RowCodecPtr codec;
  std::vector<UniqueSet> uniques;

  [[nodiscard]] static Shape of(const Table& table);
  [[nodiscard]] std::string description() const;  ///< JSON, for _ustream_shape
  [[nodiscard]] static Shape parse(std::int64_t id, std::int64_t started, std::string_view table,
                                   std::string_view description);
  /// Same columns, key and unique sets.
  [[nodiscard]] bool same_definition(const Shape& other) const;
};
using ShapePtr = std::shared_ptr<const Shape>;

/// A log's identity and extent, read in one transaction.
struct LogState {
  std::string epoch;       ///< empty: no log
  std::int64_t first = 0;  ///< lowest seq still there; 0 when the log is empty
  std::int64_t last = 0;   ///< highest seq ever
};
[[nodiscard]] LogState read_log_state(Database& database);

/// Positions of the log: order key = seq (8 bytes) and sub (2 bytes), big endian. `sub` tells apart
/// the changes that one log row makes (a REPLACE that evicts others); kBoundarySub stands after all
/// of them.
inline constexpr std::uint16_t kBoundarySub = 0xffff;
[[nodiscard]] std::shared_ptr<const PositionOrigin> make_origin(std::string epoch);
[[nodiscard]] Position make_position(std::shared_ptr<const PositionOrigin> origin, std::int64_t seq,
                                     std::uint16_t sub);
struct LogPlace {
  std::int64_t seq = 0;
  std::uint16_t sub = 0;
};
/// Throws ValidationError when the position is not of a SQLite source.
[[nodiscard]] LogPlace parse_place(const Position& position);

/// Installs, checks and removes capture. Uses its own connection; one thread at a time.
class Capture {
 public:
  explicit Capture(Database& database) : database_(database) {}

  /// Makes sure that the log exists and every table is captured. Takes the write lock only when
  /// something is missing. Throws ValidationError for an unknown table. Returns notes for the log
  /// file, e.g. that the file is WAL now.
  std::vector<std::string> install(const std::vector<std::string>& tables);

  /// After a foreign schema change: renews what is out of date for tables captured before and
  /// writes ddl and gap rows so that every watcher is told. True when something was written.
  bool verify(const std::vector<std::string>& tables);

  /// Deletes log rows that are older than `max_age_seconds` or beyond `max_rows`, at most `chunk`
  /// of them, never the last row. Returns how many went.
  std::int64_t trim(double max_age_seconds, std::int64_t max_rows, std::int64_t chunk);

  /// Removes everything listed above and restores the journal mode if it was ours. Returns what was
  /// removed.
  std::vector<std::string> uninstall();

 private:
  enum class Health : std::uint8_t { ok, outdated, missing };
  struct Installed {
    Health health = Health::missing;
    ShapePtr shape;  ///< the newest one; null when never captured
  };

  void create_log();
  void widen_log(std::size_t columns);
  /// False when others have the database open.
  bool set_journal_mode(const std::string& mode);
  bool switch_to_wal();
  [[nodiscard]] Installed inspect(const std::string& table, const TablePtr& definition);
  std::int64_t renew(const std::string& table, const TablePtr& definition,
                     const Installed& installed);
  void drop_triggers(const std::string& table);
  void drop_stray_triggers();
  void log_row(std::int64_t shape, LogOp op, std::string_view text);

  Database& database_;
  Catalog catalog_;
};

/// The newest shape of `table`, or nullptr when it was never captured.
[[nodiscard]] ShapePtr newest_shape(Database& database, std::string_view table);
/// REQUIRES that the shape exists, else throws Error(corrupt).
[[nodiscard]] ShapePtr load_shape(Database& database, std::int64_t id);

}  // namespace ustream::sqlite
