// Writes values as JSON text. Hot: every change goes through it, so it appends and never allocates
// besides.
#include <array>
#include <cstdint>
#include <cstring>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/json_text.hpp"
#include "model/number.hpp"
#include "model/temporal.hpp"
#include "model/typed_text.hpp"
#include "model/utf8.hpp"

namespace ustream {
namespace {

/// What a byte of a JSON string asks for: 0 nothing, 'u' a \u escape, '8' a look at its UTF-8
/// sequence, else the letter of its short escape.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) {
    table[i] = 'u';
  }
  for (std::size_t i = 0x80; i < 0x100; ++i) {
    table[i] = '8';
  }
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}
constexpr std::array<char, 256> kEscapes = make_escapes();

/// Whether each of eight bytes stands in a JSON string as it is: "Bit Twiddling Hacks", "Determine
/// if a word has a byte less than n".
constexpr bool is_plain(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  const std::uint64_t found = (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes) | word;
  return (found & (kOnes * 0x80)) == 0;
}

void append_escaped_byte(std::string& out, unsigned char byte, char escape) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '\\';
  out += escape;
  if (escape == 'u') {
    out += "00";
    out += kHex[byte >> 4];
    out += kHex[byte & 0xf];
  }
}

/// Text without quotes; REQUIRES that nothing in it needs an escape.
template <class Temporal>
void write_quoted(std::string& out, const Temporal& value) {
  char text[model::kMaxTemporalText + 2];
  text[0] = '"';
  char* const end = model::write_text(text + 1, value);
  *end = '"';
  out.append(text, end + 1);
}

void write_double(std::string& out, double value) {
  const std::size_t start = out.size();
  model::append_double(out, value);
  if (out.back() == 'N' || out.back() == 'y') {  // NaN, Infinity: not numbers of JSON
    out.insert(start, 1, '"');
    out += '"';
  }
}

void write_float(std::string& out, float value) {
  const std::size_t start = out.size();
  model::append_float(out, value);
  if (out.back() == 'N' || out.back() == 'y') {
    out.insert(start, 1, '"');
    out += '"';
  }
}

/// A JSON column, as stored. Line breaks between its tokens become spaces: an object is one line.
void write_inline(std::string& out, std::string_view json) {
  if (json.empty()) {
    out += "null";
    return;
  }
  if (!is_valid_utf8(json)) {
    throw ValidationError("a JSON column holds text that is not valid UTF-8");
  }
  const std::size_t start = out.size();
  out += json;
  for (std::size_t i = out.find_first_of("\r\n", start); i != std::string::npos;
       i = out.find_first_of("\r\n", i + 1)) {
    out[i] = ' ';
  }
}

void write_value(std::string& out, const ValueView& value, std::size_t depth);

void write_array(std::string& out, const Value::Array& items, std::size_t depth) {
  model::check_write_depth(depth);
  char separator = '[';
  for (const Value& item : items) {
    out += separator;
    write_value(out, item, depth + 1);
    separator = ',';
  }
  out += items.empty() ? "[]" : "]";
}

void write_object(std::string& out, const Value::Object& members, std::size_t depth) {
  model::check_write_depth(depth);
  char separator = '{';
  for (const Member& member : members) {
    out += separator;
    write_json_string(out, member.name);
    out += ':';
    write_value(out, member.value, depth + 1);
    separator = ',';
  }
  out += members.empty() ? "{}" : "}";
}

void write_value(std::string& out, const ValueView& value, std::size_t depth) {
  switch (value.type()) {
    case ValueType::null:
      out += "null";
      break;
    case ValueType::boolean:
      out += value.boolean() ? "true" : "false";
      break;
    case ValueType::int64:
      model::append_int(out, value.int64());
      break;
    case ValueType::uint64:
      model::append_uint(out, value.uint64());
      break;
    case ValueType::float32:
      write_float(out, value.float32());
      break;
    case ValueType::float64:
      write_double(out, value.float64());
      break;
    case ValueType::decimal:
    case ValueType::string:
      write_json_string(out, value.text());
      break;
    case ValueType::bytes:
      out += '"';
      append_base64(out, value.text());
      out += '"';
      break;
    case ValueType::date:
      write_quoted(out, value.date());
      break;
    case ValueType::time:
      write_quoted(out, Time{value.micros(), value.digits()});
      break;
    case ValueType::timestamp:
      write_quoted(out, Timestamp{value.micros()});
      break;
    case ValueType::datetime:
      write_quoted(out, DateTime{value.micros(), value.digits()});
      break;
    case ValueType::uuid:
      write_quoted(out, value.uuid());
      break;
    case ValueType::objectid:
      write_quoted(out, value.objectid());
      break;
    case ValueType::json:
      write_inline(out, value.text());
      break;
    case ValueType::array:
      write_array(out, value.array(), depth);
      break;
    case ValueType::object:
      write_object(out, value.object(), depth);
      break;
    case ValueType::extended:
      model::append_escape(out, value);
      break;
  }
}

}  // namespace

void model::check_write_depth(std::size_t depth) {
  if (depth > kMaxWriteDepth) {
    throw ValidationError("a value is nested deeper than " + std::to_string(kMaxWriteDepth) +
                          " levels");
  }
}

void write_json(std::string& out, const ValueView& value) {
  write_value(out, value, 0);
}

std::string to_json(const ValueView& value) {
  std::string out;
  write_json(out, value);
  return out;
}

void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* run = p;  // what is copied as it is
  while (p != end) {
    if (end - p >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, sizeof word);
      if (is_plain(word)) {
        p += 8;
        continue;
      }
    }
    const auto byte = static_cast<unsigned char>(*p);
    const char escape = kEscapes[byte];
    if (escape == 0) {
      ++p;
    } else if (escape == '8') {
      const std::size_t length = model::utf8_sequence(p, end);
      if (length == 0) {
        throw ValidationError("text is not valid UTF-8 at byte " + std::to_string(p - text.data()));
      }
      p += length;
    } else {
      out.append(run, p);
      append_escaped_byte(out, byte, escape);
      run = ++p;
    }
  }
  out.append(run, end);
  out += '"';
}

}  // namespace ustream
