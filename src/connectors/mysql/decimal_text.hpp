// DECIMAL as both servers store it, and as text with all its digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ustream::mysql {

/// A DECIMAL(precision, scale) in bytes: groups of nine digits in four bytes each, and at the outer
/// ends what is left in as many bytes as it takes. Source: decimal2bin in MySQL's decimal.cc.
class DecimalLayout {
 public:
  /// Room that any text takes: sign, 81 digits, point, a zero before it.
  static constexpr std::size_t kMaxText = 96;

  constexpr DecimalLayout() noexcept = default;
  /// `ok()` is false when there is no such type.
  constexpr DecimalLayout(std::size_t precision, std::size_t scale) noexcept {
    if (precision == 0 || precision > kMaxPrecision || scale > precision) {
      return;
    }
    const std::size_t whole = precision - scale;
    first_ = static_cast<std::uint8_t>(whole % kDigitsPerWord);
    words_ = static_cast<std::uint8_t>(whole / kDigitsPerWord);
    scale_ = static_cast<std::uint8_t>(scale);
    size_ =
        static_cast<std::uint8_t>(kBytesOfDigits[first_] + 4U * (words_ + scale / kDigitsPerWord) +
                                  kBytesOfDigits[scale % kDigitsPerWord]);
  }

  [[nodiscard]] constexpr bool ok() const noexcept { return size_ != 0; }
  /// In bytes; 0 when not ok().
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// Whether size() bytes are a number: no group has more digits than it may.
  [[nodiscard]] bool is_valid(const char* bytes) const noexcept;
  /// Writes the text of size() bytes that are valid; REQUIRES kMaxText bytes at `to`. Returns where
  /// it ends.
  [[nodiscard]] char* write(char* to, const char* bytes) const noexcept;

 private:
  static constexpr std::size_t kMaxPrecision = 81;  // of the format; of the type 65
  static constexpr std::size_t kDigitsPerWord = 9;
  static constexpr std::array<std::uint8_t, 10> kBytesOfDigits{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

  std::uint8_t first_ = 0;  // digits in front of the whole groups
  std::uint8_t words_ = 0;  // whole groups before the point
  std::uint8_t scale_ = 0;
  std::uint8_t size_ = 0;
};

}  // namespace ustream::mysql
