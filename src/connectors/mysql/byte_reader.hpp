// A bounds-checked cursor over bytes of the MySQL protocol: little endian, packed integers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"

namespace ustream::mysql {

/// The number in 1 to 8 bytes, the lowest first. REQUIRES that they are there.
[[nodiscard]] inline std::uint64_t little_endian_at(const char* at, std::size_t size) noexcept {
  std::uint64_t value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    switch (size) {  // a constant size makes one load of each
      case 1:
        return static_cast<unsigned char>(*at);
      case 2:
        std::memcpy(&value, at, 2);
        return value;
      case 3: {
        std::uint16_t low = 0;
        std::memcpy(&low, at, 2);
        return low | std::uint64_t{static_cast<unsigned char>(at[2])} << 16U;
      }
      case 4:
        std::memcpy(&value, at, 4);
        return value;
      case 8:
        std::memcpy(&value, at, 8);
        return value;
      default:
        break;
    }
  }
  for (std::size_t i = size; i-- > 0;) {
    value = (value << 8U) | static_cast<unsigned char>(at[i]);
  }
  return value;
}
/// The same with the highest first.
[[nodiscard]] inline std::uint64_t big_endian_at(const char* at, std::size_t size) noexcept {
  const auto byte = [at](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(at[i])};
  };
  const auto four = [at] {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return std::uint64_t{std::endian::native == std::endian::little ? __builtin_bswap32(value)
                                                                    : value};
  };
  switch (size) {
    case 1:
      return byte(0);
    case 2:
      return byte(0) << 8U | byte(1);
    case 3:
      return byte(0) << 16U | byte(1) << 8U | byte(2);
    case 4:
      return four();
    case 5:
      return four() << 8U | byte(4);
    default:
      break;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8U | byte(i);
  }
  return value;
}

/// Reads from bytes that it borrows. After a read beyond the end `ok()` is false for good, and
/// every further read gives zero or nothing: callers check once, where a decision hangs on it.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  std::string_view take(std::size_t size) noexcept {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  void skip(std::size_t size) noexcept { (void)take(size); }

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(little_endian(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64() noexcept { return little_endian(8); }
  /// 1 to 8 bytes.
  std::uint64_t little_endian(std::size_t size) noexcept {
    const std::string_view bytes = take(size);
    return little_endian_at(bytes.data(), bytes.size());
  }
  std::uint64_t big_endian(std::size_t size) noexcept {
    const std::string_view bytes = take(size);
    return big_endian_at(bytes.data(), bytes.size());
  }
  /// Protocol::LengthEncodedInteger; its 0xfb (NULL) and 0xff have no place in a binlog.
  std::uint64_t packed() noexcept {
    const std::uint8_t first = u8();
    if (first < 0xfb) {
      return first;
    }
    if (first == 0xfb || first == 0xff) {
      ok_ = false;
      rest_ = {};
      return 0;
    }
    return little_endian(first == 0xfc ? 2 : first == 0xfd ? 3 : 8);
  }
  std::string_view packed_text() noexcept { return take(size(packed())); }

 private:
  static std::size_t size(std::uint64_t value) noexcept { return static_cast<std::size_t>(value); }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ustream::mysql
