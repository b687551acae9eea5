#include "connectors/mysql/json_text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/clock.hpp"
#include "connectors/mysql/decimal_text.hpp"
#include "connectors/mysql/json_binary.hpp"

namespace ustream::mysql {
namespace {

/// Numbers at most this many digits in front of or zeros behind the point are printed without an
/// exponent: MAX_DECPT_FOR_F_FORMAT.
constexpr int kPlainDigits = 15;

/// The shortest digits that read back equal, and where the point is among them.
void append_double(std::string& out, double value) {
  if (value == 0) {
    out += std::signbit(value) ? "-0.0" : "0.0";
    return;
  }
  std::array<char, 40> buffer{};
  const char* const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                        std::abs(value), std::chars_format::scientific)
                              .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  digits += e > 2 ? text.substr(2, e - 2) : std::string_view();
  int exponent = 0;
  const char* const from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, end, exponent);
  const int point = exponent + 1;  // digits in front of it
  out += value < 0 ? "-" : "";
  if (point > kPlainDigits || point < 1 - kPlainDigits) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) {
      out += '.';
      out += digits.substr(1);
    }
    out += 'e';
    out += std::to_string(exponent);
  } else if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    const auto whole = static_cast<std::size_t>(point);
    if (digits.size() <= whole) {
      digits.append(whole - digits.size() + 1, '0');
    }
    out += digits.substr(0, whole);
    out += '.';
    out += digits.substr(whole);
  }
}

template <class Integer>
void append_number(std::string& out, Integer value) {
  std::array<char, 24> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

/// Writes text.
class TextSink {
 public:
  explicit TextSink(std::string& out) : out_(out) {}
  void put(std::string_view text) { out_ += text; }
  void string(std::string_view text) { write_json_string(out_, text); }
  void scalar(JsonType type, const char* at) {
    switch (type) {
      case JsonType::literal:
        out_ += *at == 0 ? "null" : *at == 1 ? "true" : "false";
        break;
      case JsonType::int16:
        append_number(out_, static_cast<std::int16_t>(little_endian_at(at, 2)));
        break;
      case JsonType::uint16:
        append_number(out_, little_endian_at(at, 2));
        break;
      case JsonType::int32:
        append_number(out_, static_cast<std::int32_t>(little_endian_at(at, 4)));
        break;
      case JsonType::uint32:
        append_number(out_, little_endian_at(at, 4));
        break;
      case JsonType::int64:
        append_number(out_, static_cast<std::int64_t>(little_endian_at(at, 8)));
        break;
      case JsonType::uint64:
        append_number(out_, little_endian_at(at, 8));
        break;
      default:
        append_double(out_, std::bit_cast<double>(little_endian_at(at, 8)));
        break;
    }
  }
  void decimal(const DecimalLayout& layout, std::string_view digits) {
    std::array<char, DecimalLayout::kMaxText> text{};
    out_.append(text.data(), layout.write(text.data(), digits.data()));
  }
  void time(ColumnType type, std::string_view packed) {
    std::array<char, kMaxClockText + 2> text{'"'};
    char* const end = write_packed_time(
        text.data() + 1, type, static_cast<std::int64_t>(little_endian_at(packed.data(), 8)));
    *end = '"';
    out_.append(text.data(), end + 1);
  }
  void opaque(std::uint8_t type, std::string_view content) {
    out_ += "\"base64:type";
    append_number(out_, unsigned{type});
    out_ += ':';
    append_base64(out_, content);
    out_ += '"';
  }

 private:
  std::string& out_;
};

/// Writes nothing.
class NoSink {
 public:
  void put(std::string_view /*text*/) {}
  void string(std::string_view /*text*/) {}
  void scalar(JsonType /*type*/, const char* /*at*/) {}
  void decimal(const DecimalLayout& /*layout*/, std::string_view /*digits*/) {}
  void time(ColumnType /*type*/, std::string_view /*packed*/) {}
  void opaque(std::uint8_t /*type*/, std::string_view /*content*/) {}
};

template <class Sink>
class Walk {
 public:
  /// `size`: of the whole document. Its values do not overlap, so what they take in sum is no more:
  /// damage that has one value again and again would take forever, and all memory.
  Walk(Sink sink, std::size_t size) : sink_(sink), left_(size) {}

  bool value(const JsonRef& value, int depth) {
    if (value.is_object() || value.is_array()) {
      return container(value, depth);
    }
    if (value.type == JsonType::string) {
      const auto text = json_string(value.bytes);
      return text && string(*text);
    }
    if (value.type == JsonType::opaque) {
      const auto content = json_opaque(value.bytes);
      return content && opaque(*content);
    }
    if (!json_scalar_size(value) ||
        (value.type == JsonType::literal && static_cast<unsigned char>(value.bytes.front()) > 2)) {
      return false;
    }
    if (value.type == JsonType::float64 &&
        !std::isfinite(std::bit_cast<double>(little_endian_at(value.bytes.data(), 8)))) {
      return false;  // JSON has none
    }
    sink_.scalar(value.type, value.bytes.data());
    return true;
  }

 private:
  bool container(const JsonRef& value, int depth) {
    const auto open = JsonContainer::open(value);
    if (!open || depth >= kMaxJsonDepth || !take(open->header_size())) {
      return false;
    }
    const bool is_object = value.is_object();
    sink_.put(is_object ? "{" : "[");
    for (std::size_t i = 0; i < open->size(); ++i) {
      if (i != 0) {
        sink_.put(", ");
      }
      if (is_object) {
        const auto key = open->key(i);
        if (!key || !string(*key)) {
          return false;
        }
        sink_.put(": ");
      }
      const auto member = open->value(i);
      if (!member || !this->value(*member, depth + 1)) {
        return false;
      }
    }
    sink_.put(is_object ? "}" : "]");
    return true;
  }

  bool string(std::string_view text) {
    if (!take(text.size()) || !is_valid_utf8(text)) {
      return false;
    }
    sink_.string(text);
    return true;
  }

  bool take(std::size_t size) {
    const bool fits = size <= left_;
    left_ -= fits ? size : left_;
    return fits;
  }

  bool opaque(const JsonOpaque& opaque) {
    if (!take(opaque.content.size())) {
      return false;
    }
    const auto type = static_cast<ColumnType>(opaque.type);
    switch (type) {
      case ColumnType::decimal: {
        if (opaque.content.size() < 2) {
          return false;
        }
        const DecimalLayout layout(static_cast<unsigned char>(opaque.content[0]),
                                   static_cast<unsigned char>(opaque.content[1]));
        const std::string_view digits = opaque.content.substr(2);
        if (!layout.ok() || digits.size() != layout.size() || !layout.is_valid(digits.data())) {
          return false;
        }
        sink_.decimal(layout, digits);
        return true;
      }
      case ColumnType::date:
      case ColumnType::datetime:
      case ColumnType::timestamp:
      case ColumnType::time:
        if (opaque.content.size() != 8) {
          return false;
        }
        sink_.time(type, opaque.content);
        return true;
      default:
        sink_.opaque(opaque.type, opaque.content);
        return true;
    }
  }

  Sink sink_;
  std::size_t left_;
};

}  // namespace

bool append_json_text(std::string& out, std::string_view binary) {
  if (binary.empty()) {
    out += "null";  // what the server takes an empty value for
    return true;
  }
  return Walk(TextSink(out), binary.size()).value(json_root(binary), 0);
}

bool is_json_binary(std::string_view binary) {
  return binary.empty() || Walk(NoSink(), binary.size()).value(json_root(binary), 0);
}

}  // namespace ustream::mysql
