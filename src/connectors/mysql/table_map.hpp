// TABLE_MAP_EVENT: what the binlog itself says of a table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/schema.hpp"

#include "connectors/mysql/charset.hpp"

namespace ustream::mysql {

/// Column types as binlogs number them (enum_field_types of both servers).
enum class ColumnType : std::uint8_t {
  tiny = 1,
  small = 2,
  integer = 3,
  float32 = 4,
  float64 = 5,
  null = 6,
  timestamp = 7,
  big = 8,
  medium = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  new_date = 14,
  varchar = 15,
  bit = 16,
  timestamp2 = 17,
  datetime2 = 18,
  time2 = 19,
  blob_compressed = 140,     // MariaDB
  varchar_compressed = 141,  // MariaDB
  vector = 242,
  json = 245,
  decimal = 246,
  enumeration = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255,
};

/// A type that a binlog sends as another one: of MariaDB's types of fixed size it tells the size
/// alone. Only the schema knows them.
enum class KnownType : std::uint8_t {
  as_sent,
  uuid,   ///< sent as BINARY(16), in the order of its text
  inet4,  ///< as BINARY(4)
  inet6,  ///< as BINARY(16)
  json,   ///< as LONGTEXT: MariaDB's JSON is one with a CHECK
};
/// That of a column whose DATA_TYPE in information_schema is this.
[[nodiscard]] KnownType known_type(std::string_view data_type) noexcept;

struct BinlogColumn {
  std::string name;
  ColumnType type = ColumnType::null;  ///< ENUM and SET by themselves, not as STRING
  std::uint16_t meta = 0;  ///< as the type's documentation has it; STRING: bytes at most
  bool is_unsigned = false;
  bool nullable = true;
  KnownType known_as = KnownType::as_sent;                       ///< set by who knows the schema
  Charset charset{Charset::Kind::utf8, nullptr, nullptr, true};  ///< of text, and of the labels
  std::vector<std::string> labels;  ///< of ENUM and SET, as UTF-8; empty when they were not sent
};

/// One table as its row events are read. Immutable once shared.
struct TableMap {
  std::uint64_t id = 0;
  std::string database;
  std::string table;
  std::vector<BinlogColumn> columns;
  bool has_names = false;  ///< binlog_row_metadata=FULL; else the columns are called @1, @2, …
  SchemaPtr schema;        ///< collection "database.table"
};
using TableMapPtr = std::shared_ptr<const TableMap>;

/// Reads the event after its header. Source: MySQL's Table_map_event (libbinlogevents), MariaDB's
/// knowledge base "TABLE_MAP_EVENT". Returns null and says why in `reason` when the bytes are none.
/// Unknown optional fields are passed over. Pure.
[[nodiscard]] TableMapPtr parse_table_map(std::string_view body, std::string& reason);

/// The table's schema, of its columns as they are. Who changes them (names, known types) before he
/// shares the map makes it anew with this. `key`: indexes of the key's columns, in order.
[[nodiscard]] SchemaPtr schema_of(const TableMap& table, const std::vector<std::size_t>& key);

/// The table id of a table map or rows event.
[[nodiscard]] std::uint64_t table_id_of(std::string_view body) noexcept;

}  // namespace ustream::mysql
