// The stages of a parsed pipeline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ustream/document.hpp"
#include "ustream/query.hpp"
#include "ustream/value.hpp"

#include "query/path.hpp"

namespace ustream::query {

/// "$field", or a constant.
struct Expression {
  std::optional<Path> field;
  Value constant;
};

/// The value at the end of a path, taken from each object of an array passed through; nullopt:
/// none.
[[nodiscard]] std::optional<Value> field_value(const Document& row, const Path& path,
                                               Scratch& scratch);
/// nullopt: a field that is not there.
[[nodiscard]] std::optional<Value> evaluate(const Expression& expression, const Document& row,
                                            Scratch& scratch);

enum class Accumulate : std::uint8_t { sum, average, minimum, maximum, count };

struct MatchStage {
  Filter filter;
};
struct GroupStage {
  struct Output {
    std::string name;
    Accumulate kind = Accumulate::count;
    Expression operand;
  };
  bool id_is_object = false;
  std::vector<std::pair<std::string, Expression>> id;  ///< one without a name when it is no object
  std::vector<Output> outputs;
};
struct SortStage {
  std::vector<SortField> fields;
};
struct LimitStage {
  std::uint64_t rows = 0;
};
struct SkipStage {
  std::uint64_t rows = 0;
};
struct CountStage {
  std::string name;
};

/// Named parts of a row, as a tree of the dotted paths.
struct FieldTree {
  std::string name;
  bool whole = false;  ///< a path ends here
  std::vector<FieldTree> children;

  [[nodiscard]] const FieldTree* find(std::string_view child) const noexcept;
  /// Returns false when the path collides with one that is there.
  [[nodiscard]] bool add(const Path& path, std::size_t at = 0);
};
struct ProjectStage {
  bool include = true;
  FieldTree fields;
  std::vector<std::string> exact;  ///< the paths' full texts, sorted: a field may be named so
  std::vector<std::pair<std::string, Path>> renames;

  [[nodiscard]] Value::Object apply(const Document& row, Scratch& scratch) const;
};

struct Stage {
  std::variant<MatchStage, GroupStage, SortStage, LimitStage, SkipStage, CountStage, ProjectStage>
      what;
};

}  // namespace ustream::query
