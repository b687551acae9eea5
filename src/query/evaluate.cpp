#include <algorithm>

#include <re2/re2.h>

#include "query/ast.hpp"
#include "query/number.hpp"

namespace ustream::query {
namespace {

bool ordered_as(Op op, int order) noexcept {
  switch (op) {
    case Op::equal:
      return order == 0;
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::greater_equal:
      return order >= 0;
    default:
      return false;
  }
}

/// NaN is equal to NaN, and neither below nor above anything.
bool compare_with_nan(Op op, const ValueView& value, const Constant& constant) noexcept {
  return constant.nan && is_nan(value) && ordered_as(op, 0);
}

/// `value <op> constant`, within the constant's bracket.
bool compares(Op op, const ValueView& value, const Constant& constant) noexcept {
  const ValueView& operand = constant.view;
  if (value.type() == operand.type()) {
    // The two types that most filters are about, before anything general.
    if (value.type() == ValueType::int64) {
      return ordered_as(op, value.int64() < operand.int64()   ? -1
                            : value.int64() > operand.int64() ? 1
                                                              : 0);
    }
    if (value.type() == ValueType::string) {
      return op == Op::equal ? value.text() == operand.text()
                             : ordered_as(op, value.text().compare(operand.text()));
    }
  }
  const Rank rank = rank_of(value.type());
  if (rank == constant.rank) {
    if (rank == Rank::number && (constant.nan || is_nan(value))) {
      return compare_with_nan(op, value, constant);
    }
    return ordered_as(op, compare_same_rank(value, operand, rank));
  }
  return std::any_of(constant.readings.begin(), constant.readings.end(), [&](const Value& reading) {
    return reading.type() == value.type() &&
           ordered_as(op, compare_same_rank(value, reading, rank));
  });
}

bool holds_for_any_element(const FilterNode& leaf, const ValueView& value, Scratch& scratch) {
  const ValueView opened = open_json(value, scratch);
  if (holds(leaf, opened)) {
    return true;
  }
  if (opened.type() != ValueType::array) {
    return false;
  }
  const Value::Array& array = opened.array();
  return std::any_of(array.begin(), array.end(), [&](const Value& element) {
    return holds(leaf, open_json(element, scratch));
  });
}

bool evaluate_leaf(const FilterNode& leaf, const Document& document, Scratch& scratch) {
  if (leaf.op == Op::exists) {
    const bool found =
        any_leaf(document, leaf.path, scratch, [](const Leaf& value) { return value.has_value(); });
    return found == leaf.wanted;
  }
  return any_leaf(document, leaf.path, scratch, [&](const Leaf& value) {
    return value ? holds_for_any_element(leaf, *value, scratch) : holds_missing(leaf);
  });
}

bool is_text(const ValueView& value) noexcept {
  return value.type() == ValueType::string;
}

}  // namespace

InSet::InSet(const std::vector<Constant>& constants) {
  for (const Constant& constant : constants) {
    by_hash_.emplace_back(hash_value(constant.view), constant.view);
    for (const Value& reading : constant.readings) {
      by_hash_.emplace_back(hash_value(reading), ValueView(reading));
    }
  }
  std::sort(by_hash_.begin(), by_hash_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

bool InSet::contains(const ValueView& value) const noexcept {
  const std::uint64_t hash = hash_value(value);
  auto at = std::lower_bound(by_hash_.begin(), by_hash_.end(), hash,
                             [](const auto& entry, std::uint64_t h) { return entry.first < h; });
  for (; at != by_hash_.end() && at->first == hash; ++at) {
    if (values_equal(value, at->second)) {
      return true;
    }
  }
  return false;
}

void freeze(FilterNode& node) {
  for (FilterNode& child : node.children) {
    freeze(child);
  }
  for (Constant& constant : node.constants) {
    constant.view = ValueView(constant.value);
    constant.rank = rank_of(constant.value.type());
    constant.nan = constant.rank == Rank::number && is_nan(constant.view);
  }
  if (node.op == Op::in) {
    node.set = InSet(node.constants);
  }
}

bool holds(const FilterNode& leaf, const ValueView& value) noexcept {
  switch (leaf.op) {
    case Op::equal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
      return compares(leaf.op, value, leaf.constants.front());
    case Op::between:
      return compares(Op::greater_equal, value, leaf.constants.front()) &&
             compares(Op::less_equal, value, leaf.constants.back());
    case Op::in:
      return leaf.set.contains(value);
    case Op::regex:
      return is_text(value) && re2::RE2::PartialMatch(value.text(), *leaf.regex->program);
    case Op::like:
      return is_text(value) && leaf.like->matches(value.text());
    default:
      return false;
  }
}

bool holds_missing(const FilterNode& leaf) noexcept {
  return leaf.op == Op::exists ? !leaf.wanted : holds(leaf, ValueView::of_null());
}

bool evaluate(const FilterNode& node, const Document& document, Scratch& scratch) {
  const auto child_matches = [&](const FilterNode& child) {
    return evaluate(child, document, scratch);
  };
  switch (node.op) {
    case Op::all_of:
      return std::all_of(node.children.begin(), node.children.end(), child_matches);
    case Op::any_of:
      return std::any_of(node.children.begin(), node.children.end(), child_matches);
    case Op::negate:
      return !evaluate(node.children.front(), document, scratch);
    default:
      return evaluate_leaf(node, document, scratch);
  }
}

}  // namespace ustream::query
