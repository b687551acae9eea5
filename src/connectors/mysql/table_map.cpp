#include "connectors/mysql/table_map.hpp"

#include <algorithm>
#include <optional>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

/// Types of the optional metadata: Table_map_event::Optional_metadata_field_type.
enum class Field : std::uint8_t {
  signedness = 1,
  default_charset = 2,
  column_charset = 3,
  column_name = 4,
  set_labels = 5,
  enum_labels = 6,
  simple_key = 8,
  key_with_prefix = 9,
  label_default_charset = 10,
  label_column_charset = 11,
};

bool is_numeric(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::tiny:
    case ColumnType::small:
    case ColumnType::medium:
    case ColumnType::integer:
    case ColumnType::big:
    case ColumnType::decimal:
    case ColumnType::float32:
    case ColumnType::float64:
    case ColumnType::year:
      return true;
    default:
      return false;
  }
}

/// Those which the lists of character sets count: geometry too, whose field class is a blob's.
bool is_text(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::geometry:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::varchar_compressed:
      return true;
    default:
      return false;
  }
}

bool has_labels(ColumnType type) noexcept {
  return type == ColumnType::enumeration || type == ColumnType::set;
}

/// Reads a column's metadata; false for a type that nobody here knows, whose size is not known
/// either.
bool read_meta(BinlogColumn& column, ByteReader& meta) {
  switch (column.type) {
    case ColumnType::float32:
    case ColumnType::float64:
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::geometry:
    case ColumnType::json:
    case ColumnType::vector:
      column.meta = meta.u8();
      return true;
    case ColumnType::varchar:
    case ColumnType::varchar_compressed:
    case ColumnType::var_string:
    case ColumnType::bit:
      column.meta = meta.u16();
      return true;
    case ColumnType::decimal:
      column.meta = static_cast<std::uint16_t>(meta.big_endian(2));  // precision, scale
      return true;
    case ColumnType::string:
    case ColumnType::enumeration:
    case ColumnType::set: {
      // The first byte is the real type; for CHAR longer than 255 bytes two bits of the length
      // stand in it, inverted (MySQL bug 37426).
      const std::uint8_t first = meta.u8();
      const std::uint8_t second = meta.u8();
      if ((first & 0x30) != 0x30) {
        column.type = static_cast<ColumnType>(first | 0x30);
        column.meta = static_cast<std::uint16_t>(second | (((first & 0x30) ^ 0x30) << 4));
      } else {
        column.type = static_cast<ColumnType>(first);
        column.meta = second;
      }
      return column.type == ColumnType::string || has_labels(column.type);
    }
    case ColumnType::tiny:
    case ColumnType::small:
    case ColumnType::integer:
    case ColumnType::null:
    case ColumnType::timestamp:
    case ColumnType::big:
    case ColumnType::medium:
    case ColumnType::date:
    case ColumnType::time:
    case ColumnType::datetime:
    case ColumnType::year:
    case ColumnType::new_date:
      return true;
  }
  return false;
}

class OptionalMetadata {
 public:
  explicit OptionalMetadata(TableMap& table) : table_(table) {}

  /// False when a field's bytes make no sense.
  [[nodiscard]] bool read(ByteReader reader) {
    while (reader.ok() && !reader.at_end()) {
      const auto field = static_cast<Field>(reader.u8());
      ByteReader value(reader.packed_text());
      if (!reader.ok() || !read_field(field, value)) {
        return false;
      }
    }
    return reader.ok() && convert_labels();
  }

  [[nodiscard]] const std::vector<std::size_t>& key() const noexcept { return key_; }

 private:
  [[nodiscard]] std::vector<BinlogColumn*> those(bool (*of_type)(ColumnType)) const {
    std::vector<BinlogColumn*> result;
    for (BinlogColumn& column : table_.columns) {
      if (of_type(column.type)) {
        result.push_back(&column);
      }
    }
    return result;
  }

  bool read_field(Field field, ByteReader& value) {
    switch (field) {
      case Field::signedness:
        return read_signedness(value);
      case Field::default_charset:
        return read_default_charset(value, those(is_text));
      case Field::column_charset:
        return read_charsets(value, those(is_text));
      case Field::column_name:
        for (BinlogColumn& column : table_.columns) {
          column.name = value.packed_text();
          if (!is_valid_utf8(column.name)) {
            return false;
          }
        }
        table_.has_names = true;
        return value.ok();
      case Field::set_labels:
        return read_labels(value, ColumnType::set);
      case Field::enum_labels:
        return read_labels(value, ColumnType::enumeration);
      case Field::simple_key:
      case Field::key_with_prefix:
        return read_key(value, field == Field::key_with_prefix);
      case Field::label_default_charset:
        return read_default_charset(value, those(has_labels));
      case Field::label_column_charset:
        return read_charsets(value, those(has_labels));
    }
    return true;  // geometry types, visibility, vector dimensions and what is yet to come
  }

  bool read_signedness(ByteReader& value) {
    const auto numeric = those(is_numeric);
    const std::string_view bits = value.rest();
    if (bits.size() != (numeric.size() + 7) / 8) {
      return false;
    }
    for (std::size_t i = 0; i < numeric.size(); ++i) {
      numeric[i]->is_unsigned = (static_cast<unsigned char>(bits[i / 8]) & (0x80U >> (i % 8))) != 0;
    }
    return true;
  }

  static bool read_default_charset(ByteReader& value, const std::vector<BinlogColumn*>& columns) {
    const auto standard = charset_of(static_cast<std::uint32_t>(value.packed()));
    for (BinlogColumn* column : columns) {
      column->charset = standard;
    }
    while (value.ok() && !value.at_end()) {
      const std::uint64_t index = value.packed();
      const auto charset = charset_of(static_cast<std::uint32_t>(value.packed()));
      if (!value.ok() || index >= columns.size()) {
        return false;
      }
      columns[index]->charset = charset;
    }
    return value.ok();
  }

  static bool read_charsets(ByteReader& value, const std::vector<BinlogColumn*>& columns) {
    for (BinlogColumn* column : columns) {
      column->charset = charset_of(static_cast<std::uint32_t>(value.packed()));
    }
    return value.ok();
  }

  bool read_labels(ByteReader& value, ColumnType type) {
    for (BinlogColumn& column : table_.columns) {
      if (column.type == type) {
        const std::uint64_t count = value.packed();
        for (std::uint64_t i = 0; i < count && value.ok(); ++i) {
          column.labels.emplace_back(value.packed_text());
        }
      }
    }
    return value.ok();
  }

  bool read_key(ByteReader& value, bool with_prefix) {
    while (value.ok() && !value.at_end()) {
      const std::uint64_t index = value.packed();
      if (with_prefix) {
        (void)value.packed();  // the length of the prefix: 0 is the whole column
      }
      if (index >= table_.columns.size() ||
          std::find(key_.begin(), key_.end(), index) != key_.end()) {
        return false;
      }
      key_.push_back(static_cast<std::size_t>(index));
    }
    return value.ok();
  }

  /// Their charset may come after them.
  [[nodiscard]] bool convert_labels() const {
    for (BinlogColumn* column : those(has_labels)) {
      for (std::string& label : column->labels) {
        std::string text;
        if (column->charset.kind == Charset::Kind::binary) {
          append_base64(text, label);
        } else if (!append_utf8(text, label, column->charset)) {
          return false;
        }
        label = std::move(text);
      }
    }
    return true;
  }

  TableMap& table_;
  std::vector<std::size_t> key_;
};

KeyAffinity affinity_of(const BinlogColumn& column) {
  switch (column.type) {
    case ColumnType::tiny:
    case ColumnType::small:
    case ColumnType::medium:
    case ColumnType::integer:
    case ColumnType::big:
    case ColumnType::bit:
    case ColumnType::year:
    case ColumnType::float32:
    case ColumnType::float64:
      return KeyAffinity::number;
    default:
      return column.known_as == KnownType::as_sent && is_text(column.type) &&
                     column.charset.kind == Charset::Kind::binary
                 ? KeyAffinity::bytes
                 : KeyAffinity::text;
  }
}

}  // namespace

KnownType known_type(std::string_view data_type) noexcept {
  return data_type == "uuid"    ? KnownType::uuid
         : data_type == "inet4" ? KnownType::inet4
         : data_type == "inet6" ? KnownType::inet6
         : data_type == "json"  ? KnownType::json
                                : KnownType::as_sent;
}

SchemaPtr schema_of(const TableMap& table, const std::vector<std::size_t>& key) {
  std::vector<Column> columns;
  columns.reserve(table.columns.size());
  for (const BinlogColumn& column : table.columns) {
    columns.push_back({column.name, {}, affinity_of(column), column.nullable});
  }
  return std::make_shared<const Schema>(table.database + "." + table.table, std::move(columns),
                                        key);
}

std::uint64_t table_id_of(std::string_view body) noexcept {
  return ByteReader(body).little_endian(6);
}

TableMapPtr parse_table_map(std::string_view body, std::string& reason) {
  ByteReader reader(body);
  auto table = std::make_shared<TableMap>();
  table->id = reader.little_endian(6);
  reader.skip(2);  // flags
  table->database = reader.take(reader.u8());
  reader.skip(1);
  table->table = reader.take(reader.u8());
  reader.skip(1);
  const std::string_view types = reader.packed_text();
  ByteReader meta(reader.packed_text());
  const std::string_view nullable = reader.take((types.size() + 7) / 8);
  if (!reader.ok() || !is_valid_utf8(table->database) || !is_valid_utf8(table->table)) {
    reason = "a table map that is cut short or not in UTF-8";
    return nullptr;
  }
  table->columns.resize(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    BinlogColumn& column = table->columns[i];
    column.name = "@" + std::to_string(i + 1);
    column.type = static_cast<ColumnType>(types[i]);
    column.nullable = (static_cast<unsigned char>(nullable[i / 8]) >> (i % 8) & 1U) != 0;
    if (!read_meta(column, meta) || !meta.ok()) {
      reason = "column " + std::to_string(i + 1) + " of " + table->database + "." + table->table +
               " has a type that is not known here: " +
               std::to_string(static_cast<unsigned char>(types[i]));
      return nullptr;
    }
  }
  OptionalMetadata optional(*table);
  if (!optional.read(ByteReader(reader.rest()))) {
    reason = "the metadata of " + table->database + "." + table->table + " cannot be read";
    return nullptr;
  }
  table->schema = schema_of(*table, optional.key());
  return table;
}

}  // namespace ustream::mysql
