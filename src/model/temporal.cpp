#include "model/temporal.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace ustream::model {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr std::size_t kMaxFraction = 6;

constexpr std::array<char, 200> make_pairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kPairs = make_pairs();

/// REQUIRES value < 100.
char* write_two(char* to, std::uint64_t value) noexcept {
  std::memcpy(to, &kPairs[2 * value], 2);
  return to + 2;
}

/// At least `width` digits.
char* write_padded(char* to, std::uint64_t value, int width) noexcept {
  char digits[20];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + value % 10);
    value /= 10;
    --width;
  } while (value != 0 || width > 0);
  return std::copy(p, digits + sizeof digits, to);
}

/// `micros` below one second, cut to `digits` digits; nothing for 0 digits.
char* write_fraction(char* to, std::uint64_t micros, std::size_t digits) noexcept {
  if (digits == 0) {
    return to;
  }
  *to++ = '.';
  write_two(to, micros / 10'000);
  write_two(to + 2, micros / 100 % 100);
  write_two(to + 4, micros % 100);
  return to + std::min(digits, kMaxFraction);
}

// Days since 1970-01-01 and back, for the proleptic Gregorian calendar: Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr Date civil_from_days(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return {static_cast<std::int32_t>(year), static_cast<std::uint8_t>(month),
          static_cast<std::uint8_t>(day)};
}

char* write_clock(char* to, std::uint64_t micros, std::size_t digits) noexcept {
  const std::uint64_t seconds = micros / kMicrosPerSecond;
  const std::uint64_t hours = seconds / 3600;
  to = hours < 100 ? write_two(to, hours) : write_padded(to, hours, 2);
  const std::uint64_t rest = seconds % 3600;
  *to++ = ':';
  to = write_two(to, rest / 60);
  *to++ = ':';
  to = write_two(to, rest % 60);
  return write_fraction(to, micros % kMicrosPerSecond, digits);
}

char* write_date_and_clock(char* to, std::int64_t micros, std::size_t digits) noexcept {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  to = write_text(to, civil_from_days(days));
  *to++ = 'T';
  return write_clock(to, static_cast<std::uint64_t>(rest), digits);
}

template <class Typed>
void append_typed(std::string& out, const Typed& value) {
  char text[kMaxTemporalText];
  out.append(text, write_text(text, value));
}

/// Takes text apart from the front; once something does not fit, ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_(text) {}
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

  bool accept(char c) noexcept {
    if (!ok_ || !rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) noexcept { ok_ = accept(c) && ok_; }
  void fail() noexcept { ok_ = false; }

  /// A number of `min` to `max` digits.
  std::int64_t number(std::size_t min, std::size_t max) noexcept {
    std::int64_t value = 0;
    std::size_t count = 0;
    while (count < max && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      value = value * 10 + (rest_[count] - '0');
      ++count;
    }
    ok_ = ok_ && count >= min;
    rest_.remove_prefix(count);
    digits_ = count;
    return value;
  }
  std::int64_t number_below(std::size_t width, std::int64_t bound) noexcept {
    const std::int64_t value = number(width, width);
    ok_ = ok_ && value < bound;
    return value;
  }
  /// Digits of the last number.
  [[nodiscard]] std::size_t digits() const noexcept { return digits_; }

 private:
  std::string_view rest_;
  std::size_t digits_ = 0;
  bool ok_ = true;
};

Date scan_date(Scanner& scan) noexcept {
  const bool negative = scan.accept('-');
  std::int64_t year = scan.number(4, 10);
  year = negative ? -year : year;
  scan.expect('-');
  const auto month = static_cast<std::uint8_t>(scan.number_below(2, 13));
  scan.expect('-');
  const auto day = static_cast<std::uint8_t>(scan.number_below(2, 32));
  if (year < std::numeric_limits<std::int32_t>::min() ||
      year > std::numeric_limits<std::int32_t>::max()) {
    scan.fail();
    return {};
  }
  return {static_cast<std::int32_t>(year), month, day};
}

struct Clock {
  std::int64_t hours = 0;
  std::int64_t micros = 0;  ///< within the hour
  std::uint8_t digits = 0;
};

Clock scan_clock(Scanner& scan, std::size_t max_hour_digits) noexcept {
  Clock clock;
  clock.hours = scan.number(2, max_hour_digits);
  scan.expect(':');
  const std::int64_t minutes = scan.number_below(2, 60);
  scan.expect(':');
  const std::int64_t seconds = scan.number_below(2, 60);
  clock.micros = (minutes * 60 + seconds) * kMicrosPerSecond;
  if (scan.accept('.')) {
    std::int64_t fraction = scan.number(1, kMaxFraction);
    clock.digits = static_cast<std::uint8_t>(scan.digits());
    for (std::size_t i = scan.digits(); i < kMaxFraction; ++i) {
      fraction *= 10;
    }
    clock.micros += fraction;
  }
  return clock;
}

/// a * b + c, or nullopt where int64 does not hold it.
std::optional<std::int64_t> multiply_add(std::int64_t a, std::int64_t b, std::int64_t c) noexcept {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result) || __builtin_add_overflow(result, c, &result)) {
    return std::nullopt;
  }
  return result;
}

std::optional<DateTime> scan_date_and_clock(Scanner& scan) noexcept {
  const Date date = scan_date(scan);
  scan.expect('T');
  const Clock clock = scan_clock(scan, 2);
  if (!scan.ok() || date.month == 0 || date.day == 0 || clock.hours > 23) {
    return std::nullopt;
  }
  const std::int64_t days = days_from_civil(date.year, date.month, date.day);
  if (civil_from_days(days) != date) {
    return std::nullopt;  // 30 February
  }
  // The first day that int64 reaches begins before its smallest microsecond, so its rest is
  // counted from the day's end.
  const std::int64_t rest = clock.hours * 3600 * kMicrosPerSecond + clock.micros;
  const auto micros = days < 0 ? multiply_add(days + 1, kMicrosPerDay, rest - kMicrosPerDay)
                               : multiply_add(days, kMicrosPerDay, rest);
  if (!micros) {
    return std::nullopt;
  }
  return DateTime{*micros, clock.digits};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool parse_hex(std::string_view text, std::span<std::uint8_t> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

char* write_hex(char* to, std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 0xf];
  }
  return to;
}

constexpr std::array<std::size_t, 5> kUuidGroups = {4, 2, 2, 2, 6};  // in bytes

}  // namespace

char* write_text(char* to, Date value) noexcept {
  const std::int64_t year = value.year;
  if (year < 0) {
    *to++ = '-';
  }
  const auto size = static_cast<std::uint64_t>(year < 0 ? -year : year);
  to = size < 10'000 ? write_two(write_two(to, size / 100), size % 100) : write_padded(to, size, 4);
  *to++ = '-';
  to = value.month < 100 ? write_two(to, value.month) : write_padded(to, value.month, 2);
  *to++ = '-';
  return value.day < 100 ? write_two(to, value.day) : write_padded(to, value.day, 2);
}

char* write_text(char* to, Time value) noexcept {
  auto magnitude = static_cast<std::uint64_t>(value.micros);
  if (value.micros < 0) {
    *to++ = '-';
    magnitude = 0 - magnitude;
  }
  return write_clock(to, magnitude, value.digits);
}

char* write_text(char* to, Timestamp value) noexcept {
  to = write_date_and_clock(to, value.micros, kMaxFraction);
  *to++ = 'Z';
  return to;
}

char* write_text(char* to, DateTime value) noexcept {
  return write_date_and_clock(to, value.micros, value.digits);
}

char* write_text(char* to, const Uuid& value) noexcept {
  std::span<const std::uint8_t> rest = value.bytes;
  for (const std::size_t size : kUuidGroups) {
    if (rest.size() != value.bytes.size()) {
      *to++ = '-';
    }
    to = write_hex(to, rest.first(size));
    rest = rest.subspan(size);
  }
  return to;
}

char* write_text(char* to, const ObjectId& value) noexcept {
  return write_hex(to, value.bytes);
}

void append_text(std::string& out, Date value) {
  append_typed(out, value);
}
void append_text(std::string& out, Time value) {
  append_typed(out, value);
}
void append_text(std::string& out, Timestamp value) {
  append_typed(out, value);
}
void append_text(std::string& out, DateTime value) {
  append_typed(out, value);
}
void append_text(std::string& out, const Uuid& value) {
  append_typed(out, value);
}
void append_text(std::string& out, const ObjectId& value) {
  append_typed(out, value);
}

std::optional<Date> parse_date(std::string_view text) noexcept {
  Scanner scan(text);
  const Date date = scan_date(scan);
  return scan.done() ? std::optional(date) : std::nullopt;
}

std::optional<Time> parse_time(std::string_view text) noexcept {
  Scanner scan(text);
  const bool negative = scan.accept('-');
  const Clock clock = scan_clock(scan, 10);
  if (!scan.done()) {
    return std::nullopt;
  }
  // Built as a negative number, which reaches one further than a positive one.
  const auto micros = multiply_add(clock.hours, -3600 * kMicrosPerSecond, -clock.micros);
  if (!micros || (!negative && *micros == std::numeric_limits<std::int64_t>::min())) {
    return std::nullopt;
  }
  return Time{negative ? *micros : -*micros, clock.digits};
}

std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept {
  Scanner scan(text);
  const auto moment = scan_date_and_clock(scan);
  scan.expect('Z');
  if (!moment || !scan.done()) {
    return std::nullopt;
  }
  return Timestamp{moment->micros};
}

std::optional<DateTime> parse_datetime(std::string_view text) noexcept {
  Scanner scan(text);
  const auto moment = scan_date_and_clock(scan);
  return scan.done() ? moment : std::nullopt;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
  Uuid uuid;
  if (text.size() != 36) {
    return std::nullopt;
  }
  std::span<std::uint8_t> rest = uuid.bytes;
  for (const std::size_t size : kUuidGroups) {
    if (rest.size() != uuid.bytes.size()) {
      if (text.front() != '-') {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
    if (!parse_hex(text.substr(0, 2 * size), rest.first(size))) {
      return std::nullopt;
    }
    text.remove_prefix(2 * size);
    rest = rest.subspan(size);
  }
  return uuid;
}

std::optional<ObjectId> parse_objectid(std::string_view text) noexcept {
  ObjectId id;
  if (text.size() != 2 * id.bytes.size() || !parse_hex(text, id.bytes)) {
    return std::nullopt;
  }
  return id;
}

}  // namespace ustream::model
