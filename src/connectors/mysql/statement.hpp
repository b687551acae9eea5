// What a statement in the binlog means to who reads rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ustream::mysql {

struct Statement {
  enum class Kind : std::uint8_t {
    begin,
    commit,  ///< also ROLLBACK: the binlog has it only after changes that cannot be undone
    xa_start,
    xa_commit,
    xa_rollback,
    ddl,       ///< defines tables
    truncate,  ///< of one table
    rows,      ///< changes rows, or may: not in the row format
    other,     ///< nothing to do with rows: GRANT, SAVEPOINT, CREATE VIEW, …
  };
  Kind kind = Kind::other;
  /// ddl, truncate: "database.table", or the database alone for CREATE DATABASE and the like; rows:
  /// the same where it can be told; XA: xa_id_text() of the transaction.
  std::string name;
};

/// Looks at the first words only. A statement whose kind is not known is `rows`, so that nothing is
/// passed over in silence. `database` is the one it ran in. Pure.
[[nodiscard]] Statement parse_statement(std::string_view text, std::string_view database);

/// One text for an XA transaction's id, however it was logged.
[[nodiscard]] std::string xa_id_text(std::string_view gtrid, std::string_view bqual,
                                     std::uint32_t format);

}  // namespace ustream::mysql
