// The brackets of values and how they compare: docs/query-language.md, "Order".
#pragma once

#include <cstdint>
#include <string_view>

#include "ustream/document.hpp"
#include "ustream/value.hpp"

namespace ustream::query {

/// The bracket of a value, in sort order. Comparisons match within one bracket only.
enum class Rank : std::uint8_t {
  null,
  number,
  string,
  object,
  array,
  bytes,
  objectid,
  uuid,
  boolean,
  date,
  time,
  timestamp,
  datetime,
  extended,
  opaque  ///< JSON text that does not parse
};

/// REQUIRES that `type` is not json: open_json() first.
[[nodiscard]] Rank rank_of(ValueType type) noexcept;

/// What a json value holds, parsed into `scratch`; any other value as it is. Text that is no JSON
/// stays as it is.
[[nodiscard]] ValueView open_json(const ValueView& value, Scratch& scratch);

/// Order of two values of the same rank, neither of them json on the outside.
[[nodiscard]] int compare_same_rank(const ValueView& a, const ValueView& b, Rank rank) noexcept;

}  // namespace ustream::query
