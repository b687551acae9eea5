// Keys as text: docs/values.md, "Keys as text".
#include <cmath>
#include <limits>
#include <utility>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/schema.hpp"

#include "model/json_text.hpp"
#include "model/number.hpp"
#include "model/temporal.hpp"
#include "model/typed_text.hpp"

namespace ustream {
namespace {

constexpr std::string_view kDecimalMember = "$numberDecimal";

std::uint64_t largest_int64() noexcept {
  return static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

void write_text_part(std::string& out, const ValueView& value) {
  if (value.type() == ValueType::string && !value.text().starts_with(model::kEscapePrefix)) {
    out += value.text();
  } else {
    model::append_escape(out, value);
  }
}

/// True when the number affinity reads `text` as something else than this string.
bool reads_as_number(std::string_view text) {
  return text.starts_with(model::kEscapePrefix) || model::canonical_number(text).has_value();
}

bool is_canonical_decimal(std::string_view digits) {
  const std::optional<Value> number = model::canonical_number(digits);
  return number && number->type() == ValueType::decimal;
}

void write_number_part(std::string& out, const ValueView& value) {
  switch (value.type()) {
    case ValueType::int64:
      model::append_int(out, value.int64());
      return;
    case ValueType::uint64:
      if (value.uint64() > largest_int64()) {
        model::append_uint(out, value.uint64());
        return;
      }
      break;
    case ValueType::float64:
      if (std::isfinite(value.float64())) {
        model::append_double(out, value.float64());
        return;
      }
      break;
    case ValueType::decimal:
      if (is_canonical_decimal(value.text())) {
        out += value.text();
        return;
      }
      break;
    case ValueType::string:
      if (!reads_as_number(value.text())) {
        out += value.text();
        return;
      }
      break;
    default:
      break;
  }
  model::append_escape(out, value);
}

void write_bytes_part(std::string& out, const ValueView& value) {
  if (value.type() == ValueType::bytes) {
    append_base64(out, value.text());
  } else {
    model::append_escape(out, value);
  }
}

std::string_view trim_json_space(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// False when `text` cannot be JSON, told from its ends without parsing it.
bool may_be_json(std::string_view text) noexcept {
  text = trim_json_space(text);
  if (text.empty()) {
    return false;
  }
  switch (text.front()) {
    case '{':
      return text.back() == '}';
    case '[':
      return text.back() == ']';
    case '"':
      return text.size() > 1 && text.back() == '"';
    case 't':
      return text == "true";
    case 'f':
      return text == "false";
    case 'n':
      return text == "null";
    default:
      return model::json_number_length(text) == text.size();
  }
}

Value parse_any_part(std::string_view text) {
  if (const auto id = model::parse_objectid(text)) {
    return *id;
  }
  std::optional<Value> value;
  if (may_be_json(text)) {
    value = model::try_parse_json(text);
  }
  if (!value) {
    return text;
  }
  const auto* object = value->get_if<Value::Object>();
  if (object != nullptr && object->size() == 1 && object->front().name == kDecimalMember) {
    const auto* digits = object->front().value.get_if<std::string>();
    if (digits != nullptr && model::is_decimal_text(*digits)) {
      return Decimal{*digits};
    }
  }
  return *std::move(value);
}

void write_any_part(std::string& out, const ValueView& value) {
  switch (value.type()) {
    case ValueType::objectid:
      model::append_text(out, value.objectid());
      return;
    case ValueType::string: {
      const std::string_view text = value.text();
      const bool plain =
          !model::parse_objectid(text) && (!may_be_json(text) || !model::try_parse_json(text));
      if (plain) {
        out += text;
      } else {
        write_json_string(out, text);
      }
      return;
    }
    case ValueType::decimal:
      out += "{\"$numberDecimal\":";
      write_json_string(out, value.text());
      out += '}';
      return;
    default:
      model::append_typed_json(out, value);
  }
}

Value parse_escaped_part(std::string_view text) {
  Value value;
  try {
    value = parse_json(text);
  } catch (const ValidationError& error) {
    throw ValidationError(std::string("the key begins as an escaped key does, but is none: ") +
                          error.what());
  }
  if (value.type() == ValueType::object && !text.starts_with(R"({"$type":"object")")) {
    throw ValidationError(
        R"(the key begins as an escaped key does, but is not {"$type":"…","text":"…"})");
  }
  return value;
}

Value parse_bytes_part(std::string_view text) {
  Bytes bytes;
  if (!decode_base64(text, bytes.data)) {
    throw ValidationError(
        "the key of a column of bytes is base64 text (RFC 4648, with padding), or "
        R"({"$type":"string","text":"…"} for text in such a column)");
  }
  return bytes;
}

/// A key's integers have one form: what fits int64 is int64.
Value normalized(Value value) {
  const auto* number = value.get_if<std::uint64_t>();
  if (number != nullptr && *number <= largest_int64()) {
    return static_cast<std::int64_t>(*number);
  }
  return value;
}

[[noreturn]] void throw_no_key(const Schema& schema) {
  throw ValidationError("'" + schema.collection() +
                            "' has no primary key, so its rows cannot be named by one; give it a "
                            "primary key, or use a query",
                        schema.collection());
}

}  // namespace

void write_key_part(std::string& out, const ValueView& value, KeyAffinity affinity) {
  switch (affinity) {
    case KeyAffinity::text:
      return write_text_part(out, value);
    case KeyAffinity::number:
      return write_number_part(out, value);
    case KeyAffinity::bytes:
      return write_bytes_part(out, value);
    case KeyAffinity::any:
      return write_any_part(out, value);
  }
}

Value parse_key_part(std::string_view text, KeyAffinity affinity) {
  if (affinity == KeyAffinity::any) {
    return parse_any_part(text);
  }
  if (text.starts_with(model::kEscapePrefix)) {
    return parse_escaped_part(text);
  }
  if (affinity == KeyAffinity::bytes) {
    return parse_bytes_part(text);
  }
  if (affinity == KeyAffinity::number) {
    if (std::optional<Value> number = model::canonical_number(text)) {
      return *std::move(number);
    }
  }
  return text;
}

Key::Key(std::vector<Value> parts) : parts_(std::move(parts)) {
  for (Value& part : parts_) {
    part = normalized(std::move(part));
  }
}

std::string Key::text(const Schema& schema) const {
  const std::vector<std::size_t>& columns = schema.key_columns();
  if (columns.empty()) {
    throw_no_key(schema);
  }
  if (columns.size() != parts_.size()) {
    throw ValidationError("a key of '" + schema.collection() + "' has " +
                              std::to_string(columns.size()) + " parts, not " +
                              std::to_string(parts_.size()),
                          schema.collection());
  }
  std::string out;
  if (columns.size() == 1) {
    write_key_part(out, parts_.front(), schema.columns()[columns.front()].affinity);
    return out;
  }
  char separator = '[';
  for (const Value& part : parts_) {
    out += separator;
    model::append_typed_json(out, part);
    separator = ',';
  }
  out += ']';
  return out;
}

Key Key::parse(std::string_view text, const Schema& schema) {
  const std::vector<std::size_t>& columns = schema.key_columns();
  if (columns.empty()) {
    throw_no_key(schema);
  }
  std::vector<Value> parts;
  try {
    if (columns.size() == 1) {
      parts.push_back(parse_key_part(text, schema.columns()[columns.front()].affinity));
      return Key(std::move(parts));
    }
    Value value = parse_json(text);
    if (auto* array = value.get_if<Value::Array>()) {
      parts = std::move(*array);
    } else {
      throw ValidationError("it is no array");
    }
    if (parts.size() != columns.size()) {
      throw ValidationError("it has " + std::to_string(parts.size()) + " values");
    }
  } catch (const ValidationError& error) {
    std::string message = "this is not a key of '" + schema.collection() + "'";
    if (columns.size() > 1) {
      message += ", which is a JSON array of " + std::to_string(columns.size()) + " values";
    }
    throw ValidationError(message + ": " + error.what(), schema.collection());
  }
  return Key(std::move(parts));
}

}  // namespace ustream
