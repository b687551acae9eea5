// RFC 4648: base64 (section 4), and base64url without padding (section 5) for cursors.
#pragma once

#include <string>
#include <string_view>

namespace ustream::model {

void append_base64url(std::string& out, std::string_view bytes);
/// Appends to `out`. False, with `out` as it was, on any other character, padding, or bits that no
/// encoder leaves behind: each byte string has exactly one text.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);

}  // namespace ustream::model
