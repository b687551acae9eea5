// One column's bytes in a row image: how many they are, whether they can be read, and their value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ustream/document.hpp"

#include "connectors/mysql/decimal_text.hpp"
#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// How the bytes of a column are read, worked out once for all rows. Immutable; any thread. Sources
/// for sizes and values: MySQL's log_event.cc (calc_field_size, log_event_print_value), MariaDB's
/// field.cc for its own types.
class ColumnPlan {
 public:
  /// A size that no bytes have: of a type whose metadata makes no sense.
  static constexpr std::size_t kImpossible = std::size_t{1} << 40U;

  /// `column` has to outlive the plan.
  explicit ColumnPlan(const BinlogColumn& column);

  [[nodiscard]] const BinlogColumn& column() const noexcept { return *column_; }
  /// Bytes of every value: of one whose length varies, those that tell the length.
  [[nodiscard]] std::size_t fixed_size() const noexcept { return fixed_; }
  /// Bytes that tell how many more follow; 0: none do.
  [[nodiscard]] std::size_t prefix_size() const noexcept { return prefix_; }
  /// The size of the value at `at`. REQUIRES fixed_size() bytes there.
  [[nodiscard]] std::size_t size_at(const char* at) const noexcept;
  /// Whether there can be a value of this type that is undecodable(): others need not be asked.
  [[nodiscard]] bool is_checked() const noexcept { return is_checked_; }
  /// Why the value cannot be decoded, or null. REQUIRES bytes of size_at().
  [[nodiscard]] const char* undecodable(std::string_view bytes) const;
  /// The value, as docs/values.md has it. REQUIRES bytes of size_at() that are not undecodable().
  /// What has to be made up (text of another charset, decimals, sets) is kept in `scratch`.
  [[nodiscard]] ValueView value(std::string_view bytes, Scratch& scratch) const;

 private:
  enum class Kind : std::uint8_t {
    null,
    int8,
    int16,
    int24,
    int32,
    int64,
    uint8,
    uint16,
    uint24,
    uint32,
    uint64,
    float32,
    float64,
    decimal,
    year,
    date,
    old_time,
    time,
    old_timestamp,
    timestamp,
    old_datetime,
    datetime,
    bit,
    enumeration,
    set,
    utf8,    // text that needs no conversion
    text,    // text of another charset
    bytes,   // as they stand
    padded,  // BINARY(n): the zeros at its end are not sent
    compressed,
    json,
    json_text,  // MariaDB's: text
    uuid,
    inet4,
    inet6,
  };
  void plan_integer(Kind of_signed, std::size_t size) noexcept;
  void plan_text(Kind binary) noexcept;
  void plan_prefixed(std::size_t prefix) noexcept;
  [[nodiscard]] std::string_view content(std::string_view bytes) const noexcept {
    return bytes.substr(prefix_);
  }
  [[nodiscard]] const char* undecodable_label(std::string_view bytes) const noexcept;
  [[nodiscard]] const char* undecodable_compressed(std::string_view bytes) const;
  [[nodiscard]] ValueView text_value(std::string_view text, Scratch& scratch) const;
  [[nodiscard]] ValueView label_value(std::uint64_t index) const noexcept;
  [[nodiscard]] ValueView set_value(std::uint64_t bits, Scratch& scratch) const;
  [[nodiscard]] ValueView compressed_value(std::string_view bytes, Scratch& scratch) const;

  const BinlogColumn* column_;
  std::size_t fixed_ = 0;
  Kind kind_ = Kind::null;
  std::uint8_t prefix_ = 0;
  bool is_checked_ = false;
  DecimalLayout decimal_;
};

}  // namespace ustream::mysql
