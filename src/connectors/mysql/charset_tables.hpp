// The character sets of both servers that are no Unicode.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ustream::mysql {

using HalfTable = std::array<char16_t, 128>;

struct SingleByteTable {
  const HalfTable* low;   ///< of 0x00 to 0x7f; null: ASCII
  const HalfTable* high;  ///< of 0x80 to 0xff; null: no characters
};

struct SingleByteTables {
  SingleByteTable armscii8, cp1250, cp1251, cp1256, cp1257, cp850, cp852, cp866, dec8, geostd8,
      greek, hebrew, hp8, keybcs2, koi8r, koi8u, latin1, latin2, latin5, latin7, macce, macroman,
      swe7, tis620, ascii;
};
extern const SingleByteTables kSingleByte;

/// `count` characters from the one of code `first` are those from `to`.
struct Exception {
  std::uint32_t first;  ///< its bytes, the first the highest
  char16_t to;
  std::uint16_t count;
};

struct MultiByteSet {
  const char* iconv_name;
  const Exception* exceptions;
  std::size_t exception_count;
  /// Bytes of a character by its first; null where there are no exceptions.
  std::size_t (*length)(unsigned char lead) noexcept;
};
extern const MultiByteSet kBig5, kSjis, kUjis, kEucjpms, kCp932, kUhc, kGb2312, kGbk, kGb18030;

}  // namespace ustream::mysql
