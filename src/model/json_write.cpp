// Writes values as JSON text. Hot: every change goes through it, so it appends and never allocates
// besides.
#include <algorithm>
#include <array>
#include <charconv>
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

bool is_plain(std::string_view text) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if (!is_plain(word)) {
      return false;
    }
  }
  for (; i < text.size(); ++i) {
    if (kEscapes[static_cast<unsigned char>(text[i])] != 0) {
      return false;
    }
  }
  return true;
}

/// Names that are written in one step with their value.
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxHead = kMaxName + 4;  // separator, quotes and colon
constexpr std::size_t kMaxShortText = 62;
constexpr std::size_t kMaxSimple = kMaxShortText + 2;
static_assert(kMaxSimple >= model::kMaxTemporalText + 2);

template <class Number>
char* write_number(char* to, Number value) noexcept {
  return std::to_chars(to, to + kMaxSimple, value).ptr;
}

template <class Temporal>
char* write_quoted(char* to, const Temporal& value) noexcept {
  *to++ = '"';
  to = model::write_text(to, value);
  *to++ = '"';
  return to;
}

/// A value whose JSON is short, of kMaxSimple bytes at most; null for others.
char* write_simple(char* to, const ValueView& value) noexcept {
  const auto word = [to](std::string_view text) { return std::copy(text.begin(), text.end(), to); };
  switch (value.type()) {
    case ValueType::null:
      return word("null");
    case ValueType::boolean:
      return word(value.boolean() ? "true" : "false");
    case ValueType::int64:
      return write_number(to, value.int64());
    case ValueType::uint64:
      return write_number(to, value.uint64());
    case ValueType::decimal:
    case ValueType::string: {
      const std::string_view text = value.text();
      if (text.size() > kMaxShortText || !is_plain(text)) {
        return nullptr;
      }
      *to++ = '"';
      to = std::copy(text.begin(), text.end(), to);
      *to++ = '"';
      return to;
    }
    case ValueType::date:
      return write_quoted(to, value.date());
    case ValueType::time:
      return write_quoted(to, Time{value.micros(), value.digits()});
    case ValueType::timestamp:
      return write_quoted(to, Timestamp{value.micros()});
    case ValueType::datetime:
      return write_quoted(to, DateTime{value.micros(), value.digits()});
    case ValueType::uuid:
      return write_quoted(to, value.uuid());
    case ValueType::objectid:
      return write_quoted(to, value.objectid());
    default:
      return nullptr;
  }
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

template <class Temporal>
void append_quoted(std::string& out, const Temporal& value) {
  char text[model::kMaxTemporalText + 2];
  out.append(text, write_quoted(text, value));
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
      append_quoted(out, value.date());
      break;
    case ValueType::time:
      append_quoted(out, Time{value.micros(), value.digits()});
      break;
    case ValueType::timestamp:
      append_quoted(out, Timestamp{value.micros()});
      break;
    case ValueType::datetime:
      append_quoted(out, DateTime{value.micros(), value.digits()});
      break;
    case ValueType::uuid:
      append_quoted(out, value.uuid());
      break;
    case ValueType::objectid:
      append_quoted(out, value.objectid());
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

void model::write_json_member(std::string& out, char separator, std::string_view name,
                              const ValueView& value) {
  char text[kMaxHead + kMaxSimple];
  text[0] = separator;
  text[1] = '"';
  if (name.size() > kMaxName || !is_plain(name)) {
    out += separator;
    write_json_string(out, name);
    out += ':';
    write_value(out, value, 0);
    return;
  }
  char* to = std::copy(name.begin(), name.end(), text + 2);
  *to++ = '"';
  *to++ = ':';
  if (char* const end = write_simple(to, value)) {
    out.append(text, end);
    return;
  }
  out.append(text, to);
  write_value(out, value, 0);
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
