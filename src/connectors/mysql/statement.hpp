// What a statement in the binlog means to who reads rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ustream::mysql {

struct TableName {
  std::string database;
  std::string table;  ///< empty: the database as a whole
  [[nodiscard]] std::string text() const {
    return table.empty() ? database : database + "." + table;
  }
  bool operator==(const TableName&) const = default;
};

struct LoggedStatement {
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
  std::vector<TableName> tables = {};  ///< ddl, truncate: those it names, RENAME's new names too
  std::string xa_id = {};              ///< xa_*: xa_id_text() of the transaction
  bool begins_transaction = false;     ///< ddl: rows follow in its transaction (CREATE … SELECT)
};

/// Looks at the first words only. A statement whose kind is not known is `rows`, so that nothing is
/// passed over in silence. `database` is the one it ran in. Pure.
[[nodiscard]] LoggedStatement parse_statement(std::string_view text, std::string_view database);

/// One text for an XA transaction's id, however it was logged.
[[nodiscard]] std::string xa_id_text(std::string_view gtrid, std::string_view bqual,
                                     std::uint32_t format);

}  // namespace ustream::mysql
