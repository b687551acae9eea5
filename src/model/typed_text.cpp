#include "model/typed_text.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/json_text.hpp"
#include "model/number.hpp"
#include "model/temporal.hpp"

namespace ustream::model {
namespace {

/// The type with this name; nullopt for a name that only one database knows.
std::optional<ValueType> type_of_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(ValueType::extended); ++i) {
    const auto type = static_cast<ValueType>(i);
    if (to_string(type) == name) {
      return type;
    }
  }
  return std::nullopt;
}

/// An Extended whose type is named like one of ours: as the pair ["type","text"].
void append_extended_pair(std::string& out, const Extended& value) {
  out += '[';
  write_json_string(out, value.type);
  out += ',';
  write_json_string(out, value.text);
  out += ']';
}

std::string escape_text(const ValueView& value) {
  std::string text;
  switch (value.type()) {
    case ValueType::null:
      break;
    case ValueType::boolean:
      text = value.boolean() ? "true" : "false";
      break;
    case ValueType::int64:
      append_int(text, value.int64());
      break;
    case ValueType::uint64:
      append_uint(text, value.uint64());
      break;
    case ValueType::float32:
      append_float(text, value.float32());
      break;
    case ValueType::float64:
      append_double(text, value.float64());
      break;
    case ValueType::decimal:
    case ValueType::string:
    case ValueType::json:
      text = value.text();
      break;
    case ValueType::bytes:
      append_base64(text, value.text());
      break;
    case ValueType::date:
      append_text(text, value.date());
      break;
    case ValueType::time:
      append_text(text, Time{value.micros(), value.digits()});
      break;
    case ValueType::timestamp:
      append_text(text, Timestamp{value.micros()});
      break;
    case ValueType::datetime:
      append_text(text, DateTime{value.micros(), value.digits()});
      break;
    case ValueType::uuid:
      append_text(text, value.uuid());
      break;
    case ValueType::objectid:
      append_text(text, value.objectid());
      break;
    case ValueType::array:
    case ValueType::object:
      append_typed_json(text, value);
      break;
    case ValueType::extended:
      append_extended_pair(text, value.extended());
      break;
  }
  return text;
}

template <class T>
std::optional<Value> lift(std::optional<T> value) {
  return value ? std::optional<Value>(*std::move(value)) : std::nullopt;
}

std::optional<Value> nested_value(ValueType type, std::string_view text) {
  std::optional<Value> value = try_parse_json(text, {}, NestedContainers::refused);
  if (!value) {
    return std::nullopt;
  }
  if (type == ValueType::json) {
    return Json{std::string(text)};
  }
  if (type != ValueType::extended) {
    return value->type() == type ? value : std::nullopt;
  }
  const auto* pair = value->get_if<Value::Array>();
  if (pair == nullptr || pair->size() != 2 || (*pair)[0].type() != ValueType::string ||
      (*pair)[1].type() != ValueType::string) {
    return std::nullopt;
  }
  return Extended{(*pair)[0].as_string(), (*pair)[1].as_string()};
}

bool reads_back_from_plain_json(const ValueView& value) noexcept {
  switch (value.type()) {
    case ValueType::null:
    case ValueType::boolean:
    case ValueType::int64:
    case ValueType::string:
      return true;
    case ValueType::uint64:
      return value.uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    case ValueType::float64:
      return std::isfinite(value.float64());
    default:
      return false;
  }
}

void append_typed(std::string& out, const ValueView& value, std::size_t depth) {
  check_write_depth(depth);
  if (value.type() == ValueType::array) {
    out += '[';
    const char* separator = "";
    for (const Value& item : value.array()) {
      out += separator;
      append_typed(out, item, depth + 1);
      separator = ",";
    }
    out += ']';
  } else if (value.type() == ValueType::object) {
    out += '{';
    const char* separator = "";
    for (const Member& member : value.object()) {
      out += separator;
      write_json_string(out, member.name);
      out += ':';
      append_typed(out, member.value, depth + 1);
      separator = ",";
    }
    out += '}';
  } else if (reads_back_from_plain_json(value)) {
    write_json(out, value);
  } else {
    append_escape(out, value);
  }
}

}  // namespace

void append_escape(std::string& out, const ValueView& value) {
  out += kEscapePrefix;
  if (value.type() == ValueType::extended && !type_of_name(value.extended().type)) {
    write_json_string(out, value.extended().type);
    out += R"(,"text":)";
    write_json_string(out, value.extended().text);
  } else {
    write_json_string(out, to_string(value.type()));
    out += R"(,"text":)";
    write_json_string(out, escape_text(value));
  }
  out += '}';
}

std::optional<Value> value_of_escape(std::string_view type, std::string_view text,
                                     NestedContainers nested) {
  const std::optional<ValueType> known = type_of_name(type);
  if (!known) {
    return Extended{std::string(type), std::string(text)};
  }
  switch (*known) {
    case ValueType::null:
      return text.empty() ? std::optional<Value>(Value()) : std::nullopt;
    case ValueType::boolean:
      return text == "true" || text == "false" ? std::optional<Value>(text == "true")
                                               : std::nullopt;
    case ValueType::int64:
      return lift(parse_exactly<std::int64_t>(text));
    case ValueType::uint64:
      return lift(parse_exactly<std::uint64_t>(text));
    case ValueType::float32:
      return lift(parse_exactly<float>(text));
    case ValueType::float64:
      return lift(parse_exactly<double>(text));
    case ValueType::decimal:
      return is_decimal_text(text) ? std::optional<Value>(Decimal{std::string(text)})
                                   : std::nullopt;
    case ValueType::string:
      return Value(text);
    case ValueType::bytes: {
      Bytes bytes;
      return decode_base64(text, bytes.data) ? std::optional<Value>(std::move(bytes))
                                             : std::nullopt;
    }
    case ValueType::date:
      return lift(parse_date(text));
    case ValueType::time:
      return lift(parse_time(text));
    case ValueType::timestamp:
      return lift(parse_timestamp(text));
    case ValueType::datetime:
      return lift(parse_datetime(text));
    case ValueType::uuid:
      return lift(parse_uuid(text));
    case ValueType::objectid:
      return lift(parse_objectid(text));
    case ValueType::array:
    case ValueType::object:
      return nested == NestedContainers::allowed ? nested_value(*known, text) : std::nullopt;
    case ValueType::json:
    case ValueType::extended:
      return nested_value(*known, text);
  }
  return std::nullopt;
}

void append_typed_json(std::string& out, const ValueView& value) {
  append_typed(out, value, 0);
}

}  // namespace ustream::model
