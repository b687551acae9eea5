#include "connectors/sqlite/dialect.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>

#include "model/utf8.hpp"
#include "query/like.hpp"
#include "query/number.hpp"

namespace ustream::sqlite {
namespace {

using Comparison = SqlDialect::Comparison;
using query::Int128;
using query::LikePattern;

enum class Affinity : std::uint8_t { integer, text, blob, real, numeric };

/// https://www.sqlite.org/datatype3.html, section 3.1.
Affinity affinity_of(std::string_view declared) {
  std::string type(declared);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const auto has = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return type.find(word) != std::string::npos; });
  };
  if (has({"INT"})) {
    return Affinity::integer;
  }
  if (has({"CHAR", "CLOB", "TEXT"})) {
    return Affinity::text;
  }
  if (type.empty() || has({"BLOB"})) {
    return Affinity::blob;
  }
  return has({"REAL", "FLOA", "DOUB"}) ? Affinity::real : Affinity::numeric;
}

std::string_view operator_text(Comparison op) {
  switch (op) {
    case Comparison::equal:
      return " = ";
    case Comparison::less:
      return " < ";
    case Comparison::less_equal:
      return " <= ";
    case Comparison::greater:
      return " > ";
    case Comparison::greater_equal:
      return " >= ";
  }
  return " = ";
}

SqlFragment never() {
  return {"1=0", {}};
}

/// Whether SQLite's numeric affinity might turn this text into a number.
bool may_read_as_number(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n\v\f\r");
  return first != std::string_view::npos &&
         std::string_view("0123456789+-.").find(text[first]) != std::string_view::npos;
}

/// The column as it can be compared with this text without the text being converted.
std::string text_operand(const Column& column, std::string_view quoted, bool may_read_as_number) {
  const Affinity affinity = affinity_of(column.declared_type);
  const bool converts = affinity != Affinity::text && affinity != Affinity::blob;
  return (converts && may_read_as_number ? "+" : "") + std::string(quoted);
}

/// A comparison with a number that SQLite has: an int64, or a double that is not NaN.
struct NumberTest {
  Comparison op = Comparison::equal;
  Value number;
};

/// The same test with a number next to one that SQLite cannot hold, between which there is none.
NumberTest test_beside(Comparison op, const std::string& digits, double nearest) {
  const bool below = op == Comparison::less || op == Comparison::less_equal;
  const Comparison result = below ? Comparison::less_equal : Comparison::greater_equal;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  const auto floor = query::decimal_floor(digits);
  // Up here the integers stand closer than the doubles.
  if (floor && *floor >= kMin && *floor <= kMax && (*floor >= kExact || *floor < -kExact)) {
    if (below) {
      return {result, static_cast<std::int64_t>(*floor)};
    }
    return *floor < kMax ? NumberTest{result, static_cast<std::int64_t>(*floor + 1)}
                         : NumberTest{result, std::ldexp(1.0, 63)};
  }
  const bool nearest_is_above = query::compare_decimal_double(digits, nearest) < 0;
  const double infinity = std::numeric_limits<double>::infinity();
  if (below) {
    return {result, nearest_is_above ? std::nextafter(nearest, -infinity) : nearest};
  }
  return {result, nearest_is_above ? nearest : std::nextafter(nearest, infinity)};
}

/// nullopt: no number of SQLite passes.
std::optional<NumberTest> number_test(Comparison op, const Value& value) {
  const ValueView view(value);
  if (query::is_nan(view)) {
    return std::nullopt;
  }
  const double nearest = query::to_double(view);
  if (view.type() == ValueType::int64) {
    return NumberTest{op, value};
  }
  if (view.type() == ValueType::float32 || view.type() == ValueType::float64) {
    return NumberTest{op, nearest};
  }
  const std::string digits =
      view.type() == ValueType::uint64 ? std::to_string(view.uint64()) : std::string(view.text());
  const auto floor = query::decimal_floor(digits);
  if (floor && *floor >= std::numeric_limits<std::int64_t>::min() &&
      *floor <= std::numeric_limits<std::int64_t>::max()) {
    const auto integer = static_cast<std::int64_t>(*floor);
    if (query::compare_numbers(view, ValueView::of(integer)) == 0) {
      return NumberTest{op, integer};
    }
  }
  if (query::compare_decimal_double(digits, nearest) == 0) {
    return NumberTest{op, nearest};
  }
  if (op == Comparison::equal) {
    return std::nullopt;
  }
  return test_beside(op, digits, nearest);
}

/// The column stands plain: a TEXT affinity would turn the number into text, but such a column
/// holds no numbers that could pass the guard.
SqlFragment compare_number(std::string_view quoted, Comparison op, const Value& value) {
  auto test = number_test(op, value);
  if (!test) {
    return never();
  }
  SqlFragment out;
  out.text = "typeof(" + std::string(quoted) + ") IN ('integer','real') AND ";
  out.text += quoted;
  out.text += operator_text(test->op);
  out.text += kParameterMark;
  out.parameters.push_back(std::move(test->number));
  return out;
}

SqlFragment compare_text(const Column& column, std::string_view quoted, Comparison op,
                         std::string text) {
  SqlFragment out;
  out.text = "typeof(" + std::string(quoted) + ")='text' AND " +
             text_operand(column, quoted, may_read_as_number(text)) + " COLLATE BINARY";
  out.text += operator_text(op);
  out.text += kParameterMark;
  out.parameters.emplace_back(std::move(text));
  return out;
}

/// `operand IN (…)`, guarded by the storage class.
SqlFragment one_of(std::string_view guard, const std::string& operand, std::vector<Value> values) {
  SqlFragment out;
  out.text = std::string(guard) + " AND " + operand + " IN (";
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.text += i == 0 ? "" : ",";
    out.text += kParameterMark;
  }
  out.text += ')';
  out.parameters = std::move(values);
  return out;
}

/// The $in values by storage class; those that no SQLite value equals are gone.
struct Operands {
  std::vector<Value> numbers;
  std::vector<Value> texts;
  std::vector<Value> blobs;
  bool any_reads_as_number = false;
};

Operands sort_operands(const std::vector<Value>& values) {
  Operands out;
  for (const Value& value : values) {
    if (query::is_number(value.type())) {
      if (auto test = number_test(Comparison::equal, value)) {
        out.numbers.push_back(std::move(test->number));
      }
    } else if (const auto* text = value.get_if<std::string>()) {
      out.any_reads_as_number = out.any_reads_as_number || may_read_as_number(*text);
      out.texts.push_back(value);
    } else if (value.type() == ValueType::bytes) {
      out.blobs.push_back(value);
    }
  }
  return out;
}

/// The least text that is above all texts that begin with `prefix`; nullopt: there is none.
/// REQUIRES valid UTF-8.
std::optional<std::string> text_after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    std::size_t begin = prefix.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(prefix[begin]) & 0xC0U) == 0x80U) {
      --begin;
    }
    const auto lead = static_cast<unsigned char>(prefix[begin]);
    char32_t code = lead < 0x80U   ? lead
                    : lead < 0xE0U ? lead & 0x1FU
                    : lead < 0xF0U ? lead & 0x0FU
                                   : lead & 0x07U;
    for (std::size_t i = begin + 1; i < prefix.size(); ++i) {
      code = (code << 6U) | (static_cast<unsigned char>(prefix[i]) & 0x3FU);
    }
    prefix.resize(begin);
    if (code != 0x10FFFF) {
      model::append_utf8(prefix, code == 0xD7FF ? char32_t{0xE000} : code + 1);
      return prefix;
    }
  }
  return std::nullopt;
}

/// Gathers the conditions of one $like.
class LikeConditions {
 public:
  LikeConditions(const Column& column, std::string_view quoted) : column_(column), quoted_(quoted) {
    out_.text = "typeof(" + quoted_ + ")='text'";
  }

  void begins_with(const std::string& prefix) {
    // The range lets an index find the rows; the bytes decide about text that is not valid UTF-8.
    const auto after = text_after_prefix(prefix);
    const bool number = may_read_as_number(prefix) || (after && may_read_as_number(*after));
    const std::string operand = text_operand(column_, quoted_, number) + " COLLATE BINARY";
    add(operand + " >= ", Value(prefix));
    if (after) {
      add(operand + " < ", Value(*after));
    }
    add("substr(" + bytes() + ",1,", size_of(prefix), ") = ");
    parameter(Value(Bytes{prefix}));
  }
  void ends_with(const std::string& suffix) {
    add("substr(" + bytes() + ",-", size_of(suffix), ") = ");
    parameter(Value(Bytes{suffix}));
  }
  void contains(const std::string& part) { add("instr(" + quoted_ + ",", Value(part), ") > 0"); }
  void at_least(std::size_t bytes_needed) {
    add("length(" + bytes() + ") >= ", Value(static_cast<std::int64_t>(bytes_needed)));
  }
  [[nodiscard]] SqlFragment take() { return std::move(out_); }

 private:
  [[nodiscard]] std::string bytes() const { return "CAST(" + quoted_ + " AS BLOB)"; }
  static Value size_of(const std::string& text) { return static_cast<std::int64_t>(text.size()); }
  void add(const std::string& before, Value value, std::string_view after = {}) {
    out_.text += " AND " + before;
    parameter(std::move(value));
    out_.text += after;
  }
  void parameter(Value value) {
    out_.text += kParameterMark;
    out_.parameters.push_back(std::move(value));
  }

  const Column& column_;
  std::string quoted_;
  SqlFragment out_;
};

bool is(const LikePattern::Token& token, LikePattern::Kind kind) {
  return token.kind == kind;
}

/// Whether prefix, suffix, one part and length together say all of the pattern.
bool is_exact(const std::vector<LikePattern::Token>& tokens) {
  const auto count = [&](LikePattern::Kind kind) {
    return std::count_if(tokens.begin(), tokens.end(),
                         [&](const auto& token) { return is(token, kind); });
  };
  if (count(LikePattern::Kind::one) != 0) {
    return false;
  }
  const bool part_alone = tokens.size() == 3 && is(tokens[1], LikePattern::Kind::literal);
  return part_alone || count(LikePattern::Kind::any) == 1;
}

}  // namespace

std::string SqliteDialect::quote(std::string_view name) const {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string SqliteDialect::placeholder(std::size_t n) const {
  return "?" + std::to_string(n);
}

std::optional<SqlFragment> SqliteDialect::compare_sql(const Column& column, std::string_view quoted,
                                                      Comparison op, const Value& value,
                                                      bool& /*exact*/) const {
  if (query::is_number(value.type())) {
    return compare_number(quoted, op, value);
  }
  if (const auto* text = value.get_if<std::string>()) {
    if (encoding_ == TextEncoding::utf16) {
      return std::nullopt;
    }
    return compare_text(column, quoted, op, *text);
  }
  if (value.type() != ValueType::bytes) {
    return never();
  }
  SqlFragment out;
  out.text = "typeof(" + std::string(quoted) + ")='blob' AND " + std::string(quoted);
  out.text += operator_text(op);
  out.text += kParameterMark;
  out.parameters.push_back(value);
  return out;
}

std::optional<SqlFragment> SqliteDialect::null_sql(const Column& /*column*/,
                                                   std::string_view quoted) const {
  return SqlFragment{std::string(quoted) + " IS NULL", {}};
}

std::optional<SqlFragment> SqliteDialect::in_sql(const Column& column, std::string_view quoted,
                                                 const std::vector<Value>& values,
                                                 bool& /*exact*/) const {
  Operands operands = sort_operands(values);
  if (!operands.texts.empty() && encoding_ == TextEncoding::utf16) {
    return std::nullopt;
  }
  const std::string type = "typeof(" + std::string(quoted) + ")";
  SqlFragment out;
  const auto add = [&](SqlFragment part) {
    out.text += out.text.empty() ? "" : " OR ";
    out.text += '(' + part.text + ')';
    std::move(part.parameters.begin(), part.parameters.end(), std::back_inserter(out.parameters));
  };
  if (!operands.numbers.empty()) {
    add(one_of(type + " IN ('integer','real')", std::string(quoted), std::move(operands.numbers)));
  }
  if (!operands.texts.empty()) {
    add(one_of(type + "='text'",
               text_operand(column, quoted, operands.any_reads_as_number) + " COLLATE BINARY",
               std::move(operands.texts)));
  }
  if (!operands.blobs.empty()) {
    add(one_of(type + "='blob'", std::string(quoted), std::move(operands.blobs)));
  }
  return out.text.empty() ? never() : out;
}

std::optional<SqlFragment> SqliteDialect::like_sql(const Column& column, std::string_view quoted,
                                                   std::string_view pattern, bool& exact) const {
  if (encoding_ == TextEncoding::utf16) {
    return std::nullopt;
  }
  // Neither SQLite's LIKE (case, PRAGMA) nor GLOB (both end at NUL) says what $like means.
  const LikePattern like(pattern);
  const auto& tokens = like.tokens();
  if (tokens.empty()) {
    return compare_text(column, quoted, Comparison::equal, "");
  }
  if (tokens.size() == 1 && is(tokens.front(), LikePattern::Kind::literal)) {
    return compare_text(column, quoted, Comparison::equal, tokens.front().text);
  }
  LikeConditions conditions(column, quoted);
  std::size_t needed = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const LikePattern::Token& token = tokens[i];
    needed += is(token, LikePattern::Kind::one) ? 1 : token.text.size();
    if (!is(token, LikePattern::Kind::literal)) {
      continue;
    }
    if (i == 0) {
      conditions.begins_with(token.text);
    } else if (i + 1 == tokens.size()) {
      conditions.ends_with(token.text);
    } else {
      conditions.contains(token.text);
    }
  }
  if (needed > 0) {
    conditions.at_least(needed);
  }
  exact = exact && is_exact(tokens);
  return conditions.take();
}

std::optional<std::string> SqliteDialect::order_sql(const Column& /*column*/,
                                                    std::string_view quoted,
                                                    bool descending) const {
  if (encoding_ == TextEncoding::utf16) {
    return std::nullopt;
  }
  return std::string(quoted) + " COLLATE BINARY " + (descending ? "DESC" : "ASC");
}

}  // namespace ustream::sqlite
