#include "model/utf8.hpp"

#include <cstdint>
#include <cstring>

#include "ustream/json.hpp"

namespace ustream::model {

std::size_t utf8_sequence(const char* text, const char* end) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const auto available = static_cast<std::size_t>(end - text);
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xc2 || lead > 0xf4) {
    return 0;
  }
  if (lead < 0xe0) {
    return available >= 2 && continues(1) ? 2 : 0;
  }
  if (lead < 0xf0) {
    if (available < 3 || !continues(1) || !continues(2)) {
      return 0;
    }
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (available < 4 || !continues(1) || !continues(2) || !continues(3)) {
    return 0;
  }
  const bool overlong = lead == 0xf0 && byte(1) < 0x90;
  const bool too_large = lead == 0xf4 && byte(1) >= 0x90;
  return overlong || too_large ? 0 : 4;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&out](char32_t byte) {
    out += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3f));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

}  // namespace ustream::model

namespace ustream {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

std::uint64_t word_at(const char* p) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// Past ASCII as far as it goes in steps of eight bytes, or to the end.
const char* skip_ascii(const char* p, const char* end) noexcept {
  while (end - p >= 32) {
    if (((word_at(p) | word_at(p + 8) | word_at(p + 16) | word_at(p + 24)) & kHighBits) != 0) {
      break;
    }
    p += 32;
  }
  while (end - p >= 8 && (word_at(p) & kHighBits) == 0) {
    p += 8;
  }
  if (end - p < 8) {
    while (p != end && static_cast<unsigned char>(*p) < 0x80) {
      ++p;
    }
  }
  return p;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    p = skip_ascii(p, end);
    if (p == end) {
      break;
    }
    const std::size_t length = model::utf8_sequence(p, end);
    if (length == 0) {
      return false;
    }
    p += length;
  }
  return true;
}

}  // namespace ustream
