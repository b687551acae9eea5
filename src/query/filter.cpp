#include <utility>

#include "ustream/json.hpp"
#include "ustream/query.hpp"

#include "query/ast.hpp"
#include "query/parser.hpp"

namespace ustream {
namespace {

/// Whether a field that equals the constant has its hash, see Filter::indexable_equality.
bool is_indexable(const query::FilterNode& node) {
  if (node.op != query::Op::equal || node.path.dotted()) {
    return false;
  }
  const query::Constant& constant = node.constants.front();
  return constant.readings.empty() && constant.rank != query::Rank::null &&
         constant.rank != query::Rank::object && constant.rank != query::Rank::array;
}

}  // namespace

Filter Filter::parse(std::string_view json, const QueryLimits& limits) {
  return parse(parse_json(json), limits);
}

Filter Filter::parse(const Value& value, const QueryLimits& limits) {
  Filter filter;
  query::FilterNode tree = query::parse_filter(value, limits);
  if (tree.op == query::Op::all_of && tree.children.empty()) {
    return filter;
  }
  const auto root = std::make_shared<query::FilterNode>(std::move(tree));
  query::freeze(*root);
  filter.canonical_ = std::make_shared<const std::string>(query::canonical_text(*root));
  filter.root_ = root;
  return filter;
}

bool Filter::matches(const Document& document, Scratch& scratch) const {
  if (!document.has_value()) {
    return false;
  }
  return root_ == nullptr || query::evaluate(*root_, document, scratch);
}

bool Filter::matches(const Document& document) const {
  Scratch scratch;
  return matches(document, scratch);
}

const std::string& Filter::canonical() const noexcept {
  static const std::string kEverything = "{}";
  return canonical_ == nullptr ? kEverything : *canonical_;
}

std::optional<Filter::Equality> Filter::indexable_equality() const {
  if (root_ == nullptr) {
    return std::nullopt;
  }
  const query::FilterNode* best = is_indexable(*root_) ? root_.get() : nullptr;
  if (root_->op == query::Op::all_of) {
    for (const query::FilterNode& child : root_->children) {
      // A boolean tells only two halves apart.
      if (is_indexable(child) &&
          (best == nullptr || best->constants.front().rank == query::Rank::boolean)) {
        best = &child;
      }
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  return Equality{best->path.text(), best->constants.front().value};
}

}  // namespace ustream
