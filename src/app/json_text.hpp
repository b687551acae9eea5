// JSON text made readable: spaces, line breaks, colours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ustream::app {

/// ANSI sequences, or nothing where colours are not wanted.
class Palette {
 public:
  enum class Use : std::uint8_t { plain, coloured };
  explicit Palette(Use use) noexcept : coloured_(use == Use::coloured) {}

  [[nodiscard]] std::string_view reset() const noexcept { return code("\033[0m"); }
  [[nodiscard]] std::string_view dim() const noexcept { return code("\033[2m"); }
  [[nodiscard]] std::string_view bold() const noexcept { return code("\033[1m"); }
  [[nodiscard]] std::string_view red() const noexcept { return code("\033[31m"); }
  [[nodiscard]] std::string_view green() const noexcept { return code("\033[32m"); }
  [[nodiscard]] std::string_view yellow() const noexcept { return code("\033[33m"); }
  [[nodiscard]] std::string_view blue() const noexcept { return code("\033[34m"); }
  [[nodiscard]] std::string_view cyan() const noexcept { return code("\033[36m"); }

 private:
  [[nodiscard]] std::string_view code(std::string_view sequence) const noexcept {
    return coloured_ ? sequence : std::string_view();
  }
  bool coloured_;
};

enum class Layout : std::uint8_t {
  one_line,  ///< {"a": 1, "b": [2]}
  indented   ///< each member of an object and each element on a line of its own
};

/// Appends `json` for people. It is text that ustream wrote, so it is valid; other text comes out
/// no worse than it went in. Digits stay as they are. Control characters that JSON allows in a
/// string, DEL and U+0080 to U+009F, are escaped: a terminal would obey them.
void append_readable(std::string& out, std::string_view json, Layout layout,
                     const Palette& palette);

/// Appends text that is no JSON, with every control character escaped.
void append_safe(std::string& out, std::string_view text);

}  // namespace ustream::app
