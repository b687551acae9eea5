#include "connectors/mysql/clock.hpp"

#include <algorithm>
#include <array>

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// A fraction of a second in microseconds, stored in fraction_size(digits) bytes.
std::int64_t fraction_at(const char* bytes, std::size_t digits) noexcept {
  constexpr std::array<std::int64_t, 4> kScale{0, 10'000, 100, 1};
  const std::size_t size = fraction_size(digits);
  return static_cast<std::int64_t>(big_endian_at(bytes, size)) * kScale[size];
}

/// `value` with at least `width` digits.
char* write_number(char* to, std::uint64_t value, int width) noexcept {
  std::array<char, 20> digits{};
  char* p = digits.data() + digits.size();
  do {
    *--p = static_cast<char>('0' + value % 10);
    value /= 10;
    --width;
  } while (value != 0 || width > 0);
  return std::copy(p, digits.data() + digits.size(), to);
}

char* write_fraction(char* to, std::int64_t micros, std::size_t digits) noexcept {
  if (digits == 0) {
    return to;
  }
  *to++ = '.';
  std::array<char, 20> six{};
  (void)write_number(six.data(), static_cast<std::uint64_t>(micros), 6);
  return std::copy_n(six.data(), digits, to);
}

char* write_date(char* to, const Clock& clock) noexcept {
  to = write_number(to, clock.year, 4);
  *to++ = '-';
  to = write_number(to, clock.month, 2);
  *to++ = '-';
  return write_number(to, clock.day, 2);
}

char* write_time(char* to, const Clock& clock, std::size_t digits) noexcept {
  to = write_number(to, clock.hour, 2);
  *to++ = ':';
  to = write_number(to, clock.minute, 2);
  *to++ = ':';
  to = write_number(to, clock.second, 2);
  return write_fraction(to, clock.micros, digits);
}

/// As the server prints it.
ValueView text_value(const Clock& clock, std::size_t digits, Scratch& scratch) {
  char* const start = scratch.room(kMaxClockText);
  char* to = write_date(start, clock);
  *to++ = ' ';
  to = write_time(to, clock, digits);
  return ValueView::of(std::string_view(start, static_cast<std::size_t>(to - start)));
}

bool is_leap(std::uint64_t year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool is_of_calendar(const Clock& clock) noexcept {
  constexpr std::array<std::uint8_t, 13> kDays{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (clock.month < 1 || clock.month > 12 || clock.hour > 23 || clock.minute > 59 ||
      clock.second > 59 || clock.day < 1) {
    return false;
  }
  return clock.day <= kDays[clock.month] ||
         (clock.month == 2 && clock.day == 29 && is_leap(clock.year));
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar; years from 0. Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
std::int64_t days_of(const Clock& clock) noexcept {
  const std::uint64_t year = clock.year + 400 - (clock.month <= 2 ? 1U : 0U);  // never below zero
  const std::uint64_t era = year / 400;
  const std::uint64_t year_of_era = year - era * 400;
  const std::uint64_t shifted_month = clock.month > 2 ? clock.month - 3U : clock.month + 9U;
  const std::uint64_t day_of_year = (153 * shifted_month + 2) / 5 + clock.day - 1;
  const std::uint64_t days =
      era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int64_t>(days) - 719'468 - 146'097;
}

}  // namespace

ValueView datetime_value(const Clock& clock, std::size_t digits, Scratch& scratch) {
  if (!is_of_calendar(clock)) {
    return text_value(clock, digits, scratch);
  }
  const std::int64_t minutes = (days_of(clock) * 24 + clock.hour) * 60 + clock.minute;
  return ValueView::of(DateTime{(minutes * 60 + clock.second) * kMicrosPerSecond + clock.micros,
                                static_cast<std::uint8_t>(digits)});
}

namespace {

/// 17 bits of year and month, 5 each of day and hour, 6 each of minute and second.
Clock unpacked(std::uint64_t packed) noexcept {
  const std::uint64_t months = packed >> 22U;
  Clock clock;
  clock.year = months / 13;
  clock.month = static_cast<unsigned>(months % 13);
  clock.day = static_cast<unsigned>((packed >> 17U) & 31U);
  clock.hour = static_cast<unsigned>((packed >> 12U) & 31U);
  clock.minute = static_cast<unsigned>((packed >> 6U) & 63U);
  clock.second = static_cast<unsigned>(packed & 63U);
  return clock;
}

ValueView instant(std::uint64_t seconds, std::int64_t micros, std::size_t digits,
                  Scratch& scratch) {
  if (seconds == 0 && micros == 0) {  // the server's zero, not 1970
    return text_value({}, digits, scratch);
  }
  return ValueView::of(Timestamp{static_cast<std::int64_t>(seconds) * kMicrosPerSecond + micros});
}

}  // namespace

ValueView datetime2_value(const char* bytes, std::size_t digits, Scratch& scratch) {
  // The sign's bit is always set; what has it cleared is no date, and only damage has it.
  Clock clock = unpacked(big_endian_at(bytes, 5) & 0x7f'ffff'ffffU);
  clock.micros = fraction_at(bytes + 5, digits);
  return datetime_value(clock, digits, scratch);
}

ValueView timestamp2_value(const char* bytes, std::size_t digits, Scratch& scratch) {
  return instant(big_endian_at(bytes, 4), fraction_at(bytes + 4, digits), digits, scratch);
}

ValueView time2_value(const char* bytes, std::size_t digits) noexcept {
  // A negative time is the two's complement of the whole, fraction included:
  // my_time_packed_from_binary.
  const std::size_t size = fraction_size(digits);
  const std::size_t bits = size * 8;
  const auto stored = static_cast<std::int64_t>(big_endian_at(bytes, 3 + size));
  const std::int64_t packed = stored - (std::int64_t{0x800000} << bits);
  const std::uint64_t magnitude = static_cast<std::uint64_t>(packed < 0 ? -packed : packed);
  const std::uint64_t whole = magnitude >> bits;
  constexpr std::array<std::uint64_t, 4> kScale{0, 10'000, 100, 1};
  const std::uint64_t fraction = (magnitude & ((std::uint64_t{1} << bits) - 1)) * kScale[size];
  const std::uint64_t seconds =
      ((whole >> 12U) & 0x3ffU) * 3600 + ((whole >> 6U) & 63U) * 60 + (whole & 63U);
  const auto micros = static_cast<std::int64_t>(seconds * kMicrosPerSecond + fraction);
  return ValueView::of(Time{packed < 0 ? -micros : micros, static_cast<std::uint8_t>(digits)});
}

ValueView old_datetime_value(const char* bytes, Scratch& scratch) {
  std::uint64_t number = little_endian_at(bytes, 8);
  const auto next = [&number](std::uint64_t by) {
    const std::uint64_t part = number % by;
    number /= by;
    return static_cast<unsigned>(part);
  };
  Clock clock;
  clock.second = next(100);
  clock.minute = next(100);
  clock.hour = next(100);
  clock.day = next(100);
  clock.month = next(100);
  clock.year = number % 10'000;
  return datetime_value(clock, 0, scratch);
}

ValueView old_timestamp_value(const char* bytes, Scratch& scratch) {
  return instant(little_endian_at(bytes, 4), 0, 0, scratch);
}

ValueView old_time_value(const char* bytes) noexcept {
  const auto bits = static_cast<std::uint32_t>(little_endian_at(bytes, 3));
  const auto number = static_cast<std::int32_t>(bits << 8U) >> 8;
  const std::int64_t size = number < 0 ? -std::int64_t{number} : number;
  const std::int64_t seconds = size / 10'000 * 3600 + size / 100 % 100 * 60 + size % 100;
  return ValueView::of(Time{(number < 0 ? -seconds : seconds) * kMicrosPerSecond, 0});
}

char* write_packed_time(char* to, ColumnType type, std::int64_t packed) noexcept {
  const bool negative = packed < 0;
  // The most negative number has no positive counterpart; as bits it does.
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(packed) : static_cast<std::uint64_t>(packed);
  Clock clock = unpacked(size >> 24U);
  clock.micros = static_cast<std::int64_t>(size & 0xffffffU);
  if (type == ColumnType::time) {
    if (negative) {
      *to++ = '-';
    }
    clock.hour = static_cast<unsigned>((size >> 36U) & 0x3ffU);
    return write_time(to, clock, 6);
  }
  to = write_date(to, clock);
  if (type == ColumnType::date) {
    return to;
  }
  *to++ = ' ';
  return write_time(to, clock, 6);
}

}  // namespace ustream::mysql
