// Character sets of MySQL and MariaDB, and text in them as UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ustream::mysql {

/// How the bytes of a text column are read.
struct Charset {
  enum class Kind : std::uint8_t {
    binary,   ///< no text
    utf8,     ///< utf8mb3, utf8mb4, ascii: as they stand
    latin1,   ///< Windows-1252, whose five undefined bytes are C1 controls to the server
    other,    ///< converted by `iconv_name`
    unknown,  ///< no collation of this number is known here
  };
  Kind kind = Kind::unknown;
  const char* iconv_name = nullptr;
};

/// The character set of a collation's number, MariaDB's own included (information_schema.COLLATIONS
/// of MySQL 9.7 and MariaDB 11.8).
[[nodiscard]] Charset charset_of(std::uint32_t collation) noexcept;

/// Appends `text` as UTF-8. False, with `out` as it was, when the bytes are no text of the charset,
/// or nothing here converts it. REQUIRES kind != binary. Thread-safe.
[[nodiscard]] bool append_utf8(std::string& out, std::string_view text, const Charset& charset);

}  // namespace ustream::mysql
