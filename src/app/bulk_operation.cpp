#include "app/bulk_operation.hpp"

#include <string>

#include "ustream/json.hpp"

#include "app/command.hpp"

namespace ustream::app {
namespace {

constexpr const char* kForms =
    R"(an operation is {"write":{"collection":…,"key":…,"data":{…}}} or )"
    R"({"delete":{"collection":…,"key":…}})";

const std::string& text_of(const Value& value, const char* name) {
  const auto* text = value.get_if<std::string>();
  if (text == nullptr) {
    throw ValidationError(std::string("\"") + name + "\" is not a string");
  }
  return *text;
}

std::string key_of(const Value& value) {
  switch (value.type()) {
    case ValueType::null:
    case ValueType::boolean:
      throw ValidationError("\"key\" is a string, a number or, for a composite key, an array");
    default:
      return key_text(value);
  }
}

WriteMode mode_of(const Value& value) {
  const std::string& text = text_of(value, "mode");
  if (text == "merge") {
    return WriteMode::merge;
  }
  if (text == "replace") {
    return WriteMode::replace;
  }
  throw ValidationError("\"mode\" is \"merge\" or \"replace\"");
}

void take_member(BulkOperation& operation, const Member& member, bool is_write) {
  if (member.name == "collection") {
    operation.collection = text_of(member.value, "collection");
  } else if (member.name == "key") {
    operation.key = key_of(member.value);
  } else if (is_write && member.name == "data") {
    const auto* data = member.value.get_if<Value::Object>();
    if (data == nullptr) {
      throw ValidationError("\"data\" is not a JSON object");
    }
    operation.data = *data;
  } else if (is_write && member.name == "mode") {
    operation.mode = mode_of(member.value);
  } else {
    throw ValidationError("an operation has no member \"" + member.name + "\"");
  }
}

}  // namespace

BulkOperation parse_bulk_operation(std::string_view line) {
  const Value value = parse_json(line);
  const auto* object = value.get_if<Value::Object>();
  if (object == nullptr || object->size() != 1) {
    throw ValidationError(kForms);
  }
  const Member& what = object->front();
  const bool is_write = what.name == "write";
  const auto* members = what.value.get_if<Value::Object>();
  if ((!is_write && what.name != "delete") || members == nullptr) {
    throw ValidationError(kForms);
  }
  BulkOperation operation;
  bool has_key = false;
  for (const Member& member : *members) {
    take_member(operation, member, is_write);
    has_key = has_key || member.name == "key";
  }
  if (operation.collection.empty()) {
    throw ValidationError("\"collection\" is missing");
  }
  if (is_write && !operation.data) {
    throw ValidationError("\"data\" is missing");
  }
  if (!is_write && !has_key) {
    throw ValidationError("\"key\" is missing");
  }
  return operation;
}

}  // namespace ustream::app
