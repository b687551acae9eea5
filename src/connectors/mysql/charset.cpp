#include "connectors/mysql/charset.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <iconv.h>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/charset_tables.hpp"

namespace ustream::mysql {
namespace {

using Kind = Charset::Kind;

struct Range {
  std::uint16_t first;
  std::uint16_t last;
  Charset charset;
};

constexpr Charset kBinary{Kind::binary, nullptr, nullptr, false};
constexpr Charset kUtf8{Kind::utf8, nullptr, nullptr, true};
constexpr Charset kUtf16{Kind::utf16be, nullptr, nullptr, false};
constexpr Charset kUtf16le{Kind::utf16le, nullptr, nullptr, false};
constexpr Charset kUtf32{Kind::utf32, nullptr, nullptr, false};

constexpr Charset by(const MultiByteSet& set) {
  return {Kind::multi_byte, nullptr, &set, true};
}
constexpr Charset by(const SingleByteTable& table) {
  return {Kind::single_byte, &table, nullptr, true};
}
constexpr Charset kSwe7{Kind::single_byte, &kSingleByte.swe7, nullptr, false};

// Ordered by `first`.
constexpr std::array kRanges{
    Range{1, 1, by(kBig5)},
    Range{2, 2, by(kSingleByte.latin2)},
    Range{3, 3, by(kSingleByte.dec8)},
    Range{4, 4, by(kSingleByte.cp850)},
    Range{5, 5, by(kSingleByte.latin1)},
    Range{6, 6, by(kSingleByte.hp8)},
    Range{7, 7, by(kSingleByte.koi8r)},
    Range{8, 8, by(kSingleByte.latin1)},
    Range{9, 9, by(kSingleByte.latin2)},
    Range{10, 10, kSwe7},
    Range{11, 11, by(kSingleByte.ascii)},
    Range{12, 12, by(kUjis)},
    Range{13, 13, by(kSjis)},
    Range{14, 14, by(kSingleByte.cp1251)},
    Range{15, 15, by(kSingleByte.latin1)},
    Range{16, 16, by(kSingleByte.hebrew)},
    Range{18, 18, by(kSingleByte.tis620)},
    Range{19, 19, by(kUhc)},
    Range{20, 20, by(kSingleByte.latin7)},
    Range{21, 21, by(kSingleByte.latin2)},
    Range{22, 22, by(kSingleByte.koi8u)},
    Range{23, 23, by(kSingleByte.cp1251)},
    Range{24, 24, by(kGb2312)},
    Range{25, 25, by(kSingleByte.greek)},
    Range{26, 26, by(kSingleByte.cp1250)},
    Range{27, 27, by(kSingleByte.latin2)},
    Range{28, 28, by(kGbk)},
    Range{29, 29, by(kSingleByte.cp1257)},
    Range{30, 30, by(kSingleByte.latin5)},
    Range{31, 31, by(kSingleByte.latin1)},
    Range{32, 32, by(kSingleByte.armscii8)},
    Range{33, 33, kUtf8},
    Range{34, 34, by(kSingleByte.cp1250)},
    Range{35, 35, kUtf16},
    Range{36, 36, by(kSingleByte.cp866)},
    Range{37, 37, by(kSingleByte.keybcs2)},
    Range{38, 38, by(kSingleByte.macce)},
    Range{39, 39, by(kSingleByte.macroman)},
    Range{40, 40, by(kSingleByte.cp852)},
    Range{41, 42, by(kSingleByte.latin7)},
    Range{43, 43, by(kSingleByte.macce)},
    Range{44, 44, by(kSingleByte.cp1250)},
    Range{45, 46, kUtf8},
    Range{47, 49, by(kSingleByte.latin1)},
    Range{50, 52, by(kSingleByte.cp1251)},
    Range{53, 53, by(kSingleByte.macroman)},
    Range{54, 55, kUtf16},
    Range{56, 56, kUtf16le},
    Range{57, 57, by(kSingleByte.cp1256)},
    Range{58, 59, by(kSingleByte.cp1257)},
    Range{60, 61, kUtf32},
    Range{62, 62, kUtf16le},
    Range{63, 63, kBinary},
    Range{64, 64, by(kSingleByte.armscii8)},
    Range{65, 65, by(kSingleByte.ascii)},
    Range{66, 66, by(kSingleByte.cp1250)},
    Range{67, 67, by(kSingleByte.cp1256)},
    Range{68, 68, by(kSingleByte.cp866)},
    Range{69, 69, by(kSingleByte.dec8)},
    Range{70, 70, by(kSingleByte.greek)},
    Range{71, 71, by(kSingleByte.hebrew)},
    Range{72, 72, by(kSingleByte.hp8)},
    Range{73, 73, by(kSingleByte.keybcs2)},
    Range{74, 74, by(kSingleByte.koi8r)},
    Range{75, 75, by(kSingleByte.koi8u)},
    Range{76, 76, kUtf8},
    Range{77, 77, by(kSingleByte.latin2)},
    Range{78, 78, by(kSingleByte.latin5)},
    Range{79, 79, by(kSingleByte.latin7)},
    Range{80, 80, by(kSingleByte.cp850)},
    Range{81, 81, by(kSingleByte.cp852)},
    Range{82, 82, kSwe7},
    Range{83, 83, kUtf8},
    Range{84, 84, by(kBig5)},
    Range{85, 85, by(kUhc)},
    Range{86, 86, by(kGb2312)},
    Range{87, 87, by(kGbk)},
    Range{88, 88, by(kSjis)},
    Range{89, 89, by(kSingleByte.tis620)},
    Range{90, 90, kUtf16},
    Range{91, 91, by(kUjis)},
    Range{92, 93, by(kSingleByte.geostd8)},
    Range{94, 94, by(kSingleByte.latin1)},
    Range{95, 96, by(kCp932)},
    Range{97, 98, by(kEucjpms)},
    Range{99, 99, by(kSingleByte.cp1250)},
    Range{101, 124, kUtf16},
    Range{128, 151, kUtf16},
    Range{159, 159, kUtf16},
    Range{160, 183, kUtf32},
    Range{192, 215, kUtf8},
    Range{223, 247, kUtf8},
    Range{248, 250, by(kGb18030)},
    Range{255, 323, kUtf8},
    Range{576, 578, kUtf8},
    Range{608, 610, kUtf8},
    Range{640, 642, kUtf16},
    Range{672, 674, kUtf16},
    Range{736, 738, kUtf32},
    // MariaDB's UCA 14.0.0 collations have 256 numbers for each character set.
    Range{2048, 2559, kUtf8},
    Range{2560, 2815, kUtf16},
    Range{2816, 3071, kUtf16},
    Range{3072, 3327, kUtf32},
};
static_assert(std::is_sorted(kRanges.begin(), kRanges.end(),
                             [](const Range& a, const Range& b) { return a.last < b.first; }));

/// MariaDB numbers the NO PAD form of a collation as this plus the collation's own number.
constexpr std::uint32_t kNoPad = 0x400;

void append_code_point(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto continuation = [&](unsigned shift) { put(0x80U | ((c >> shift) & 0x3fU)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0U | (c >> 6U));
    continuation(0);
  } else if (c < 0x10000) {
    put(0xe0U | (c >> 12U));
    continuation(6);
    continuation(0);
  } else {
    put(0xf0U | (c >> 18U));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

/// Where code points go: into text, or nowhere.
struct Append {
  std::string* out;
  void operator()(std::uint32_t c) const { append_code_point(*out, c); }
};
struct Ignore {
  void operator()(std::uint32_t /*c*/) const {}
};

template <class Take>
bool read_single_byte(std::string_view text, const SingleByteTable& table, Take take) {
  for (const char byte : text) {
    const auto c = static_cast<unsigned char>(byte);
    const HalfTable* const half = c < 0x80 ? table.low : table.high;
    if (half == nullptr && c >= 0x80) {
      return false;
    }
    const char16_t character = half == nullptr ? char16_t{c} : (*half)[c & 0x7fU];
    if (character == 0 && c != 0) {
      return false;
    }
    take(character);
  }
  return true;
}

template <class Take>
bool read_utf16(std::string_view text, bool is_big_endian, Take take) {
  if (text.size() % 2 != 0) {
    return false;
  }
  const auto unit_at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(is_big_endian ? big_endian_at(text.data() + i, 2)
                                                    : little_endian_at(text.data() + i, 2));
  };
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint32_t c = unit_at(i);
    if (c >= 0xd800 && c < 0xe000) {
      const std::uint32_t low = c < 0xdc00 && i + 2 < text.size() ? unit_at(i + 2) : 0;
      if (low < 0xdc00 || low >= 0xe000) {
        return false;
      }
      c = 0x10000 + ((c - 0xd800) << 10U) + (low - 0xdc00);
      i += 2;
    }
    take(c);
  }
  return true;
}

template <class Take>
bool read_utf32(std::string_view text, Take take) {
  if (text.size() % 4 != 0) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const auto c = static_cast<std::uint32_t>(big_endian_at(text.data() + i, 4));
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
      return false;
    }
    take(c);
  }
  return true;
}

/// iconv's converter, for one text.
class Converter {
 public:
  explicit Converter(const char* from) : handle_(::iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (ok()) {
      ::iconv_close(handle_);
    }
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  [[nodiscard]] bool ok() const noexcept {
    // That is how iconv_open says no. NOLINTNEXTLINE(performance-no-int-to-ptr)
    return handle_ != reinterpret_cast<iconv_t>(-1);
  }
  [[nodiscard]] bool append(std::string& out, std::string_view text) {
    // iconv does not write to its input; its type is from before const.
    char* from = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    std::size_t left = text.size();
    std::array<char, 4096> buffer{};
    while (left > 0) {
      char* to = buffer.data();
      std::size_t room = buffer.size();
      const bool done = ::iconv(handle_, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
      if (!done && errno != E2BIG) {
        return false;
      }
      out.append(buffer.data(), buffer.size() - room);
    }
    return true;
  }

 private:
  iconv_t handle_;
};

const Exception* exception_of(const MultiByteSet& set, std::uint32_t code) noexcept {
  for (std::size_t i = 0; i < set.exception_count; ++i) {
    const Exception& exception = set.exceptions[i];
    if (code >= exception.first && code - exception.first < exception.count) {
      return &exception;
    }
  }
  return nullptr;
}

/// What is no exception goes through iconv, in stretches as long as can be.
bool append_with_exceptions(std::string& out, std::string_view text, const MultiByteSet& set,
                            Converter& converter) {
  std::size_t start = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = set.length(static_cast<unsigned char>(text[at]));
    if (length > text.size() - at) {
      return false;
    }
    const auto code = static_cast<std::uint32_t>(big_endian_at(text.data() + at, length));
    if (const Exception* exception = exception_of(set, code)) {
      if (!converter.append(out, text.substr(start, at - start))) {
        return false;
      }
      append_code_point(out, exception->to + (code - exception->first));
      start = at + length;
    }
    at += length;
  }
  return converter.append(out, text.substr(start));
}

bool append_multi_byte(std::string& out, std::string_view text, const MultiByteSet& set) {
  Converter converter(set.iconv_name);
  if (!converter.ok()) {
    return false;
  }
  const std::size_t before = out.size();
  const bool good = set.exception_count == 0 ? converter.append(out, text)
                                             : append_with_exceptions(out, text, set, converter);
  if (!good) {
    out.resize(before);
  }
  return good;
}

bool is_ascii(std::string_view text) noexcept {
  std::uint64_t bits = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    bits |= little_endian_at(text.data() + i, 8);
  }
  for (; i < text.size(); ++i) {
    bits |= static_cast<unsigned char>(text[i]);
  }
  return (bits & 0x8080808080808080U) == 0;
}

/// The sets that need no converter.
template <class Take>
bool read_simple(std::string_view text, const Charset& charset, Take take) {
  switch (charset.kind) {
    case Kind::single_byte:
      return read_single_byte(text, *charset.table, take);
    case Kind::utf16be:
      return read_utf16(text, true, take);
    case Kind::utf16le:
      return read_utf16(text, false, take);
    case Kind::utf32:
      return read_utf32(text, take);
    default:
      return false;
  }
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
  if (charset.is_ascii_based && is_ascii(text)) {
    out += text;
    return true;
  }
  switch (charset.kind) {
    case Kind::utf8:
      if (!is_valid_utf8(text)) {
        return false;
      }
      out += text;
      return true;
    case Kind::multi_byte:
      return append_multi_byte(out, text, *charset.multi);
    default:
      break;
  }
  const std::size_t before = out.size();
  const bool good = read_simple(text, charset, Append{&out});
  if (!good) {
    out.resize(before);
  }
  return good;
}

bool is_text_of(std::string_view text, const Charset& charset) {
  if (charset.is_ascii_based && is_ascii(text)) {
    return true;
  }
  switch (charset.kind) {
    case Kind::utf8:
      return is_valid_utf8(text);
    case Kind::multi_byte: {
      std::string converted;
      return append_multi_byte(converted, text, *charset.multi);
    }
    default:
      return read_simple(text, charset, Ignore{});
  }
}

}  // namespace ustream::mysql
