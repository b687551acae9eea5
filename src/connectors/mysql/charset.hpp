// Character sets of MySQL and MariaDB, and text in them as UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ustream::mysql {

struct SingleByteTable;
struct MultiByteSet;

/// How the bytes of a text column are read.
struct Charset {
  enum class Kind : std::uint8_t {
    binary,       ///< no text
    utf8,         ///< utf8mb3, utf8mb4: as they stand
    single_byte,  ///< by `table`
    utf16be,      ///< utf16; also ucs2, which is utf16 without pairs
    utf16le,
    utf32,
    multi_byte,  ///< by `multi`: those of East Asia
    unknown,     ///< no collation of this number is known here
  };
  Kind kind = Kind::unknown;
  const SingleByteTable* table = nullptr;
  const MultiByteSet* multi = nullptr;
  /// Text of bytes below 0x80 alone is ASCII.
  bool is_ascii_based = false;
};

/// The character set of a collation's number, MariaDB's own included (information_schema.COLLATIONS
/// of MySQL 9.7 and MariaDB 11.8).
[[nodiscard]] Charset charset_of(std::uint32_t collation) noexcept;

/// Appends `text` as UTF-8, the characters being those that the server itself converts to. False,
/// with `out` as it was, when the bytes are no text of the charset, or nothing here converts it.
/// REQUIRES kind != binary. Thread-safe.
[[nodiscard]] bool append_utf8(std::string& out, std::string_view text, const Charset& charset);
/// Whether append_utf8 would succeed.
[[nodiscard]] bool is_text_of(std::string_view text, const Charset& charset);

}  // namespace ustream::mysql
