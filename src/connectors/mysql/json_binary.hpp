// The binary form of MySQL's JSON columns: what stands where. Source: sql-common/json_binary.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ustream::mysql {

enum class JsonType : std::uint8_t {
  small_object = 0x00,
  large_object = 0x01,
  small_array = 0x02,
  large_array = 0x03,
  literal = 0x04,
  int16 = 0x05,
  uint16 = 0x06,
  int32 = 0x07,
  uint32 = 0x08,
  int64 = 0x09,
  uint64 = 0x0a,
  float64 = 0x0b,
  string = 0x0c,
  opaque = 0x0f,
};

/// Values nested deeper are damage: the server's limit is 100.
inline constexpr int kMaxJsonDepth = 150;

/// A value: `bytes` begin with it and may go on behind it. Borrowed.
struct JsonRef {
  JsonType type = JsonType::literal;
  std::string_view bytes;

  [[nodiscard]] bool is_object() const noexcept {
    return type == JsonType::small_object || type == JsonType::large_object;
  }
  [[nodiscard]] bool is_array() const noexcept {
    return type == JsonType::small_array || type == JsonType::large_array;
  }
};

/// The value of a whole column. REQUIRES bytes: an empty column is the server's null.
[[nodiscard]] inline JsonRef json_root(std::string_view binary) noexcept {
  return {static_cast<JsonType>(binary.front()), binary.substr(1)};
}

/// An object or array. Entries can be damaged even where the container can be opened.
class JsonContainer {
 public:
  /// nullopt when it does not fit into its bytes. REQUIRES is_object() or is_array().
  [[nodiscard]] static std::optional<JsonContainer> open(const JsonRef& value) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// Bytes of all of it.
  [[nodiscard]] std::size_t byte_size() const noexcept { return bytes_.size(); }
  /// Bytes of its sizes and entries.
  [[nodiscard]] std::size_t header_size() const noexcept {
    return 2 * word_ + count_ * (key_entry_ + 1 + word_);
  }
  /// REQUIRES an object and i < size(). Not checked for UTF-8.
  [[nodiscard]] std::optional<std::string_view> key(std::size_t i) const noexcept;
  /// REQUIRES i < size().
  [[nodiscard]] std::optional<JsonRef> value(std::size_t i) const noexcept;

 private:
  std::string_view bytes_;
  std::size_t word_ = 2;       // bytes of a size or offset
  std::size_t key_entry_ = 0;  // bytes of a key's entry; 0: an array
  std::size_t count_ = 0;
};

/// Whether a value of that type stands in its entry, in a container of that word, and not
/// elsewhere.
[[nodiscard]] bool json_is_inlined(JsonType type, std::size_t word) noexcept;

/// The content of a string, behind its length.
[[nodiscard]] std::optional<std::string_view> json_string(std::string_view bytes) noexcept;

/// What JSON has no type for: a column type of the server, and its bytes.
struct JsonOpaque {
  std::uint8_t type = 0;
  std::string_view content;
};
[[nodiscard]] std::optional<JsonOpaque> json_opaque(std::string_view bytes) noexcept;

/// Bytes of a value that is no container; nullopt when it is cut or of no known type.
[[nodiscard]] std::optional<std::size_t> json_scalar_size(const JsonRef& value) noexcept;

}  // namespace ustream::mysql
