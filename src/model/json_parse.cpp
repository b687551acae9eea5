// Parses JSON text (RFC 8259) into values with RapidJSON, which hands numbers over as text: that is
// how no digit is lost on the way.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/json_text.hpp"
#include "model/number.hpp"
#include "model/typed_text.hpp"

namespace ustream {
namespace {

/// A container whose end has not been seen.
struct Open {
  bool is_object = false;
  Value::Array items;
  Value::Object members;  ///< the last one's value is being read
};

bool has_duplicate_names(const Value::Object& members) {
  constexpr std::size_t kFew = 12;
  if (members.size() <= kFew) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (members[i].name == members[j].name) {
          return true;
        }
      }
    }
    return false;
  }
  std::vector<std::string_view> names;
  names.reserve(members.size());
  for (const Member& member : members) {
    names.emplace_back(member.name);
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

/// Builds the value from RapidJSON's events. Its methods have the names and the bool (false stops)
/// that rapidjson::Reader asks for.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  Builder(const JsonLimits& limits, model::NestedContainers nested)
      : limits_(limits), nested_(nested) {}

  bool Null() { return put(nullptr); }
  bool Bool(bool value) { return put(value); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    return put(model::value_of_number({text, size}));
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    std::string value(text, size);
    // RapidJSON lets a lone low surrogate through.
    return is_valid_utf8(value) ? put(std::move(value)) : refuse("a lone surrogate in a string");
  }
  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    std::string name(text, size);
    if (!is_valid_utf8(name)) {
      return refuse("a lone surrogate in a member's name");
    }
    stack_.back().members.push_back({std::move(name), {}});
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndArray(rapidjson::SizeType /*count*/) {
    Value::Array items = std::move(stack_.back().items);
    stack_.pop_back();
    return put(std::move(items));
  }
  bool EndObject(rapidjson::SizeType /*count*/) {
    Value::Object members = std::move(stack_.back().members);
    stack_.pop_back();
    if (has_duplicate_names(members)) {
      return refuse("two members of one name in the object that ends");
    }
    Value value;
    return escape(members, value) && put(std::move(value));
  }

  [[nodiscard]] Value& root() { return root_; }
  /// Why an event was refused; empty when none was.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }

  bool open(bool is_object) {
    if (stack_.size() >= limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    stack_.emplace_back().is_object = is_object;
    return true;
  }

  bool put(Value value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().is_object) {
      stack_.back().members.back().value = std::move(value);
    } else {
      stack_.back().items.push_back(std::move(value));
    }
    return true;
  }

  /// An object of the form {"$type":T,"text":X} becomes the value it stands for.
  bool escape(Value::Object& members, Value& value) {
    const std::string* type = nullptr;
    const std::string* text = nullptr;
    if (members.size() == 2) {
      for (const Member& member : members) {
        if (member.name == "$type") {
          type = member.value.get_if<std::string>();
        } else if (member.name == "text") {
          text = member.value.get_if<std::string>();
        }
      }
    }
    if (type == nullptr || text == nullptr) {
      value = std::move(members);
      return true;
    }
    std::optional<Value> typed = model::value_of_escape(*type, *text, nested_);
    if (!typed) {
      return refuse("the text does not fit its \"$type\" " + *type + " in the object that ends");
    }
    value = *std::move(typed);
    return true;
  }

  const JsonLimits& limits_;
  model::NestedContainers nested_;
  std::vector<Open> stack_;
  Value root_;
  std::string error_;
};

/// The reason why the text is refused, or nullopt.
std::optional<std::string> parse(std::string_view text, const JsonLimits& limits,
                                 model::NestedContainers nested, Value& value) {
  if (text.size() > limits.max_bytes) {
    return "JSON: the text has " + std::to_string(text.size()) + " bytes, more than the " +
           std::to_string(limits.max_bytes) + " allowed";
  }
  // Iterative, so that depth costs memory within the limits and never the thread's stack.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag;
  rapidjson::MemoryStream stream(text.empty() ? "" : text.data(), text.size());
  Builder builder(limits, nested);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  const auto at = [](std::size_t offset) { return " at byte " + std::to_string(offset); };
  if (!result) {
    std::string why =
        builder.error().empty() ? rapidjson::GetParseError_En(result.Code()) : builder.error();
    if (why.ends_with('.')) {
      why.pop_back();
    }
    return "JSON: " + why + at(result.Offset());
  }
  if (stream.Tell() != text.size()) {
    return "JSON: more text behind the value" +
           at(stream.Tell());  // a NUL ends a stream of RapidJSON
  }
  value = std::move(builder.root());
  return std::nullopt;
}

}  // namespace

Value parse_json(std::string_view text, const JsonLimits& limits) {
  Value value;
  if (const auto error = parse(text, limits, model::NestedContainers::allowed, value)) {
    throw ValidationError(*error);
  }
  return value;
}

std::optional<Value> model::try_parse_json(std::string_view text, const JsonLimits& limits,
                                           NestedContainers nested) {
  Value value;
  return parse(text, limits, nested, value) ? std::nullopt : std::optional(std::move(value));
}

}  // namespace ustream
