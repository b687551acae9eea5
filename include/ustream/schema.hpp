// Schema: the columns and the key of a collection, at one point of its history.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/value.hpp"

namespace ustream {

/// How text of a key is read for a column; see docs/values.md, "Keys as text".
enum class KeyAffinity : std::uint8_t {
  text,    ///< the text itself
  number,  ///< a number if it reads as one, else text
  bytes,   ///< base64
  any      ///< JSON if it parses as JSON, else a string (MongoDB's _id)
};

struct Column {
  std::string name;
  std::string declared_type;  ///< as the database states it; may be empty
  KeyAffinity affinity = KeyAffinity::text;
  bool nullable = true;
};

/// Immutable once shared; any thread may read it.
class Schema {
 public:
  Schema(std::string collection, std::vector<Column> columns, std::vector<std::size_t> key_columns,
         std::uint64_t version = 0);

  [[nodiscard]] const std::string& collection() const noexcept { return collection_; }
  [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
  /// Indexes into columns(), in key order; empty when there is no primary key.
  [[nodiscard]] const std::vector<std::size_t>& key_columns() const noexcept {
    return key_columns_;
  }
  [[nodiscard]] bool has_key() const noexcept { return !key_columns_.empty(); }
  [[nodiscard]] bool is_key_column(std::size_t index) const noexcept;
  /// A number that changes when the definition does; meaning is the connector's.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  /// The column's index; names compare byte for byte.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;

 private:
  std::string collection_;
  std::vector<Column> columns_;
  std::vector<std::size_t> key_columns_;
  std::uint64_t version_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

/// The typed key of a row: one value per key column.
///
/// Text form: one column by its affinity, several as a JSON array in key order. `text` and `parse`
/// are exact inverses.
class Key {
 public:
  Key() = default;
  /// One value per key column, in key order. A uint64 that int64 holds is kept as int64, so that
  /// equal numbers make equal keys.
  explicit Key(std::vector<Value> parts);
  [[nodiscard]] const std::vector<Value>& parts() const noexcept { return parts_; }
  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
  [[nodiscard]] std::string text(const Schema& schema) const;
  /// Throws ValidationError when the text does not fit the key's columns, or the collection has no
  /// key.
  [[nodiscard]] static Key parse(std::string_view text, const Schema& schema);
  bool operator==(const Key&) const = default;

 private:
  std::vector<Value> parts_;
};

/// The text of one key part; exposed for sources without a Schema. `parse_key_part` is its exact
/// inverse for every scalar value but NaN. Throws ValidationError when text that has to be escaped
/// is not valid UTF-8, or the text is no key of that affinity.
void write_key_part(std::string& out, const ValueView& value, KeyAffinity affinity);
[[nodiscard]] Value parse_key_part(std::string_view text, KeyAffinity affinity);

}  // namespace ustream
