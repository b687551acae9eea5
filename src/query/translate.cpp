#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "ustream/sql_dialect.hpp"

#include "query/ast.hpp"

namespace ustream {
namespace query {
namespace {

/// SQLite allows 32,766 parameters, and others more.
constexpr std::size_t kMaxParameters = 30'000;
/// Half of SQLite's limit on a statement.
constexpr std::size_t kMaxTextBytes = 500'000;

/// What is known of the rows that a part of the filter matches.
struct Part {
  enum class Kind : std::uint8_t { everything, nothing, sql };
  Kind kind = Kind::everything;
  SqlFragment sql;
  bool exact = true;  ///< false: a superset

  static Part constant(bool value) { return {value ? Kind::everything : Kind::nothing, {}, true}; }
  static Part unknown() { return {Kind::everything, {}, false}; }
};

void append(SqlFragment& out, SqlFragment&& more) {
  out.text += more.text;
  out.parameters.insert(out.parameters.end(), std::make_move_iterator(more.parameters.begin()),
                        std::make_move_iterator(more.parameters.end()));
}

/// Joins as a balanced tree: databases limit the depth of an expression.
void join(SqlFragment& out, std::span<Part> parts, std::string_view word) {
  if (parts.size() == 1) {
    append(out, std::move(parts.front().sql));
    return;
  }
  const std::size_t half = parts.size() / 2;
  out.text += '(';
  join(out, parts.first(half), word);
  out.text += word;
  join(out, parts.subspan(half), word);
  out.text += ')';
}

Part join(std::vector<Part> parts, std::string_view word) {
  Part result;
  result.kind = Part::Kind::sql;
  result.exact = std::all_of(parts.begin(), parts.end(), [](const Part& p) { return p.exact; });
  join(result.sql, parts, word);
  return result;
}

Part conjunction(std::vector<Part> parts) {
  bool exact = true;
  std::vector<Part> kept;
  for (Part& part : parts) {
    if (part.kind == Part::Kind::nothing) {
      return Part::constant(false);
    }
    exact = exact && part.exact;
    if (part.kind == Part::Kind::sql) {
      kept.push_back(std::move(part));
    }
  }
  Part result = kept.empty() ? Part::constant(true) : join(std::move(kept), " AND ");
  result.exact = exact;
  return result;
}

Part disjunction(std::vector<Part> parts) {
  std::vector<Part> kept;
  bool unknown = false;
  for (Part& part : parts) {
    if (part.kind == Part::Kind::everything) {
      if (part.exact) {
        return Part::constant(true);
      }
      unknown = true;
    } else if (part.kind == Part::Kind::sql) {
      kept.push_back(std::move(part));
    }
  }
  if (unknown) {
    return Part::unknown();
  }
  return kept.empty() ? Part::constant(false) : join(std::move(kept), " OR ");
}

Part negation(Part part) {
  if (!part.exact) {
    return Part::unknown();  // the complement of a superset is no superset
  }
  if (part.kind != Part::Kind::sql) {
    return Part::constant(part.kind == Part::Kind::nothing);
  }
  part.sql.text = "(NOT " + part.sql.text + ')';
  return part;
}

Part of_fragment(std::optional<SqlFragment> fragment, bool exact = true) {
  if (!fragment) {
    return Part::unknown();
  }
  Part part{Part::Kind::sql, *std::move(fragment), exact};
  part.sql.text = '(' + part.sql.text + ')';
  return part;
}

class Translator {
 public:
  Translator(const Schema& schema, const SqlDialect& dialect)
      : schema_(schema), dialect_(dialect) {}

  // As deep as the filter is, which the parser bounds.
  [[nodiscard]] Part translate(const FilterNode& node) const {
    switch (node.op) {
      case Op::all_of:
        return conjunction(children(node));
      case Op::any_of:
        return disjunction(children(node));
      case Op::negate:
        return negation(translate(node.children.front()));
      default:
        return leaf(node);
    }
  }

 private:
  struct Target {
    const Column& column;
    std::string quoted;
  };

  [[nodiscard]] std::vector<Part> children(const FilterNode& node) const {
    std::vector<Part> parts;
    parts.reserve(node.children.size());
    for (const FilterNode& child : node.children) {
      parts.push_back(translate(child));
    }
    return parts;
  }

  [[nodiscard]] Part leaf(const FilterNode& node) const {
    const auto index = schema_.find(node.path.text());
    if (!index) {
      const bool below_column = node.path.dotted() && schema_.find(node.path.segment(0));
      return below_column ? Part::unknown() : Part::constant(holds_missing(node));
    }
    const Column& column = schema_.columns()[*index];
    if (column.name.find(kParameterMark) != std::string::npos) {
      return Part::unknown();
    }
    const Target target{column, dialect_.quote(column.name)};
    bool exact = true;
    switch (node.op) {
      case Op::exists:
        return Part::constant(node.wanted);
      case Op::like: {
        auto fragment = dialect_.like_sql(column, target.quoted, node.like_text, exact);
        return of_fragment(std::move(fragment), exact);
      }
      case Op::in:
        return in(node, target);
      case Op::between: {
        std::vector<Part> bounds;
        bounds.push_back(compare(Op::greater_equal, node.constants.front(), target));
        bounds.push_back(compare(Op::less_equal, node.constants.back(), target));
        return conjunction(std::move(bounds));
      }
      case Op::regex:
        return Part::unknown();
      default:
        return compare(node.op, node.constants.front(), target);
    }
  }

  [[nodiscard]] Part compare(Op op, const Constant& constant, const Target& target) const {
    if (constant.rank == Rank::null) {
      // Null is neither below nor above null.
      return op == Op::less || op == Op::greater
                 ? Part::constant(false)
                 : of_fragment(dialect_.null_sql(target.column, target.quoted));
    }
    bool exact = true;
    auto fragment =
        dialect_.compare_sql(target.column, target.quoted, comparison(op), constant.value, exact);
    return of_fragment(std::move(fragment), exact);
  }

  [[nodiscard]] Part in(const FilterNode& node, const Target& target) const {
    std::vector<Part> parts;
    std::vector<Value> values;
    for (const Constant& constant : node.constants) {
      if (constant.rank == Rank::null) {
        parts.push_back(compare(Op::equal, constant, target));
      } else {
        values.push_back(constant.value);
      }
    }
    bool exact = true;
    if (values.empty()) {
      return disjunction(std::move(parts));
    }
    if (auto fragment = dialect_.in_sql(target.column, target.quoted, values, exact)) {
      parts.push_back(of_fragment(std::move(fragment), exact));
      return disjunction(std::move(parts));
    }
    for (const Constant& constant : node.constants) {
      if (constant.rank != Rank::null) {
        parts.push_back(compare(Op::equal, constant, target));
      }
    }
    return disjunction(std::move(parts));
  }

  static SqlDialect::Comparison comparison(Op op) {
    switch (op) {
      case Op::less:
        return SqlDialect::Comparison::less;
      case Op::less_equal:
        return SqlDialect::Comparison::less_equal;
      case Op::greater:
        return SqlDialect::Comparison::greater;
      case Op::greater_equal:
        return SqlDialect::Comparison::greater_equal;
      default:
        return SqlDialect::Comparison::equal;
    }
  }

  const Schema& schema_;
  const SqlDialect& dialect_;
};

std::string with_placeholders(const std::string& text, const SqlDialect& dialect, std::size_t n) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c == kParameterMark) {
      result += dialect.placeholder(n++);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace
}  // namespace query

SqlWhere translate_filter(const Filter& filter, const Schema& schema, const SqlDialect& dialect,
                          std::size_t first_parameter) {
  SqlWhere result;
  if (filter.empty()) {
    return result;
  }
  query::Part part = query::Translator(schema, dialect).translate(*filter.root());
  result.exact = part.exact;
  if (part.kind == query::Part::Kind::everything) {
    return result;
  }
  if (part.kind == query::Part::Kind::nothing) {
    result.where.text = "1=0";
    return result;
  }
  std::string text = query::with_placeholders(part.sql.text, dialect, first_parameter);
  if (part.sql.parameters.size() > query::kMaxParameters || text.size() > query::kMaxTextBytes) {
    result.exact = false;
    return result;
  }
  result.where.text = std::move(text);
  result.where.parameters = std::move(part.sql.parameters);
  return result;
}

std::optional<std::string> translate_sort(const std::vector<SortField>& sort, const Schema& schema,
                                          const SqlDialect& dialect) {
  std::string out;
  std::vector<std::size_t> used;
  const auto add = [&](std::size_t index, bool descending) {
    if (std::find(used.begin(), used.end(), index) != used.end()) {
      return true;
    }
    used.push_back(index);
    const Column& column = schema.columns()[index];
    const auto term = dialect.order_sql(column, dialect.quote(column.name), descending);
    if (term) {
      out += out.empty() ? "" : ", ";
      out += *term;
    }
    return term.has_value();
  };
  for (const SortField& field : sort) {
    const query::Path path(field.field);
    if (const auto index = schema.find(field.field)) {
      if (!add(*index, field.descending)) {
        return std::nullopt;
      }
    } else if (path.dotted() && schema.find(path.segment(0))) {
      return std::nullopt;
    }
    // Any other field is missing in all rows, which are then equal by it.
  }
  for (const std::size_t index : schema.key_columns()) {
    if (!add(index, false)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace ustream
