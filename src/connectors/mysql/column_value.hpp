// One column's bytes in a row image: how many they are, whether they can be read, and their value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/document.hpp"

#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// The size of the value that stands at the start of `bytes`; nullopt when it does not fit in them
/// or its type has no known size. Sources for this and decode: MySQL's log_event.cc
/// (calc_field_size, log_event_print_value), MariaDB's field.cc for its own types.
[[nodiscard]] std::optional<std::size_t> value_size(const BinlogColumn& column,
                                                    std::string_view bytes) noexcept;

/// Why the value cannot be decoded, or null. REQUIRES bytes of value_size().
[[nodiscard]] const char* undecodable(const BinlogColumn& column, std::string_view bytes);

/// The value, as docs/values.md has it. REQUIRES bytes of value_size() that are not undecodable().
/// What has to be made up (text of another charset, decimals, sets) is kept in `scratch`.
[[nodiscard]] ValueView decode_value(const BinlogColumn& column, std::string_view bytes,
                                     Scratch& scratch);

/// A date and time as the server takes it apart; zero and impossible dates too.
struct Clock {
  std::int64_t year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t micros = 0;
};

/// A date-time, or the server's own text where no calendar knows the date. `digits`: of the
/// fraction.
[[nodiscard]] ValueView datetime_value(const Clock& clock, std::size_t digits, Scratch& scratch);

/// Appends a DECIMAL(precision, scale) with all its digits; false when the bytes are not of that
/// type. Source: decimal2bin in MySQL's decimal.cc.
[[nodiscard]] bool append_decimal(std::string& out, std::string_view bytes, std::size_t precision,
                                  std::size_t scale);

/// Appends a DATE, DATETIME, TIMESTAMP or TIME of binary JSON (TIME_from_longlong_*_packed), with
/// six fraction digits.
void append_packed_time(std::string& out, ColumnType type, std::int64_t packed);

}  // namespace ustream::mysql
