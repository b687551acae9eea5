// What SQLite's own catalogue says of a table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/schema.hpp"

#include "connectors/sqlite/database.hpp"
#include "connectors/sqlite/row_codec.hpp"

namespace ustream::sqlite {

/// Columns that must be unique together, by a primary key, a UNIQUE constraint or a plain unique
/// index.
struct UniqueSet {
  std::vector<std::size_t> columns;
  std::vector<std::string>
      collations;  ///< one per column: BINARY, NOCASE, RTRIM or the application's own
  bool operator==(const UniqueSet&) const = default;
};

/// One table as it is at one schema version. Immutable once made.
struct Table {
  SchemaPtr schema;
  RowCodecPtr codec;
  std::string definition;             ///< its CREATE TABLE statement
  std::vector<std::string> defaults;  ///< default expressions, parallel to the columns; empty: none
  std::vector<bool> not_null;         ///< parallel to the columns
  std::vector<bool> generated;        ///< parallel to the columns
  bool without_rowid = false;
  bool has_rowid_key = false;  ///< INTEGER PRIMARY KEY: the key is the rowid
  std::string rowid_name;  ///< a name of the rowid that no column hides; empty when there is none
  std::vector<UniqueSet> uniques;   ///< without partial and expression indexes
  bool has_partial_unique = false;  ///< a partial or expression unique index exists
};
using TablePtr = std::shared_ptr<const Table>;

/// Name prefix of everything that ustream makes in a database.
inline constexpr std::string_view kOwnPrefix = "_ustream_";

/// ASCII upper case, for SQLite's names of types and collations.
[[nodiscard]] std::string upper(std::string_view text);

/// The tables of one connection, read when first asked for and again when the schema changed. One
/// thread at a time.
class Catalog {
 public:
  /// The table, or nullptr when there is none of that name (views, virtual tables and our own are
  /// none).
  [[nodiscard]] TablePtr find(Database& database, std::string_view name);
  /// As find, but throws ValidationError which names the nearest table.
  [[nodiscard]] TablePtr get(Database& database, std::string_view name);
  [[nodiscard]] static std::vector<std::string> names(Database& database);
  /// Whether the change log is there; cached like the tables.
  [[nodiscard]] bool has_log(Database& database);

 private:
  void refresh(Database& database);

  std::int64_t version_ = -1;
  std::map<std::string, TablePtr, std::less<>> tables_;
  std::optional<bool> has_log_;
};

}  // namespace ustream::sqlite
