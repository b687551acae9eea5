// JSON of values, as docs/values.md states it: exact in both directions.
#pragma once

#include <string>
#include <string_view>

#include "ustream/value.hpp"

namespace ustream {

/// Limits on JSON text that comes from outside.
struct JsonLimits {
  std::size_t max_depth = 100;         ///< nesting of arrays and objects
  std::size_t max_bytes = 64u << 20u;  ///< of the text
};

/// Parses one JSON text (RFC 8259).
///
/// Integers become int64, or uint64 where only that holds them; numbers with a point or an exponent
/// become float64 when the shortest text of that double has the same value as the digits given,
/// else decimal, so no digit is lost; integers outside 64 bits become decimal.
/// Numbers beyond the range of a double are refused. An object of the one
/// form {"$type":T,"text":X} becomes what `write_json` wrote it from: extended, or for T "bytes" (X
/// base64) bytes, "decimal", "date", "time", "timestamp", "datetime", "uuid", "objectid" and the
/// other names of to_string(ValueType) the typed value. Duplicate member names are an error. Throws
/// ValidationError which names the offset. Thread-safe.
[[nodiscard]] Value parse_json(std::string_view text, const JsonLimits& limits = {});

/// Appends the JSON of a value: docs/values.md. A string that is not valid UTF-8 throws
/// ValidationError. Thread-safe.
void write_json(std::string& out, const ValueView& value);
[[nodiscard]] std::string to_json(const ValueView& value);

/// Appends a JSON string, quoted and escaped. REQUIRES valid UTF-8 (checked: throws
/// ValidationError).
void write_json_string(std::string& out, std::string_view text);

/// True if `text` is valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// RFC 4648 base64 with padding; decode returns false on bad input.
void append_base64(std::string& out, std::string_view bytes);
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

}  // namespace ustream
