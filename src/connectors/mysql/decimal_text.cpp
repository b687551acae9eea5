#include "connectors/mysql/decimal_text.hpp"

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

constexpr std::array<std::uint32_t, 10> kPowers{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

/// A group as a number. The first bit of the first byte is the sign, inverted; a negative number
/// has all bits inverted: `mask` undoes that.
std::uint32_t group_at(const char* at, std::size_t size, std::uint32_t mask) noexcept {
  const auto bits = static_cast<std::uint32_t>(big_endian_at(at, size));
  const std::uint32_t used = size == 4 ? ~std::uint32_t{0} : (std::uint32_t{1} << 8U * size) - 1;
  return (bits ^ mask) & used;
}

char* write_digits(char* to, std::uint32_t value, std::size_t count) noexcept {
  for (std::size_t i = count; i-- > 0;) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + count;
}

/// Gives groups one after the other.
class Groups {
 public:
  explicit Groups(const char* bytes) noexcept
      : at_(bytes), negative_((static_cast<unsigned char>(*bytes) & 0x80U) == 0) {}
  [[nodiscard]] bool negative() const noexcept { return negative_; }

  std::uint32_t next(std::size_t size) noexcept {
    std::uint32_t value = group_at(at_, size, negative_ ? ~std::uint32_t{0} : 0);
    if (is_first_) {
      // The sign's bit: of a positive number it is set, of a negative one the mask has set it.
      value ^= std::uint32_t{0x80} << 8U * (size - 1);
      is_first_ = false;
    }
    at_ += size;
    return value;
  }

 private:
  const char* at_;
  bool negative_;
  bool is_first_ = true;
};

}  // namespace

bool DecimalLayout::is_valid(const char* bytes) const noexcept {
  Groups groups(bytes);
  bool good = true;
  const auto check = [&](std::size_t digits) {
    if (digits != 0) {
      good = groups.next(kBytesOfDigits[digits]) < kPowers[digits] && good;
    }
  };
  check(first_);
  for (std::size_t i = words_ + scale_ / kDigitsPerWord; i > 0; --i) {
    check(kDigitsPerWord);
  }
  check(scale_ % kDigitsPerWord);
  return good;
}

char* DecimalLayout::write(char* to, const char* bytes) const noexcept {
  Groups groups(bytes);
  if (groups.negative()) {
    *to++ = '-';
  }
  // Zeros in front are left out, but the last before the point.
  char* const start = to;
  const auto whole = [&](std::size_t digits) {
    std::uint32_t value = groups.next(kBytesOfDigits[digits]);
    if (to == start) {
      while (digits > 0 && value < kPowers[digits - 1]) {
        --digits;
      }
      digits = value == 0 ? 0 : digits;
    }
    to = write_digits(to, value, digits);
  };
  if (first_ != 0) {
    whole(first_);
  }
  for (std::size_t i = 0; i < words_; ++i) {
    whole(kDigitsPerWord);
  }
  if (to == start) {
    *to++ = '0';
  }
  if (scale_ == 0) {
    return to;
  }
  *to++ = '.';
  for (std::size_t i = 0; i < scale_ / kDigitsPerWord; ++i) {
    to = write_digits(to, groups.next(4), kDigitsPerWord);
  }
  if (const std::size_t rest = scale_ % kDigitsPerWord; rest != 0) {
    to = write_digits(to, groups.next(kBytesOfDigits[rest]), rest);
  }
  return to;
}

}  // namespace ustream::mysql
