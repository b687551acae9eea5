// Integers as bytes: big and little endian, and fixed-width forms that sort as the numbers do.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace ustream::base {

/// Appends the integer's bytes, the most significant first.
template <std::integral T>
void put_big_endian(std::string& out, T value) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t i = sizeof(T); i-- > 0;) {
    out += static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
  }
}

/// Appends the integer's bytes, the least significant first.
template <std::integral T>
void put_little_endian(std::string& out, T value) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out += static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
  }
}

/// REQUIRES sizeof(T) readable bytes at `data`; no alignment is asked for.
template <std::integral T>
[[nodiscard]] T get_big_endian(const void* data) noexcept {
  using Bits = std::make_unsigned_t<T>;
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bits = (bits << 8) | bytes[i];
  }
  return static_cast<T>(static_cast<Bits>(bits));
}

/// REQUIRES sizeof(T) readable bytes at `data`; no alignment is asked for.
template <std::integral T>
[[nodiscard]] T get_little_endian(const void* data) noexcept {
  using Bits = std::make_unsigned_t<T>;
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t bits = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    bits = (bits << 8) | bytes[i];
  }
  return static_cast<T>(static_cast<Bits>(bits));
}

/// Eight bytes whose order, compared as unsigned bytes, is that of the numbers.
inline void put_ordered_uint64(std::string& out, std::uint64_t value) {
  put_big_endian(out, value);
}
inline void put_ordered_int64(std::string& out, std::int64_t value) {
  put_big_endian(out, static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
}
/// REQUIRES eight readable bytes.
[[nodiscard]] inline std::uint64_t get_ordered_uint64(const void* data) noexcept {
  return get_big_endian<std::uint64_t>(data);
}
[[nodiscard]] inline std::int64_t get_ordered_int64(const void* data) noexcept {
  return static_cast<std::int64_t>(get_big_endian<std::uint64_t>(data) ^ (std::uint64_t{1} << 63));
}

/// Reads untrusted bytes from front to back. A read past the end makes the reader fail for good:
/// it returns zeros and empty views, and ok() tells. Borrows the bytes. Not thread-safe.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) noexcept : rest_(bytes) {}
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }

  template <std::integral T>
  T big_endian() noexcept {
    const std::string_view bytes = take(sizeof(T));
    return ok_ ? get_big_endian<T>(bytes.data()) : T{0};
  }
  template <std::integral T>
  T little_endian() noexcept {
    const std::string_view bytes = take(sizeof(T));
    return ok_ ? get_little_endian<T>(bytes.data()) : T{0};
  }
  std::string_view take(std::size_t count) noexcept {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ustream::base
