#include "connectors/mysql/charset.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <iconv.h>

#include "ustream/json.hpp"

namespace ustream::mysql {
namespace {

using Kind = Charset::Kind;

struct Range {
  std::uint16_t first;
  std::uint16_t last;
  Charset charset;
};

constexpr Charset kBinary{Kind::binary, nullptr};
constexpr Charset kUtf8{Kind::utf8, nullptr};
constexpr Charset kLatin1{Kind::latin1, nullptr};

constexpr Charset by(const char* name) {
  return {Kind::other, name};
}

// Ordered by `first`. Numbers with no converter in the C library (swe7, geostd8, dec8, …) are left
// out: their text is told as undecodable instead of guessed.
constexpr std::array kRanges{
    Range{1, 1, by("BIG5")},
    Range{2, 2, by("ISO-8859-2")},
    Range{4, 4, by("CP850")},
    Range{5, 5, kLatin1},
    Range{6, 6, by("HP-ROMAN8")},
    Range{7, 7, by("KOI8-R")},
    Range{8, 8, kLatin1},
    Range{9, 9, by("ISO-8859-2")},
    Range{11, 11, kUtf8},
    Range{12, 12, by("EUC-JP")},
    Range{13, 13, by("SHIFT_JIS")},
    Range{14, 14, by("CP1251")},
    Range{15, 15, kLatin1},
    Range{16, 16, by("ISO-8859-8")},
    Range{18, 18, by("TIS-620")},
    Range{19, 19, by("EUC-KR")},
    Range{20, 20, by("ISO-8859-13")},
    Range{21, 21, by("ISO-8859-2")},
    Range{22, 22, by("KOI8-U")},
    Range{23, 23, by("CP1251")},
    Range{24, 24, by("EUC-CN")},
    Range{25, 25, by("ISO-8859-7")},
    Range{26, 26, by("CP1250")},
    Range{27, 27, by("ISO-8859-2")},
    Range{28, 28, by("CP936")},
    Range{29, 29, by("CP1257")},
    Range{30, 30, by("ISO-8859-9")},
    Range{31, 31, kLatin1},
    Range{33, 33, kUtf8},
    Range{34, 34, by("CP1250")},
    Range{35, 35, by("UCS-2BE")},
    Range{36, 36, by("CP866")},
    Range{38, 38, by("MAC-CENTRALEUROPE")},
    Range{39, 39, by("MACINTOSH")},
    Range{40, 40, by("CP852")},
    Range{41, 42, by("ISO-8859-13")},
    Range{43, 43, by("MAC-CENTRALEUROPE")},
    Range{44, 44, by("CP1250")},
    Range{45, 46, kUtf8},
    Range{47, 49, kLatin1},
    Range{50, 52, by("CP1251")},
    Range{53, 53, by("MACINTOSH")},
    Range{54, 55, by("UTF-16BE")},
    Range{56, 56, by("UTF-16LE")},
    Range{57, 57, by("CP1256")},
    Range{58, 59, by("CP1257")},
    Range{60, 61, by("UTF-32BE")},
    Range{62, 62, by("UTF-16LE")},
    Range{63, 63, kBinary},
    Range{65, 65, kUtf8},
    Range{66, 66, by("CP1250")},
    Range{67, 67, by("CP1256")},
    Range{68, 68, by("CP866")},
    Range{70, 70, by("ISO-8859-7")},
    Range{71, 71, by("ISO-8859-8")},
    Range{72, 72, by("HP-ROMAN8")},
    Range{74, 74, by("KOI8-R")},
    Range{75, 75, by("KOI8-U")},
    Range{76, 76, kUtf8},
    Range{77, 77, by("ISO-8859-2")},
    Range{78, 78, by("ISO-8859-9")},
    Range{79, 79, by("ISO-8859-13")},
    Range{80, 80, by("CP850")},
    Range{81, 81, by("CP852")},
    Range{83, 83, kUtf8},
    Range{84, 84, by("BIG5")},
    Range{85, 85, by("EUC-KR")},
    Range{86, 86, by("EUC-CN")},
    Range{87, 87, by("CP936")},
    Range{88, 88, by("SHIFT_JIS")},
    Range{89, 89, by("TIS-620")},
    Range{90, 90, by("UCS-2BE")},
    Range{91, 91, by("EUC-JP")},
    Range{94, 94, kLatin1},
    Range{95, 96, by("CP932")},
    Range{97, 98, by("EUC-JP-MS")},
    Range{99, 99, by("CP1250")},
    Range{101, 124, by("UTF-16BE")},
    Range{128, 151, by("UCS-2BE")},
    Range{159, 159, by("UCS-2BE")},
    Range{160, 183, by("UTF-32BE")},
    Range{192, 215, kUtf8},
    Range{223, 247, kUtf8},
    Range{248, 250, by("GB18030")},
    Range{255, 323, kUtf8},
    Range{576, 578, kUtf8},
    Range{608, 610, kUtf8},
    Range{640, 642, by("UCS-2BE")},
    Range{672, 674, by("UTF-16BE")},
    Range{736, 738, by("UTF-32BE")},
    // MariaDB's UCA 14.0.0 collations have 256 numbers for each character set.
    Range{2048, 2559, kUtf8},
    Range{2560, 2815, by("UCS-2BE")},
    Range{2816, 3071, by("UTF-16BE")},
    Range{3072, 3327, by("UTF-32BE")},
};
static_assert(std::is_sorted(kRanges.begin(), kRanges.end(),
                             [](const Range& a, const Range& b) { return a.last < b.first; }));

/// MariaDB numbers the NO PAD form of a collation as this plus the collation's own number.
constexpr std::uint32_t kNoPad = 0x400;

// Windows-1252, 0x80 to 0x9f.
constexpr std::array<char16_t, 32> kWindows1252{
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

void append_code_point(std::string& out, char16_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

void append_latin1(std::string& out, std::string_view text) {
  for (const char byte : text) {
    const auto c = static_cast<unsigned char>(byte);
    append_code_point(out, c >= 0x80 && c < 0xa0 ? kWindows1252[c - 0x80U] : char16_t{c});
  }
}

bool append_converted(std::string& out, std::string_view text, const char* charset) {
  iconv_t converter = ::iconv_open("UTF-8", charset);
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    return false;
  }
  const std::size_t before = out.size();
  std::array<char, 4096> buffer{};
  // iconv does not write to its input; its type is from before const.
  char* from = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  std::size_t left = text.size();
  bool good = true;
  while (left > 0 && good) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    good = ::iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1) ||
           errno == E2BIG;
    out.append(buffer.data(), buffer.size() - room);
  }
  ::iconv_close(converter);
  if (!good) {
    out.resize(before);
  }
  return good;
}

}  // namespace

Charset charset_of(std::uint32_t collation) noexcept {
  if (collation > kNoPad && collation < 2 * kNoPad) {
    collation -= kNoPad;
  }
  const auto* found = std::lower_bound(
      kRanges.begin(), kRanges.end(), collation,
      [](const Range& range, std::uint32_t number) { return range.last < number; });
  return found != kRanges.end() && collation >= found->first ? found->charset : Charset{};
}

bool append_utf8(std::string& out, std::string_view text, const Charset& charset) {
  switch (charset.kind) {
    case Kind::utf8:
      if (!is_valid_utf8(text)) {
        return false;
      }
      out += text;
      return true;
    case Kind::latin1:
      append_latin1(out, text);
      return true;
    case Kind::other:
      return append_converted(out, text, charset.iconv_name);
    case Kind::binary:
    case Kind::unknown:
      break;
  }
  return false;
}

}  // namespace ustream::mysql
