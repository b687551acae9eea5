// $like patterns: % any run of bytes, _ one character, \ takes the next character as it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ustream::query {

/// Compiled once, immutable. Literal text compares by bytes. A character for `_` is a UTF-8 lead
/// byte (0xC0 and above) with the continuation bytes after it, or any other single byte; that gives
/// text that is not valid UTF-8 a meaning too.
class LikePattern {
 public:
  enum class Kind : std::uint8_t { literal, one, any };
  struct Token {
    Kind kind = Kind::literal;
    std::string text;  ///< of a literal
  };

  /// A \ at the end stands for itself.
  explicit LikePattern(std::string_view pattern);
  /// Whether the whole text matches; O(text × pattern) at worst, without recursion.
  [[nodiscard]] bool matches(std::string_view text) const noexcept;
  /// Neighbouring literals are one, and so are neighbouring %.
  [[nodiscard]] const std::vector<Token>& tokens() const noexcept { return tokens_; }

 private:
  std::vector<Token> tokens_;
};

}  // namespace ustream::query
