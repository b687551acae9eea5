// Filters, sorts, projections and aggregation in MongoDB's style: docs/query-language.md is their
// one meaning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/document.hpp"
#include "ustream/value.hpp"

namespace ustream {

namespace query {
struct FilterNode;  // src/query/ast.hpp
struct Stage;
}  // namespace query

/// Limits on filters and pipelines that come from outside.
struct QueryLimits {
  std::size_t max_depth = 32;
  std::size_t max_nodes = 10'000;         ///< operators and operands together
  std::size_t max_pattern_bytes = 1'000;  ///< of one $regex or $like
  std::size_t max_stages = 100;
};

/// A parsed, checked filter. Immutable; copying shares it; any thread.
class Filter {
 public:
  Filter() noexcept = default;  ///< matches everything
  /// Throws ValidationError which names the offending part.
  [[nodiscard]] static Filter parse(std::string_view json, const QueryLimits& limits = {});
  [[nodiscard]] static Filter parse(const Value& value, const QueryLimits& limits = {});
  [[nodiscard]] static Filter parse(const std::string& json, const QueryLimits& limits = {}) {
    return parse(std::string_view(json), limits);
  }
  [[nodiscard]] static Filter parse(const char* json, const QueryLimits& limits = {}) {
    return parse(std::string_view(json), limits);
  }
  [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
  /// Evaluates in memory; decodes only the fields that the filter names. `scratch` may be used for
  /// decoding and grows until its owner clears it. No document (`!document`) never matches.
  [[nodiscard]] bool matches(const Document& document, Scratch& scratch) const;
  [[nodiscard]] bool matches(const Document& document) const;
  /// Canonical text: equal filters (up to the order of members) have equal text.
  [[nodiscard]] const std::string& canonical() const noexcept;
  [[nodiscard]] const query::FilterNode* root() const noexcept { return root_.get(); }
  /// A conjunct `field == constant` (top-level field; constant neither null, array, object nor a
  /// text that also reads as a date or time), or nullopt. In every matching document the field's
  /// value has the hash_value of the constant, unless that value is an array or json: equality
  /// matches an array by any element, so such documents must be tested by matches(). Subscriptions
  /// are indexed by it.
  struct Equality {
    std::string field;
    Value value;
  };
  [[nodiscard]] std::optional<Equality> indexable_equality() const;

 private:
  std::shared_ptr<const query::FilterNode> root_;
  std::shared_ptr<const std::string> canonical_;
};

struct SortField {
  std::string field;
  bool descending = false;
  bool operator==(const SortField&) const = default;
};

/// Parses {"a":1,"b":-1} or [["a",1],["b",-1]]. Throws ValidationError.
[[nodiscard]] std::vector<SortField> parse_sort(std::string_view json);
[[nodiscard]] std::vector<SortField> parse_sort(const Value& value);
[[nodiscard]] inline std::vector<SortField> parse_sort(const std::string& json) {
  return parse_sort(std::string_view(json));
}
[[nodiscard]] inline std::vector<SortField> parse_sort(const char* json) {
  return parse_sort(std::string_view(json));
}

/// Total order of values: docs/query-language.md, "Order". <0, 0, >0. Null and absent first.
[[nodiscard]] int compare_values(const ValueView& a, const ValueView& b) noexcept;
/// Filter equality of scalars: numbers compare by value over all number types, other types only
/// within their bracket.
[[nodiscard]] bool values_equal(const ValueView& a, const ValueView& b) noexcept;
/// A hash that is equal for values that values_equal.
[[nodiscard]] std::uint64_t hash_value(const ValueView& value) noexcept;

struct QueryOptions {
  Filter filter;
  std::vector<SortField> sort;  ///< ties are broken by the key, ascending, where there is one
  std::optional<std::uint64_t> limit;  ///< nullopt: no limit
  std::uint64_t skip = 0;
  std::vector<std::string> fields;  ///< empty: all
};

/// A parsed aggregation pipeline: $match $group $sort $limit $skip $project $count. Immutable,
/// shared, any thread.
class Pipeline {
 public:
  Pipeline() = default;
  [[nodiscard]] static Pipeline parse(std::string_view json, const QueryLimits& limits = {});
  [[nodiscard]] static Pipeline parse(const Value& value, const QueryLimits& limits = {});
  [[nodiscard]] static Pipeline parse(const std::string& json, const QueryLimits& limits = {}) {
    return parse(std::string_view(json), limits);
  }
  [[nodiscard]] static Pipeline parse(const char* json, const QueryLimits& limits = {}) {
    return parse(std::string_view(json), limits);
  }
  [[nodiscard]] const std::vector<query::Stage>& stages() const noexcept;
  /// The filter of a leading $match, which a source may apply itself (running it again is
  /// harmless); empty if none.
  [[nodiscard]] Filter leading_match() const;

 private:
  std::shared_ptr<const std::vector<query::Stage>> stages_;
};

/// Runs a pipeline over rows pushed one at a time; memory is bounded by the groups, by the rows
/// that must be sorted, and by the result. One thread at a time.
class PipelineRun {
 public:
  explicit PipelineRun(const Pipeline& pipeline);
  ~PipelineRun();
  PipelineRun(const PipelineRun&) = delete;
  PipelineRun& operator=(const PipelineRun&) = delete;
  /// Returns false when no further row can change the result (a $limit is full).
  bool push(const Document& row);
  /// The result rows, in order. Call once.
  [[nodiscard]] std::vector<Value::Object> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Sorts, skips and limits rows in memory, for sources that cannot do it exactly themselves. Rows
/// that tie keep the order in which they were pushed. With a limit it holds only limit+skip rows.
/// One thread at a time; finish() is called once.
class RowSorter {
 public:
  RowSorter(std::vector<SortField> sort, std::uint64_t skip, std::optional<std::uint64_t> limit);
  ~RowSorter();
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;
  void push(Document row);
  [[nodiscard]] std::vector<Document> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ustream
