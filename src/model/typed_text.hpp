// Values as text that tells its type: escapes {"$type":T,"text":X}, and JSON that reads back typed.
// docs/values.md, "Typed values in JSON".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ustream/value.hpp"

#include "model/json_text.hpp"

namespace ustream::model {

/// What the text of an escape begins with; no other key text begins so.
inline constexpr std::string_view kEscapePrefix = R"({"$type":)";

/// Appends {"$type":T,"text":X}. Throws ValidationError when a text in it is not valid UTF-8.
void append_escape(std::string& out, const ValueView& value);

/// The value of an escape, or nullopt when the text does not fit the type. A type that is not one
/// of to_string(ValueType) makes an Extended.
[[nodiscard]] std::optional<Value> value_of_escape(std::string_view type, std::string_view text,
                                                   NestedContainers nested);

/// Appends JSON that parse_json reads back as this very value: what plain JSON would lose the type
/// of is an escape. Throws as write_json does.
void append_typed_json(std::string& out, const ValueView& value);

}  // namespace ustream::model
