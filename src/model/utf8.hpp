// UTF-8, one sequence at a time.
#pragma once

#include <cstddef>
#include <string>

namespace ustream::model {

/// Length in bytes of the valid sequence at `text`, or 0 when there is none: Unicode 15, table 3-7
/// (no surrogates, no overlong forms, at most U+10FFFF). REQUIRES text < end.
[[nodiscard]] std::size_t utf8_sequence(const char* text, const char* end) noexcept;

/// REQUIRES a code point that is no surrogate and at most U+10FFFF.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace ustream::model
