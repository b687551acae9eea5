// Numbers of all types compared exactly: nothing is rounded through double.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ustream/value.hpp"

namespace ustream::query {

__extension__ typedef __int128 Int128;  // NOLINT(modernize-use-using): an alias can't say extension

/// Decimal text taken apart; views into the text. What is no decimal at all counts as NaN.
struct DecimalParts {
  enum class Kind : std::uint8_t { finite, infinity, nan };
  Kind kind = Kind::nan;
  bool negative = false;
  /// From the first to the last digit that is not 0, perhaps with a point within; empty for zero.
  std::string_view digits;
  /// The value is d.ddd × 10^magnitude of those digits.
  std::int64_t magnitude = 0;
  /// Digits after the point as written, not below 0.
  std::int64_t scale = 0;

  [[nodiscard]] bool zero() const noexcept { return kind == Kind::finite && digits.empty(); }
};

/// Never throws; reads sign, digits, point, exponent, "NaN" and "Infinity" ("Inf").
[[nodiscard]] DecimalParts parse_decimal(std::string_view text) noexcept;

/// -1, 0, 1. NaN equals NaN and is less than every other number. REQUIRES that both are numbers.
[[nodiscard]] int compare_numbers(const ValueView& a, const ValueView& b) noexcept;
[[nodiscard]] int compare_decimals(const DecimalParts& a, const DecimalParts& b) noexcept;
[[nodiscard]] int compare_decimal_double(std::string_view a, double b) noexcept;

/// REQUIRES a number.
[[nodiscard]] bool is_nan(const ValueView& number) noexcept;
/// The nearest double. REQUIRES a number.
[[nodiscard]] double to_double(const ValueView& number) noexcept;
[[nodiscard]] double decimal_to_double(std::string_view text) noexcept;
/// The largest integer that is not above the decimal, where that has at most 30 digits.
[[nodiscard]] std::optional<Int128> decimal_floor(std::string_view text) noexcept;

[[nodiscard]] constexpr bool is_number(ValueType type) noexcept {
  return type >= ValueType::int64 && type <= ValueType::decimal;
}
[[nodiscard]] constexpr bool is_integer(ValueType type) noexcept {
  return type == ValueType::int64 || type == ValueType::uint64;
}
/// REQUIRES int64 or uint64.
[[nodiscard]] inline Int128 to_int128(const ValueView& integer) noexcept {
  return integer.type() == ValueType::int64 ? Int128{integer.int64()} : Int128{integer.uint64()};
}

}  // namespace ustream::query
