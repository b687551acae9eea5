// From a JSON value to the tree of a filter.
#pragma once

#include "ustream/query.hpp"
#include "ustream/value.hpp"

#include "query/ast.hpp"

namespace ustream::query {

/// Throws ValidationError which names the offending part. The tree is not frozen. A filter that
/// matches everything is an all_of without children.
[[nodiscard]] FilterNode parse_filter(const Value& value, const QueryLimits& limits);

/// A field path that a query may name; throws ValidationError when it has too many parts.
[[nodiscard]] Path parse_path(std::string_view text, const QueryLimits& limits);

}  // namespace ustream::query
