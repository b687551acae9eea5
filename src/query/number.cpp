#include "query/number.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <system_error>

namespace ustream::query {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;
constexpr double kTwoTo64 = 18446744073709551616.0;
/// Exponents beyond this are cut: no number that can be stored reaches it.
constexpr std::int64_t kExponentLimit = 1'000'000'000'000;

template <class T>
int sign_of(const T& a, const T& b) noexcept {
  return a < b ? -1 : (b < a ? 1 : 0);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (folded != lower[i]) {
      return false;
    }
  }
  return true;
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// The exponent after the 'e', or nullopt when it is none.
std::optional<std::int64_t> parse_exponent(std::string_view text) noexcept {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    value = value >= kExponentLimit ? kExponentLimit : value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

/// Cuts zeros off both ends and finds the power of ten of the first digit that stays.
void set_digits(DecimalParts& parts, std::string_view mantissa, std::int64_t exponent) noexcept {
  const std::size_t point = mantissa.find('.');
  const auto whole =
      static_cast<std::int64_t>(point == std::string_view::npos ? mantissa.size() : point);
  const auto fraction = static_cast<std::int64_t>(mantissa.size()) - whole -
                        (point == std::string_view::npos ? 0 : 1);
  parts.scale = fraction > exponent ? fraction - exponent : 0;
  const std::size_t first = mantissa.find_first_not_of("0.");
  if (first == std::string_view::npos) {
    return;
  }
  const std::size_t last = mantissa.find_last_not_of("0.");
  parts.digits = mantissa.substr(first, last - first + 1);
  const auto at = static_cast<std::int64_t>(first);
  parts.magnitude = exponent + (at < whole ? whole - 1 - at : whole - at);
}

/// The digits of a DecimalParts, one after the other, then -1.
class Digits {
 public:
  explicit Digits(std::string_view text) noexcept : text_(text) {}
  int next() noexcept {
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_++] - '0' : -1;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

int compare_magnitudes(const DecimalParts& a, const DecimalParts& b) noexcept {
  if (a.zero() || b.zero()) {
    return static_cast<int>(b.zero()) - static_cast<int>(a.zero());
  }
  if (a.magnitude != b.magnitude) {
    return a.magnitude < b.magnitude ? -1 : 1;
  }
  Digits left(a.digits);
  Digits right(b.digits);
  while (true) {
    const int x = left.next();
    const int y = right.next();
    if (x != y) {
      return x < y ? -1 : 1;
    }
    if (x < 0) {
      return 0;
    }
  }
}

/// nan 0, -infinity 1, finite 2, infinity 3.
int decimal_class(const DecimalParts& parts) noexcept {
  switch (parts.kind) {
    case DecimalParts::Kind::nan:
      return 0;
    case DecimalParts::Kind::infinity:
      return parts.negative ? 1 : 3;
    case DecimalParts::Kind::finite:
      break;
  }
  return 2;
}

int compare_doubles(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(b)) - static_cast<int>(std::isnan(a));
  }
  return sign_of(a, b);
}

int compare_int_double(Int128 a, double b) noexcept {
  if (std::isnan(b) || b < -kTwoTo63) {
    return 1;
  }
  if (b >= kTwoTo64) {
    return -1;
  }
  if (a >= -kExactInteger && a <= kExactInteger) {
    return sign_of(static_cast<double>(a), b);
  }
  const double whole = std::trunc(b);
  const auto truncated = static_cast<Int128>(whole);
  if (a != truncated) {
    return a < truncated ? -1 : 1;
  }
  return sign_of(whole, b);
}

/// |a| and |b| in 128-bit integers, for digits and exponents as they usually are; nullopt where
/// those do not suffice. REQUIRES both finite, `b` not 0.
std::optional<int> compare_magnitudes_quickly(const DecimalParts& a, double b) noexcept {
  // a = digits × 10^-scale, b = mantissa × 2^exponent, with an odd mantissa.
  std::uint64_t digits = 0;
  std::int64_t scale = -a.magnitude - 1;
  Digits each(a.digits);
  for (int digit = each.next(); digit >= 0; digit = each.next()) {
    digits = digits * 10 + static_cast<std::uint64_t>(digit);
    if (++scale; scale + a.magnitude >= 18) {
      return std::nullopt;
    }
  }
  int exponent = 0;
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::fabs(b), &exponent), 53));
  const int zeros = std::countr_zero(mantissa);
  mantissa >>= static_cast<unsigned>(zeros);
  exponent += zeros - 53;
  // a × 2^-exponent × 10^scale against b × the same, each factor on the side where it is whole.
  const auto tens = static_cast<int>(scale < -40 ? 40 : (scale > 40 ? 40 : std::abs(scale)));
  const int ten_bits = tens * 10 / 3 + 1;
  const int left_bits = static_cast<int>(std::bit_width(digits)) + (exponent < 0 ? -exponent : 0) +
                        (scale < 0 ? ten_bits : 0);
  const int right_bits = static_cast<int>(std::bit_width(mantissa)) +
                         (exponent > 0 ? exponent : 0) + (scale > 0 ? ten_bits : 0);
  if (left_bits > 126 || right_bits > 126) {
    return std::nullopt;
  }
  Int128 left = Int128{digits} << (exponent < 0 ? -exponent : 0);
  Int128 right = Int128{mantissa} << (exponent > 0 ? exponent : 0);
  Int128& scaled = scale < 0 ? left : right;
  for (int i = 0; i < tens; ++i) {
    scaled *= 10;
  }
  return sign_of(left, right);
}

int compare_int_decimal(const ValueView& a, std::string_view b) noexcept {
  std::array<char, 24> buffer{};
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  const auto result = a.type() == ValueType::int64 ? std::to_chars(begin, end, a.int64())
                                                   : std::to_chars(begin, end, a.uint64());
  const std::string_view text(begin, static_cast<std::size_t>(result.ptr - begin));
  return compare_decimals(parse_decimal(text), parse_decimal(b));
}

/// REQUIRES that `a` is no decimal.
int compare_to_decimal(const ValueView& a, std::string_view b) noexcept {
  return is_integer(a.type()) ? compare_int_decimal(a, b) : -compare_decimal_double(b, a.float64());
}

}  // namespace

DecimalParts parse_decimal(std::string_view text) noexcept {
  DecimalParts parts;
  std::string_view rest = text;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    parts.negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (equals_ignoring_case(rest, "infinity") || equals_ignoring_case(rest, "inf")) {
    parts.kind = DecimalParts::Kind::infinity;
    return parts;
  }
  const std::size_t mark = rest.find_first_of("eE");
  std::int64_t exponent = 0;
  if (mark != std::string_view::npos) {
    const auto parsed = parse_exponent(rest.substr(mark + 1));
    if (!parsed) {
      return parts;
    }
    exponent = *parsed;
  }
  const std::string_view mantissa = rest.substr(0, mark);
  std::size_t points = 0;
  std::size_t digits = 0;
  for (const char c : mantissa) {
    if (c == '.') {
      ++points;
    } else if (is_digit(c)) {
      ++digits;
    } else {
      return parts;
    }
  }
  if (points > 1 || digits == 0) {
    return parts;
  }
  parts.kind = DecimalParts::Kind::finite;
  set_digits(parts, mantissa, exponent);
  return parts;
}

int compare_decimals(const DecimalParts& a, const DecimalParts& b) noexcept {
  const int left = decimal_class(a);
  const int right = decimal_class(b);
  if (left != right || a.kind != DecimalParts::Kind::finite) {
    return sign_of(left, right);
  }
  if (a.zero() && b.zero()) {
    return 0;
  }
  const bool a_below = a.negative && !a.zero();
  const bool b_below = b.negative && !b.zero();
  if (a_below != b_below) {
    return a_below ? -1 : 1;
  }
  const int magnitude = compare_magnitudes(a, b);
  return a_below ? -magnitude : magnitude;
}

int compare_decimal_double(std::string_view a, double b) noexcept {
  const DecimalParts parts = parse_decimal(a);
  if (parts.kind != DecimalParts::Kind::finite) {
    return compare_doubles(decimal_to_double(a), b);
  }
  if (!std::isfinite(b)) {
    return b > 0 ? -1 : 1;
  }
  // Rounding keeps the order, so only a tie needs every digit of the double.
  const double nearest = decimal_to_double(a);
  if (nearest != b) {
    return nearest < b ? -1 : 1;
  }
  if (parts.zero() || b == 0) {
    return compare_decimals(parts, parse_decimal("0"));
  }
  if (const auto order = compare_magnitudes_quickly(parts, b)) {
    return parts.negative ? -*order : *order;
  }
  // 767 significant digits say any double exactly.
  std::array<char, 800> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), b,
                                    std::chars_format::scientific, 766);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  return compare_decimals(parts, parse_decimal(text));
}

double decimal_to_double(std::string_view text) noexcept {
  const DecimalParts parts = parse_decimal(text);
  const double sign = parts.negative ? -1.0 : 1.0;
  switch (parts.kind) {
    case DecimalParts::Kind::nan:
      return std::numeric_limits<double>::quiet_NaN();
    case DecimalParts::Kind::infinity:
      return sign * std::numeric_limits<double>::infinity();
    case DecimalParts::Kind::finite:
      break;
  }
  if (parts.zero()) {
    return 0.0;
  }
  if (text.front() == '+') {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    return parts.magnitude > 0 ? sign * std::numeric_limits<double>::infinity() : 0.0;
  }
  return value;
}

std::optional<Int128> decimal_floor(std::string_view text) noexcept {
  const DecimalParts parts = parse_decimal(text);
  if (parts.kind != DecimalParts::Kind::finite || parts.magnitude >= 30) {
    return std::nullopt;
  }
  Int128 value = 0;
  Digits digits(parts.digits);
  int digit = digits.next();
  for (std::int64_t power = parts.magnitude; power >= 0; --power) {
    value = value * 10 + (digit < 0 ? 0 : digit);
    digit = digit < 0 ? -1 : digits.next();
  }
  const bool fraction = digit >= 0;
  return parts.negative ? -value - (fraction ? 1 : 0) : value;
}

int compare_numbers(const ValueView& a, const ValueView& b) noexcept {
  const ValueType left = a.type();
  const ValueType right = b.type();
  if (is_integer(left) && is_integer(right)) {
    return sign_of(to_int128(a), to_int128(b));
  }
  if (left == ValueType::decimal && right == ValueType::decimal) {
    return compare_decimals(parse_decimal(a.text()), parse_decimal(b.text()));
  }
  if (right == ValueType::decimal) {
    return compare_to_decimal(a, b.text());
  }
  if (left == ValueType::decimal) {
    return -compare_to_decimal(b, a.text());
  }
  if (is_integer(left)) {
    return compare_int_double(to_int128(a), b.float64());
  }
  if (is_integer(right)) {
    return -compare_int_double(to_int128(b), a.float64());
  }
  return compare_doubles(a.float64(), b.float64());
}

bool is_nan(const ValueView& number) noexcept {
  switch (number.type()) {
    case ValueType::float32:
    case ValueType::float64:
      return std::isnan(number.float64());
    case ValueType::decimal:
      return parse_decimal(number.text()).kind == DecimalParts::Kind::nan;
    default:
      return false;
  }
}

double to_double(const ValueView& number) noexcept {
  switch (number.type()) {
    case ValueType::int64:
      return static_cast<double>(number.int64());
    case ValueType::uint64:
      return static_cast<double>(number.uint64());
    case ValueType::decimal:
      return decimal_to_double(number.text());
    default:
      return number.float64();
  }
}

}  // namespace ustream::query
