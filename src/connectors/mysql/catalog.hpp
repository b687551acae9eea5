// What information_schema says of a table.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/schema.hpp"

#include "connectors/mysql/client.hpp"

namespace ustream::mysql {

/// What a column holds, as values go.
enum class ColumnKind : std::uint8_t {
  integer,
  float32,
  float64,
  decimal,
  bit,
  year,
  date,
  time,
  datetime,
  timestamp,
  text,
  bytes,        ///< BINARY, VARBINARY, BLOB
  enumeration,  ///< one of its labels
  set,
  json,  ///< MariaDB: LONGTEXT with CHECK (json_valid(…)), which is what its JSON stands for
  uuid,  ///< MariaDB
  inet,  ///< MariaDB's INET4 and INET6; data_type tells which
  geometry,
  vector,
  other  ///< a type that is not known here: the server's text
};

struct TableColumn {
  std::string name;
  std::string data_type;    ///< lower case: "varchar"; "json" also where MariaDB says longtext
  std::string column_type;  ///< with everything: "int(10) unsigned"
  ColumnKind kind = ColumnKind::other;
  bool is_unsigned = false;
  bool nullable = true;
  bool generated = false;  ///< computed; cannot be written
  bool auto_increment = false;
  bool invisible = false;
  std::string charset;              ///< "utf8mb4", …; empty when it holds no text
  std::string collation;            ///< "utf8mb4_bin", …
  std::uint32_t collation_id = 0;   ///< charset_of() takes it; 63 (binary) when it holds no text
  std::uint8_t digits = 0;          ///< fraction digits of temporal types; scale of a decimal
  std::uint64_t max_length = 0;     ///< of text in characters, of bytes in bytes
  std::uint8_t precision = 0;       ///< digits of a decimal, bits of a BIT
  std::vector<std::string> labels;  ///< of ENUM and SET, in order, UTF-8
  std::optional<std::string> default_text;  ///< of COLUMN_DEFAULT; nullopt: none, or null
};

/// One table as it was when it was read. Immutable once shared.
struct Table {
  SchemaPtr schema;  ///< declared_type is column_type; its version counts the readings
  std::vector<TableColumn> columns;  ///< parallel to the schema's, in the table's order
  std::string create_time;           ///< CREATE_TIME; changes when the table is made or altered
  bool has_other_unique = false;     ///< a unique index beside the primary key
  bool has_triggers = false;
  std::chrono::steady_clock::time_point read_at;
};
using TablePtr = std::shared_ptr<const Table>;

/// The tables of one database, read when first asked for and again after kMaxAge. Any thread.
class Catalog {
 public:
  static constexpr std::chrono::seconds kMaxAge{5};

  /// The table of the client's database, or nullptr when there is none of that name (views and
  /// sequences are none). Names compare byte for byte.
  [[nodiscard]] TablePtr find(Client& client, std::string_view name);
  /// As find, but throws ValidationError which names the nearest table.
  [[nodiscard]] TablePtr get(Client& client, std::string_view name);
  /// As get, but reads it anew.
  [[nodiscard]] TablePtr reload(Client& client, std::string_view name);
  /// The next find() reads the table again.
  void invalidate(std::string_view name);
  [[nodiscard]] static std::vector<std::string> names(Client& client);

 private:
  std::mutex mutex_;
  std::map<std::string, TablePtr, std::less<>> tables_;
  std::uint64_t readings_ = 0;
};

/// The labels of "enum('a','b')" or "set('a','b')"; quotes within are doubled.
[[nodiscard]] std::vector<std::string> parse_labels(std::string_view column_type);
/// How the text of a key reads for a column: as the binlog decoder has it.
[[nodiscard]] KeyAffinity affinity_of(const TableColumn& column);

}  // namespace ustream::mysql
