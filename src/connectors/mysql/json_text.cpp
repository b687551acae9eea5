#include "connectors/mysql/json_text.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "ustream/json.hpp"
#include "ustream/value.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/column_value.hpp"

namespace ustream::mysql {
namespace {

enum class Type : std::uint8_t {
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

constexpr int kMaxDepth = 150;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  bool value(Type type, std::string_view bytes, int depth) {
    switch (type) {
      case Type::small_object:
      case Type::large_object:
        return container(bytes, type == Type::large_object, true, depth);
      case Type::small_array:
      case Type::large_array:
        return container(bytes, type == Type::large_array, false, depth);
      case Type::string: {
        ByteReader reader(bytes);
        const auto size = variable_length(reader);
        const std::string_view text = reader.take(size);
        return reader.ok() && string(text);
      }
      case Type::opaque:
        return opaque(bytes);
      default:
        return scalar(type, bytes);
    }
  }

 private:
  bool scalar(Type type, std::string_view bytes) {
    ByteReader reader(bytes);
    switch (type) {
      case Type::literal: {
        const std::uint8_t which = reader.u8();
        out_ += which == 0 ? "null" : which == 1 ? "true" : "false";
        return reader.ok() && which <= 2;
      }
      case Type::int16:
        out_ += std::to_string(static_cast<std::int16_t>(reader.u16()));
        break;
      case Type::uint16:
        out_ += std::to_string(reader.u16());
        break;
      case Type::int32:
        out_ += std::to_string(static_cast<std::int32_t>(reader.u32()));
        break;
      case Type::uint32:
        out_ += std::to_string(reader.u32());
        break;
      case Type::int64:
        out_ += std::to_string(static_cast<std::int64_t>(reader.u64()));
        break;
      case Type::uint64:
        out_ += std::to_string(reader.u64());
        break;
      case Type::float64:
        write_json(out_, ValueView::of(std::bit_cast<double>(reader.u64())));
        break;
      default:
        return false;
    }
    return reader.ok();
  }

  bool container(std::string_view bytes, bool large, bool object, int depth) {
    if (depth >= kMaxDepth) {
      return false;
    }
    const std::size_t word = large ? 4 : 2;
    ByteReader header(bytes);
    const std::uint64_t count = header.little_endian(word);
    const std::uint64_t size = header.little_endian(word);
    const std::size_t key_entry = object ? word + 2 : 0;
    if (!header.ok() || size > bytes.size() ||
        count * (key_entry + 1 + word) > header.rest().size()) {
      return false;
    }
    bytes = bytes.substr(0, static_cast<std::size_t>(size));
    ByteReader keys(header.take(static_cast<std::size_t>(count) * key_entry));
    out_ += object ? '{' : '[';
    for (std::uint64_t i = 0; i < count; ++i) {
      out_ += i == 0 ? "" : ", ";
      if (object) {
        const std::uint64_t at = keys.little_endian(word);
        const std::uint16_t length = keys.u16();
        if (at > bytes.size() || length > bytes.size() - at ||
            !string(bytes.substr(static_cast<std::size_t>(at), length))) {
          return false;
        }
        out_ += ": ";
      }
      if (!entry(bytes, header, word, depth)) {
        return false;
      }
    }
    out_ += object ? '}' : ']';
    return true;
  }

  /// A value entry: the type, then the value itself when it is small, else where it stands.
  bool entry(std::string_view container, ByteReader& entries, std::size_t word, int depth) {
    const auto type = static_cast<Type>(entries.u8());
    const std::string_view slot = entries.take(word);
    if (!entries.ok()) {
      return false;
    }
    const bool is_small = type == Type::literal || type == Type::int16 || type == Type::uint16 ||
                          (word == 4 && (type == Type::int32 || type == Type::uint32));
    if (is_small) {
      return scalar(type, slot);
    }
    const std::uint64_t at = ByteReader(slot).little_endian(word);
    return at < container.size() &&
           value(type, container.substr(static_cast<std::size_t>(at)), depth + 1);
  }

  bool string(std::string_view text) {
    if (!is_valid_utf8(text)) {
      return false;
    }
    write_json_string(out_, text);
    return true;
  }

  bool opaque(std::string_view bytes) {
    ByteReader reader(bytes);
    const auto type = static_cast<ColumnType>(reader.u8());
    const auto size = variable_length(reader);
    const std::string_view content = reader.take(size);
    if (!reader.ok()) {
      return false;
    }
    switch (type) {
      case ColumnType::decimal: {
        ByteReader digits(content);
        const std::uint8_t precision = digits.u8();
        const std::uint8_t scale = digits.u8();
        return digits.ok() && append_decimal(out_, digits.rest(), precision, scale);
      }
      case ColumnType::date:
      case ColumnType::datetime:
      case ColumnType::timestamp:
      case ColumnType::time:
        if (content.size() != 8) {
          return false;
        }
        out_ += '"';
        append_packed_time(out_, type, static_cast<std::int64_t>(ByteReader(content).u64()));
        out_ += '"';
        return true;
      default:
        out_ += "\"base64:type" + std::to_string(static_cast<unsigned>(type)) + ":";
        append_base64(out_, content);
        out_ += '"';
        return true;
    }
  }

  /// 7 bits a byte, the lowest first; the high bit says that more follow.
  static std::size_t variable_length(ByteReader& reader) noexcept {
    std::uint64_t length = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const std::uint8_t byte = reader.u8();
      length |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) {
        break;
      }
    }
    return static_cast<std::size_t>(length);
  }

  std::string& out_;
};

}  // namespace

bool append_json_text(std::string& out, std::string_view binary) {
  if (binary.empty()) {
    out += "null";  // what the server takes an empty value for
    return true;
  }
  return Writer(out).value(static_cast<Type>(binary.front()), binary.substr(1), 0);
}

}  // namespace ustream::mysql
