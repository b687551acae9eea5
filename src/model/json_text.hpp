// JSON text, between the parser, the writer and the typed texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/json.hpp"

namespace ustream::model {

/// Whether an escape may hold an array or an object, which is JSON text inside JSON text: one level
/// of that, so that what is read is never much deeper than the limit.
enum class NestedContainers : std::uint8_t { allowed, refused };

/// As parse_json, with nullopt for what it would throw on.
[[nodiscard]] std::optional<Value> try_parse_json(
    std::string_view text, const JsonLimits& limits = {},
    NestedContainers nested = NestedContainers::allowed);

/// Appends `separator`, the name as a JSON string, a colon and the value: what write_json_string
/// and write_json do, with fewer and larger steps.
void write_json_member(std::string& out, char separator, std::string_view name,
                       const ValueView& value);

/// Values nested deeper than this are not written: the writers recurse, on stacks of any thread.
inline constexpr std::size_t kMaxWriteDepth = 500;
/// Throws ValidationError beyond kMaxWriteDepth.
void check_write_depth(std::size_t depth);

}  // namespace ustream::model
