// Dates and times as both servers store them: as values, and as the server's own text.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ustream/document.hpp"

#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// Bytes of a fraction of a second.
[[nodiscard]] constexpr std::size_t fraction_size(std::size_t digits) noexcept {
  return (digits + 1) / 2;
}

/// A date and time as the server takes it apart; zero and impossible dates too.
struct Clock {
  std::uint64_t year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t micros = 0;
};

/// A date-time, or the server's own text, kept in `scratch`, where no calendar knows the date.
[[nodiscard]] ValueView datetime_value(const Clock& clock, std::size_t digits, Scratch& scratch);

// The values of the types since MySQL 5.6 and MariaDB 10.1, whose bytes compare as they do:
// my_time.cc, my_datetime_packed_from_binary and its like. `digits` is at most 6. What no calendar
// knows (zero dates) is the server's own text, kept in `scratch`.
[[nodiscard]] ValueView datetime2_value(const char* bytes, std::size_t digits, Scratch& scratch);
[[nodiscard]] ValueView timestamp2_value(const char* bytes, std::size_t digits, Scratch& scratch);
[[nodiscard]] ValueView time2_value(const char* bytes, std::size_t digits) noexcept;

// Those of before, which tables of that time still have: the decimal numbers YYYYMMDDhhmmss and
// hhmmss, and seconds since 1970.
[[nodiscard]] ValueView old_datetime_value(const char* bytes, Scratch& scratch);
[[nodiscard]] ValueView old_timestamp_value(const char* bytes, Scratch& scratch);
[[nodiscard]] ValueView old_time_value(const char* bytes) noexcept;

/// Room for any text of write_packed_time.
inline constexpr std::size_t kMaxClockText = 40;
/// Writes a DATE, DATETIME, TIMESTAMP or TIME of binary JSON (TIME_from_longlong_*_packed), with
/// six fraction digits; REQUIRES kMaxClockText bytes. Returns where it ends.
[[nodiscard]] char* write_packed_time(char* to, ColumnType type, std::int64_t packed) noexcept;

}  // namespace ustream::mysql
