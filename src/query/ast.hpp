// The syntax tree of a filter, ready to run. Parsing leaves these operators only: $ne, $nin, $nor
// and $not are `negate` over what they deny; implicit $and and $eq are explicit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ustream/query.hpp"
#include "ustream/value.hpp"

#include "query/compare.hpp"
#include "query/like.hpp"
#include "query/path.hpp"

namespace re2 {
class RE2;
}

namespace ustream::query {

enum class Op : std::uint8_t {
  all_of,  ///< of the children, at least two
  any_of,  ///< of the children, at least two
  negate,  ///< of the one child
  equal,
  less,
  less_equal,
  greater,
  greater_equal,
  between,  ///< constants: low, high
  in,       ///< constants: sorted, distinct
  exists,
  regex,
  like
};

/// An operand. A string that reads as a date, time, timestamp or date-time also stands for those.
struct Constant {
  Value value;
  std::vector<Value> readings;

  // Set by freeze(): views into the above.
  ValueView view;
  Rank rank = Rank::null;
  bool nan = false;
};

/// Whether a value equals one of many constants.
class InSet {
 public:
  InSet() = default;
  /// The constants must outlive the set and stay where they are.
  explicit InSet(const std::vector<Constant>& constants);
  [[nodiscard]] bool contains(const ValueView& value) const noexcept;

 private:
  std::vector<std::pair<std::uint64_t, ValueView>> by_hash_;  ///< sorted by hash
};

/// $regex with its $options, as given.
struct Regex {
  std::string pattern;
  std::string options;  ///< sorted
  std::shared_ptr<const re2::RE2> program;
};

/// Immutable once frozen: any thread.
struct FilterNode {
  FilterNode() = default;
  explicit FilterNode(Op kind) : op(kind) {}
  FilterNode(const FilterNode&) = delete;
  FilterNode& operator=(const FilterNode&) = delete;
  FilterNode(FilterNode&&) = default;
  FilterNode& operator=(FilterNode&&) = default;
  ~FilterNode() = default;

  Op op = Op::all_of;
  std::vector<FilterNode> children;  ///< of all_of, any_of, negate

  Path path;  ///< of the operators below negate
  std::vector<Constant> constants;
  InSet set;
  bool wanted = true;  ///< of exists
  std::unique_ptr<const Regex> regex;
  std::string like_text;
  std::unique_ptr<const LikePattern> like;
};

/// Resolves the views of a finished tree, which must not move afterwards.
void freeze(FilterNode& node);

/// Whether the node's operator, path left aside, holds for a value; missing is null. The value is
/// not json. REQUIRES a leaf other than `exists`.
[[nodiscard]] bool holds(const FilterNode& leaf, const ValueView& value) noexcept;

[[nodiscard]] bool evaluate(const FilterNode& node, const Document& document, Scratch& scratch);
/// The outcome of a leaf for a field that is not there.
[[nodiscard]] bool holds_missing(const FilterNode& leaf) noexcept;

/// The one text of equal trees; JSON that parses to the same tree.
[[nodiscard]] std::string canonical_text(const FilterNode& node);

}  // namespace ustream::query
