// How a filter becomes parameterised SQL. A third-party connector can bring its own dialect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/query.hpp"
#include "ustream/schema.hpp"
#include "ustream/value.hpp"

namespace ustream {

/// Stands in a fragment's text for its next parameter; translate_filter puts placeholder(n) in its
/// place. SQL text cannot hold it otherwise.
inline constexpr char kParameterMark = '\0';

/// A piece of SQL with its parameters, in order of their placeholders. No value ever stands in the
/// text. What a dialect returns has a kParameterMark for each parameter, what translate_filter
/// returns has placeholders.
struct SqlFragment {
  std::string text;
  std::vector<Value> parameters;
};

/// What a database's SQL can say exactly. Stateless and immutable: any thread.
///
/// Each `*_sql` call returns nullopt when the dialect cannot say it; the caller then fetches a
/// superset and the evaluator decides. `column` is already quoted. A fragment must be TRUE exactly
/// when the operator matches by docs/query-language.md (or, where `exact` is set to false, whenever
/// it matches and possibly more), and never NULL.
class SqlDialect {
 public:
  SqlDialect() = default;
  SqlDialect(const SqlDialect&) = delete;
  SqlDialect& operator=(const SqlDialect&) = delete;
  virtual ~SqlDialect() = default;

  enum class Comparison { equal, less, less_equal, greater, greater_equal };

  /// `name` as an identifier of this dialect, quotes doubled.
  [[nodiscard]] virtual std::string quote(std::string_view name) const = 0;
  /// The n-th placeholder of a statement, from 1: "?" or "$1".
  [[nodiscard]] virtual std::string placeholder(std::size_t n) const = 0;
  /// `column <op> value`, with type brackets: false for values of another type. `value` is any
  /// value but null and json. A string also stands for the date, time, timestamp or date-time it
  /// reads as, where the column holds one. `exact` starts as true.
  [[nodiscard]] virtual std::optional<SqlFragment> compare_sql(const Column& column,
                                                               std::string_view quoted,
                                                               Comparison op, const Value& value,
                                                               bool& exact) const = 0;
  /// `column` IS NULL (a column of a row is never missing).
  [[nodiscard]] virtual std::optional<SqlFragment> null_sql(const Column& column,
                                                            std::string_view quoted) const = 0;
  /// `$in`, without null among the values: may be left to a disjunction of compare_sql by returning
  /// nullopt.
  [[nodiscard]] virtual std::optional<SqlFragment> in_sql(const Column& column,
                                                          std::string_view quoted,
                                                          const std::vector<Value>& values,
                                                          bool& exact) const = 0;
  /// `$like`: % any run, _ one character, \ escapes; case-sensitive.
  [[nodiscard]] virtual std::optional<SqlFragment> like_sql(const Column& column,
                                                            std::string_view quoted,
                                                            std::string_view pattern,
                                                            bool& exact) const = 0;
  /// An ORDER BY term that sorts exactly as compare_values, or nullopt.
  [[nodiscard]] virtual std::optional<std::string> order_sql(const Column& column,
                                                             std::string_view quoted,
                                                             bool descending) const = 0;
};

/// A WHERE clause for a filter.
struct SqlWhere {
  SqlFragment where;  ///< text is empty when everything is fetched
  bool exact = true;  ///< false: a superset; the evaluator must check each row again
};

/// Translates `filter`, whose placeholders are numbered from `first_parameter`. Parts that the
/// dialect cannot say are left out and make the result a superset. A filter that would take more
/// than 30,000 parameters or 500,000 bytes of SQL is not translated at all. A field that is no
/// column of the schema is missing. Thread-safe.
[[nodiscard]] SqlWhere translate_filter(const Filter& filter, const Schema& schema,
                                        const SqlDialect& dialect, std::size_t first_parameter = 1);
/// ORDER BY list (without the words), tie-broken by the key; nullopt when the dialect cannot sort
/// exactly so. Empty when there is nothing to sort by. Thread-safe.
[[nodiscard]] std::optional<std::string> translate_sort(const std::vector<SortField>& sort,
                                                        const Schema& schema,
                                                        const SqlDialect& dialect);

}  // namespace ustream
