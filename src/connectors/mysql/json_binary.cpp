#include "connectors/mysql/json_binary.hpp"

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

/// 7 bits a byte, the lowest first; the high bit says that more follow.
std::size_t variable_length(ByteReader& reader) noexcept {
  std::uint64_t length = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = reader.u8();
    length |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) {
      break;
    }
  }
  return static_cast<std::size_t>(length);
}

}  // namespace

bool json_is_inlined(JsonType type, std::size_t word) noexcept {
  switch (type) {
    case JsonType::literal:
    case JsonType::int16:
    case JsonType::uint16:
      return true;
    case JsonType::int32:
    case JsonType::uint32:
      return word == 4;
    default:
      return false;
  }
}

std::optional<JsonContainer> JsonContainer::open(const JsonRef& value) noexcept {
  JsonContainer container;
  const bool is_large = value.type == JsonType::large_object || value.type == JsonType::large_array;
  container.word_ = is_large ? 4 : 2;
  container.key_entry_ = value.is_object() ? container.word_ + 2 : 0;
  ByteReader header(value.bytes);
  const std::uint64_t count = header.little_endian(container.word_);
  const std::uint64_t size = header.little_endian(container.word_);
  const std::uint64_t entries = count * (container.key_entry_ + 1 + container.word_);
  if (!header.ok() || size > value.bytes.size() || 2 * container.word_ + entries > size) {
    return std::nullopt;
  }
  container.bytes_ = value.bytes.substr(0, static_cast<std::size_t>(size));
  container.count_ = static_cast<std::size_t>(count);
  return container;
}

std::optional<std::string_view> JsonContainer::key(std::size_t i) const noexcept {
  const char* const entry = bytes_.data() + 2 * word_ + i * key_entry_;
  const auto at = static_cast<std::size_t>(little_endian_at(entry, word_));
  const auto length = static_cast<std::size_t>(little_endian_at(entry + word_, 2));
  if (at > bytes_.size() || length > bytes_.size() - at) {
    return std::nullopt;
  }
  return bytes_.substr(at, length);
}

std::optional<JsonRef> JsonContainer::value(std::size_t i) const noexcept {
  const std::size_t entry = 2 * word_ + count_ * key_entry_ + i * (1 + word_);
  const auto type = static_cast<JsonType>(bytes_[entry]);
  if (json_is_inlined(type, word_)) {
    return JsonRef{type, bytes_.substr(entry + 1, word_)};
  }
  const auto at = static_cast<std::size_t>(little_endian_at(bytes_.data() + entry + 1, word_));
  if (at >= bytes_.size()) {
    return std::nullopt;
  }
  return JsonRef{type, bytes_.substr(at)};
}

std::optional<std::string_view> json_string(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  const std::size_t size = variable_length(reader);
  const std::string_view text = reader.take(size);
  return reader.ok() ? std::optional(text) : std::nullopt;
}

std::optional<JsonOpaque> json_opaque(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  const std::uint8_t type = reader.u8();
  const std::size_t size = variable_length(reader);
  const std::string_view content = reader.take(size);
  return reader.ok() ? std::optional(JsonOpaque{type, content}) : std::nullopt;
}

std::optional<std::size_t> json_scalar_size(const JsonRef& value) noexcept {
  const auto up_to_end_of = [&](std::string_view content) {
    return static_cast<std::size_t>(content.data() + content.size() - value.bytes.data());
  };
  std::size_t size = 0;
  switch (value.type) {
    case JsonType::literal:
      size = 1;
      break;
    case JsonType::int16:
    case JsonType::uint16:
      size = 2;
      break;
    case JsonType::int32:
    case JsonType::uint32:
      size = 4;
      break;
    case JsonType::int64:
    case JsonType::uint64:
    case JsonType::float64:
      size = 8;
      break;
    case JsonType::string: {
      const auto text = json_string(value.bytes);
      return text ? std::optional(up_to_end_of(*text)) : std::nullopt;
    }
    case JsonType::opaque: {
      const auto opaque = json_opaque(value.bytes);
      return opaque ? std::optional(up_to_end_of(opaque->content)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
  return size <= value.bytes.size() ? std::optional(size) : std::nullopt;
}

}  // namespace ustream::mysql
