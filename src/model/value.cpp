#include "ustream/value.hpp"

#include <limits>

#include "ustream/error.hpp"

#include "model/number.hpp"

namespace ustream {
namespace {

[[noreturn]] void wrong_type(std::string_view expected, const Value& value) {
  throw ValidationError("expected " + std::string(expected) + ", got " +
                        std::string(to_string(value.type())));
}

// The enumerators are the alternatives of Storage, in order.
static_assert(std::variant_size_v<Value::Storage> ==
              static_cast<std::size_t>(ValueType::extended) + 1);

}  // namespace

std::string_view to_string(ValueType type) noexcept {
  constexpr std::array<std::string_view, 19> kNames = {
      "null",     "boolean", "int64", "uint64", "float32",   "float64",  "decimal",
      "string",   "bytes",   "date",  "time",   "timestamp", "datetime", "uuid",
      "objectid", "json",    "array", "object", "extended"};
  return kNames[static_cast<std::size_t>(type)];
}

bool Value::as_bool() const {
  if (const auto* v = get_if<bool>()) {
    return *v;
  }
  wrong_type("a boolean", *this);
}

std::int64_t Value::as_int64() const {
  if (const auto* v = get_if<std::int64_t>()) {
    return *v;
  }
  const auto* u = get_if<std::uint64_t>();
  if (u == nullptr) {
    wrong_type("an integer", *this);
  }
  if (*u > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw ValidationError("the integer " + std::to_string(*u) + " is too large");
  }
  return static_cast<std::int64_t>(*u);
}

double Value::as_double() const {
  switch (type()) {
    case ValueType::int64:
      return static_cast<double>(*get_if<std::int64_t>());
    case ValueType::uint64:
      return static_cast<double>(*get_if<std::uint64_t>());
    case ValueType::float32:
      return static_cast<double>(*get_if<float>());
    case ValueType::float64:
      return *get_if<double>();
    case ValueType::decimal:
      return model::double_of_decimal(get_if<Decimal>()->digits);
    default:
      wrong_type("a number", *this);
  }
}

const std::string& Value::as_string() const {
  if (const auto* v = get_if<std::string>()) {
    return *v;
  }
  wrong_type("a string", *this);
}

const Value::Array& Value::as_array() const {
  if (const auto* v = get_if<Array>()) {
    return *v;
  }
  wrong_type("an array", *this);
}

const Value::Object& Value::as_object() const {
  if (const auto* v = get_if<Object>()) {
    return *v;
  }
  wrong_type("an object", *this);
}

const Value* Value::find(std::string_view name) const noexcept {
  if (const auto* object = get_if<Object>()) {
    for (const Member& member : *object) {
      if (member.name == name) {
        return &member.value;
      }
    }
  }
  return nullptr;
}

bool Value::operator==(const Value& other) const {
  return storage_ == other.storage_;
}

ValueView::ValueView(const Value& value) noexcept {
  switch (value.type()) {
    case ValueType::null:
      break;
    case ValueType::boolean:
      *this = of(*value.get_if<bool>());
      break;
    case ValueType::int64:
      *this = of(*value.get_if<std::int64_t>());
      break;
    case ValueType::uint64:
      *this = of(*value.get_if<std::uint64_t>());
      break;
    case ValueType::float32:
      *this = of(*value.get_if<float>());
      break;
    case ValueType::float64:
      *this = of(*value.get_if<double>());
      break;
    case ValueType::decimal:
      *this = of_text(ValueType::decimal, value.get_if<Decimal>()->digits);
      break;
    case ValueType::string:
      *this = of(std::string_view(*value.get_if<std::string>()));
      break;
    case ValueType::bytes:
      *this = of_text(ValueType::bytes, value.get_if<Bytes>()->data);
      break;
    case ValueType::date:
      *this = of(*value.get_if<Date>());
      break;
    case ValueType::time:
      *this = of(*value.get_if<Time>());
      break;
    case ValueType::timestamp:
      *this = of(*value.get_if<Timestamp>());
      break;
    case ValueType::datetime:
      *this = of(*value.get_if<DateTime>());
      break;
    case ValueType::json:
      *this = of_text(ValueType::json, value.get_if<Json>()->text);
      break;
    case ValueType::uuid:
      pointer_ = value.get_if<Uuid>();
      break;
    case ValueType::objectid:
      pointer_ = value.get_if<ObjectId>();
      break;
    case ValueType::array:
      pointer_ = value.get_if<Value::Array>();
      break;
    case ValueType::object:
      pointer_ = value.get_if<Value::Object>();
      break;
    case ValueType::extended:
      pointer_ = value.get_if<Extended>();
      break;
  }
  type_ = value.type();
}

Value ValueView::to_value() const {
  switch (type_) {
    case ValueType::null:
      break;
    case ValueType::boolean:
      return boolean();
    case ValueType::int64:
      return int64();
    case ValueType::uint64:
      return uint64();
    case ValueType::float32:
      return float32();
    case ValueType::float64:
      return float64();
    case ValueType::decimal:
      return Decimal{std::string(text())};
    case ValueType::string:
      return text();
    case ValueType::bytes:
      return Bytes{std::string(text())};
    case ValueType::date:
      return date();
    case ValueType::time:
      return Time{micros(), digits()};
    case ValueType::timestamp:
      return Timestamp{micros()};
    case ValueType::datetime:
      return DateTime{micros(), digits()};
    case ValueType::uuid:
      return uuid();
    case ValueType::objectid:
      return objectid();
    case ValueType::json:
      return Json{std::string(text())};
    case ValueType::array:
      return array();
    case ValueType::object:
      return object();
    case ValueType::extended:
      return extended();
  }
  return {};
}

}  // namespace ustream
