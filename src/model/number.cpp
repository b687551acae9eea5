#include "model/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <type_traits>

namespace ustream::model {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t i) noexcept {
  while (i < text.size() && is_digit(text[i])) {
    ++i;
  }
  return i;
}

/// From `i`, behind the integer part: past a fraction and an exponent; npos when one is malformed.
std::size_t skip_fraction_and_exponent(std::string_view text, std::size_t i) noexcept {
  if (i < text.size() && text[i] == '.') {
    const std::size_t digits = i + 1;
    i = skip_digits(text, digits);
    if (i == digits) {
      return std::string_view::npos;
    }
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
      ++i;
    }
    const std::size_t digits = i;
    i = skip_digits(text, digits);
    if (i == digits) {
      return std::string_view::npos;
    }
  }
  return i;
}

/// A decimal number as 0.DIGITS * 10^exponent with no zero at either end of DIGITS.
struct Normalized {
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Normalized&) const = default;
};

/// The magnitude of a JSON number. An exponent beyond any text's length is held at a bound.
Normalized normalize(std::string_view text) {
  constexpr std::int64_t kExponentBound = std::int64_t{1} << 50;
  Normalized result;
  std::size_t i = text.starts_with('-') ? 1 : 0;
  bool after_point = false;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      after_point = true;
      continue;
    }
    if (!after_point) {
      ++result.exponent;
    }
    if (result.digits.empty() && text[i] == '0') {
      --result.exponent;
    } else {
      result.digits += text[i];
    }
  }
  result.digits.erase(result.digits.find_last_not_of('0') + 1);
  if (result.digits.empty()) {
    return {};
  }
  if (i < text.size()) {
    ++i;
    const bool negative = text[i] == '-';
    i += (negative || text[i] == '+') ? 1 : 0;
    std::int64_t exponent = 0;
    for (; i < text.size() && exponent < kExponentBound; ++i) {
      exponent = exponent * 10 + (text[i] - '0');
    }
    result.exponent += negative ? -exponent : exponent;
  }
  return result;
}

template <class Float>
void append_floating(std::string& out, Float value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : (value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  char text[40];
  const char* const end = std::to_chars(text, text + sizeof text, value).ptr;
  const std::string_view digits(text, static_cast<std::size_t>(end - text));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) {
    out += ".0";
  }
}

template <class Int>
void append_integer(std::string& out, Int value) {
  char text[24];
  const char* const end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, static_cast<std::size_t>(end - text));
}

Value value_of_real(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && std::isfinite(number)) {
    std::string shortest;
    append_double(shortest, number);
    if (shortest == text || normalize(shortest) == normalize(text)) {
      return number;
    }
  } else if (normalize(text).digits.empty()) {
    return text.starts_with('-') ? -0.0 : 0.0;
  }
  return Decimal{std::string(text)};
}

}  // namespace

std::size_t json_number_length(std::string_view text) noexcept {
  std::size_t i = text.starts_with('-') ? 1 : 0;
  if (i == text.size() || !is_digit(text[i])) {
    return 0;
  }
  i = text[i] == '0' ? i + 1 : skip_digits(text, i);
  i = skip_fraction_and_exponent(text, i);
  return i == std::string_view::npos ? 0 : i;
}

Value value_of_number(std::string_view text) {
  if (text.find_first_of(".eE") != std::string_view::npos) {
    return value_of_real(text);
  }
  if (const auto number = parse_exactly<std::int64_t>(text)) {
    return *number;
  }
  if (const auto number = parse_exactly<std::uint64_t>(text)) {
    return *number;
  }
  return Decimal{std::string(text)};
}

std::optional<Value> canonical_number(std::string_view text) {
  if (text.empty() || json_number_length(text) != text.size()) {
    return std::nullopt;
  }
  Value number = value_of_number(text);
  std::string canonical;
  if (const auto* v = number.get_if<std::int64_t>()) {
    append_int(canonical, *v);
  } else if (const auto* d = number.get_if<double>()) {
    append_double(canonical, *d);
  } else {
    return number;  // a JSON integer beyond int64 has one text; a decimal keeps its own
  }
  if (canonical != text) {
    return std::nullopt;
  }
  return number;
}

bool is_decimal_text(std::string_view text) noexcept {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    return true;
  }
  const std::size_t start = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const std::size_t point = skip_digits(text, start);
  return point != start && skip_fraction_and_exponent(text, point) == text.size();
}

double double_of_decimal(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (text == "Infinity" || text == "-Infinity") {
    return negative ? -HUGE_VAL : HUGE_VAL;
  }
  if (text == "NaN" || !is_decimal_text(text)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{}) {
    return number;
  }
  // Out of range, to either side: beyond one it is infinite, below one it is zero.
  const std::size_t first = text.find_first_of("123456789");
  const std::size_t exponent = text.find_first_of("eE");
  const std::size_t point = std::min(text.find('.'), exponent);
  const bool tiny = exponent != std::string_view::npos ? text[exponent + 1] == '-' : first > point;
  const double magnitude = tiny ? 0.0 : HUGE_VAL;
  return negative ? -magnitude : magnitude;
}

void append_int(std::string& out, std::int64_t value) {
  append_integer(out, value);
}
void append_uint(std::string& out, std::uint64_t value) {
  append_integer(out, value);
}
void append_double(std::string& out, double value) {
  append_floating(out, value);
}
void append_float(std::string& out, float value) {
  append_floating(out, value);
}

template <class T>
std::optional<T> parse_exactly(std::string_view text) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    if (text == "NaN") {
      return std::numeric_limits<T>::quiet_NaN();
    }
    if (text == "Infinity") {
      return std::numeric_limits<T>::infinity();
    }
    if (text == "-Infinity") {
      return -std::numeric_limits<T>::infinity();
    }
    if (text.empty() || json_number_length(text) != text.size()) {
      return std::nullopt;  // from_chars would take "inf" and "nan(…)", too
    }
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

template std::optional<std::int64_t> parse_exactly<std::int64_t>(std::string_view) noexcept;
template std::optional<std::uint64_t> parse_exactly<std::uint64_t>(std::string_view) noexcept;
template std::optional<float> parse_exactly<float>(std::string_view) noexcept;
template std::optional<double> parse_exactly<double>(std::string_view) noexcept;

}  // namespace ustream::model
