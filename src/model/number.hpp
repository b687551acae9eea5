// Numbers as text: exact in both directions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/value.hpp"

namespace ustream::model {

/// Length of the JSON number (RFC 8259, section 6) at the start of `text`, or 0.
[[nodiscard]] std::size_t json_number_length(std::string_view text) noexcept;

/// int64, uint64 where only that holds it, float64 where no digit is lost, else decimal.
/// REQUIRES that `text` is one JSON number.
[[nodiscard]] Value value_of_number(std::string_view text);

/// The number whose canonical text this is, or nullopt: `1`, `1.0`, `1e+30`, but not `01` or `1e2`.
[[nodiscard]] std::optional<Value> canonical_number(std::string_view text);

/// An optional sign, digits, an optional fraction and exponent; also NaN, Infinity, -Infinity.
[[nodiscard]] bool is_decimal_text(std::string_view text) noexcept;

/// The nearest double; infinity beyond its range, and NaN for text that is no decimal.
[[nodiscard]] double double_of_decimal(std::string_view text) noexcept;

void append_int(std::string& out, std::int64_t value);
void append_uint(std::string& out, std::uint64_t value);
/// The shortest text that reads back equal, with a point or an exponent; NaN, Infinity, -Infinity.
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);

/// The whole of `text` as a number of type T, or nullopt. For floating types also the names that
/// append_double writes.
template <class T>
[[nodiscard]] std::optional<T> parse_exactly(std::string_view text) noexcept;

}  // namespace ustream::model
