// Base-128 integers of our own formats: seven bits a byte, the lowest first (LEB128).
#pragma once

#include <cstdint>
#include <string>

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) {
    out += static_cast<char>(value | 0x80U);
  }
  out += static_cast<char>(value);
}

/// Bits beyond 64 are dropped; what is cut short makes the reader not ok().
inline std::uint64_t get_varint(ByteReader& reader) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = reader.u8();
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) {
      break;
    }
  }
  return value;
}

}  // namespace ustream::mysql
