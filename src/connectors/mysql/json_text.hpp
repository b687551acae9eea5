// MySQL's binary JSON as text.
#pragma once

#include <string>
#include <string_view>

namespace ustream::mysql {

/// Appends the JSON text of a value of a JSON column, as the server prints it: a space behind each
/// colon and comma, integers and decimals with all digits, doubles in the server's notation, dates
/// and times as strings, other opaque values as "base64:type…:…" strings. False when the bytes are
/// damaged or nested deeper than kMaxJsonDepth; `out` then holds a part. Source: json_dom.cc
/// (wrapper_to_string), dtoa.cc (my_gcvt). Pure.
[[nodiscard]] bool append_json_text(std::string& out, std::string_view binary);

/// Whether append_json_text would succeed; writes nothing.
[[nodiscard]] bool is_json_binary(std::string_view binary);

}  // namespace ustream::mysql
