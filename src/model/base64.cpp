#include "model/base64.hpp"

#include <array>
#include <cstdint>

#include "ustream/json.hpp"

namespace ustream {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kInvalid = 0xff;
using DecodeTable = std::array<std::uint8_t, 256>;

constexpr DecodeTable decode_table(std::string_view alphabet) {
  DecodeTable table{};
  table.fill(kInvalid);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr DecodeTable kStandardTable = decode_table(kStandard);
constexpr DecodeTable kUrlTable = decode_table(kUrl);

/// Appends the characters that carry bits, without padding.
void encode(std::string& out, std::string_view bytes, std::string_view alphabet) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() * 4 + 2) / 3);
  char* p = out.data() + start;
  const auto byte = [&bytes](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    *p++ = alphabet[bits >> 18];
    *p++ = alphabet[(bits >> 12) & 63];
    *p++ = alphabet[(bits >> 6) & 63];
    *p++ = alphabet[bits & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest > 0) {
    const std::uint32_t bits = (byte(i) << 16) | (rest == 2 ? byte(i + 1) << 8 : 0);
    *p++ = alphabet[bits >> 18];
    *p++ = alphabet[(bits >> 12) & 63];
    if (rest == 2) {
      *p++ = alphabet[(bits >> 6) & 63];
    }
  }
}

/// Decodes characters that carry bits; `text` has no padding.
bool decode(std::string_view text, std::string& out, const DecodeTable& table) {
  if (text.size() % 4 == 1) {
    return false;
  }
  const std::size_t start = out.size();
  out.reserve(start + text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t value = table[static_cast<unsigned char>(c)];
    if (value == kInvalid) {
      out.resize(start);
      return false;
    }
    bits = ((bits << 6) | value) & 0xffffu;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(static_cast<unsigned char>(bits >> count));
    }
  }
  if ((bits & ((1u << count) - 1u)) != 0) {
    out.resize(start);
    return false;
  }
  return true;
}

}  // namespace

namespace model {

void append_base64url(std::string& out, std::string_view bytes) {
  encode(out, bytes, kUrl);
}

bool decode_base64url(std::string_view text, std::string& out) {
  return decode(text, out, kUrlTable);
}

}  // namespace model

void append_base64(std::string& out, std::string_view bytes) {
  encode(out, bytes, kStandard);
  out.append((3 - bytes.size() % 3) % 3, '=');
}

bool decode_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) {
    return false;
  }
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
    text.remove_suffix(1);
  }
  return decode(text, out, kStandardTable);
}

}  // namespace ustream
