// Messages about names that are not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ustream::query {

/// The name in quotes, cut when it is long, fit for a message.
[[nodiscard]] std::string quoted(std::string_view name);

/// "; did you mean "$gte"?", or "; known are …" when nothing is near.
[[nodiscard]] std::string suggestion(std::string_view name,
                                     std::span<const std::string_view> known);

}  // namespace ustream::query
