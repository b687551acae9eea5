// MySQL's binary JSON as text.
#pragma once

#include <string>
#include <string_view>

namespace ustream::mysql {

/// Appends the JSON text of a value of a JSON column as the server stores it. Integers and decimals
/// keep all digits; dates and times become strings as the server prints them, other opaque values
/// "base64:type…:…" strings as CAST(… AS CHAR) has them. False when the bytes are damaged or nested
/// deeper than 150 (the server's limit is 100); `out` then holds a part. Source:
/// sql-common/json_binary.h of MySQL. Pure.
[[nodiscard]] bool append_json_text(std::string& out, std::string_view binary);

}  // namespace ustream::mysql
