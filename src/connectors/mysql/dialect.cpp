#include "connectors/mysql/dialect.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "connectors/mysql/client.hpp"
#include "model/number.hpp"
#include "model/temporal.hpp"
#include "query/like.hpp"
#include "query/number.hpp"

namespace ustream::mysql {
namespace {

using Comparison = SqlDialect::Comparison;
using query::DecimalParts;
using query::Int128;
using query::LikePattern;

std::string_view operator_text(Comparison op) {
  switch (op) {
    case Comparison::equal:
      return "=";
    case Comparison::less:
      return "<";
    case Comparison::less_equal:
      return "<=";
    case Comparison::greater:
      return ">";
    case Comparison::greater_equal:
      return ">=";
  }
  return "=";
}

bool is_below(Comparison op) {
  return op == Comparison::less || op == Comparison::less_equal;
}

SqlFragment never() {
  return {"1=0", {}};
}

/// `operand op ?` where the column is not null.
SqlFragment test(std::string_view quoted, const std::string& operand, Comparison op, Value value) {
  SqlFragment out;
  out.text = std::string(quoted) + " IS NOT NULL AND " + operand;
  out.text += operator_text(op);
  out.text += kParameterMark;
  out.parameters.push_back(std::move(value));
  return out;
}

/// Every row that holds something.
SqlFragment always(std::string_view quoted) {
  return {std::string(quoted) + " IS NOT NULL", {}};
}

/// All numbers of the column lie on one side of the constant.
SqlFragment one_sided(std::string_view quoted, Comparison op, bool constant_is_above) {
  if (op == Comparison::equal) {
    return never();
  }
  return is_below(op) == constant_is_above ? always(quoted) : never();
}

std::string digits_of(const ValueView& number) {
  switch (number.type()) {
    case ValueType::int64:
      return std::to_string(number.int64());
    case ValueType::uint64:
      return std::to_string(number.uint64());
    default:
      return std::string(number.text());
  }
}

bool is_double(const ValueView& number) {
  return number.type() == ValueType::float32 || number.type() == ValueType::float64;
}

/// The integer just below or at the number; nullopt where that has more than 38 digits.
std::optional<Int128> floor_of(const ValueView& number) {
  if (query::is_integer(number.type())) {
    return query::to_int128(number);
  }
  if (!is_double(number)) {
    return query::decimal_floor(number.text());
  }
  const double floor = std::floor(number.float64());
  if (std::abs(floor) >= 1e38) {
    return std::nullopt;
  }
  return static_cast<Int128>(floor);
}

Value value_of(Int128 integer) {
  if (integer > std::numeric_limits<std::int64_t>::max()) {
    return static_cast<std::uint64_t>(integer);
  }
  return static_cast<std::int64_t>(integer);
}

bool equals(const ValueView& number, Int128 integer) {
  return query::compare_numbers(number, ValueView(value_of(integer))) == 0;
}

SqlFragment compare_integer(const TableColumn& column, std::string_view quoted, Comparison op,
                            const ValueView& number) {
  const Int128 least = column.is_unsigned ? 0 : Int128{std::numeric_limits<std::int64_t>::min()};
  const Int128 most = column.is_unsigned ? Int128{std::numeric_limits<std::uint64_t>::max()}
                                         : Int128{std::numeric_limits<std::int64_t>::max()};
  if (query::compare_numbers(number, ValueView(value_of(least))) < 0) {
    return one_sided(quoted, op, false);
  }
  if (query::compare_numbers(number, ValueView(value_of(most))) > 0) {
    return one_sided(quoted, op, true);
  }
  const Int128 floor = floor_of(number).value_or(0);  // it has one between the two
  if (!equals(number, floor)) {
    if (op == Comparison::equal) {
      return never();
    }
    // Between the floor and the integer after it there is none.
    op = is_below(op) ? Comparison::less_equal : Comparison::greater;
  }
  return test(quoted, std::string(quoted), op, value_of(floor));
}

/// FLOAT columns stand as doubles: the server would round the constant to a float for an index.
SqlFragment compare_double(const TableColumn& column, std::string_view quoted, Comparison op,
                           const ValueView& number) {
  const double nearest = query::to_double(number);
  if (std::isinf(nearest)) {
    return one_sided(quoted, op, nearest > 0);
  }
  const int order = query::compare_numbers(number, ValueView::of(nearest));
  if (order != 0) {
    if (op == Comparison::equal) {
      return never();
    }
    // Between the constant and the double next to it there is none.
    if (is_below(op)) {
      op = order < 0 ? Comparison::less : Comparison::less_equal;
    } else {
      op = order < 0 ? Comparison::greater_equal : Comparison::greater;
    }
  }
  const std::string operand = column.kind == ColumnKind::float32
                                  ? "(" + std::string(quoted) + "+0e0)"
                                  : std::string(quoted);
  return test(quoted, operand, op, nearest);
}

/// Of doubles only whole numbers that int64 has are said here: others have up to 1,074 digits.
std::optional<SqlFragment> compare_decimal(const TableColumn& column, std::string_view quoted,
                                           Comparison op, const ValueView& number) {
  if (is_double(number)) {
    const auto floor = floor_of(number);
    if (!floor || *floor > std::numeric_limits<std::int64_t>::max() ||
        *floor < std::numeric_limits<std::int64_t>::min() || !equals(number, *floor)) {
      return std::nullopt;
    }
    return test(quoted, std::string(quoted), op, value_of(*floor));
  }
  if (query::is_integer(number.type())) {
    return test(quoted, std::string(quoted), op, number.to_value());
  }
  const std::string digits = digits_of(number);
  const DecimalParts parts = query::parse_decimal(digits);
  constexpr std::int64_t kMaxWhole = 30;
  // What the server's own decimals hold for sure, written without an exponent.
  if (parts.kind != DecimalParts::Kind::finite || parts.scale > 30 || column.digits > 30 ||
      digits.find_first_of("eE") != std::string::npos || parts.magnitude > kMaxWhole) {
    return std::nullopt;
  }
  return test(quoted, std::string(quoted), op, Decimal{digits});
}

std::optional<SqlFragment> compare_number(const TableColumn& column, std::string_view quoted,
                                          Comparison op, const Value& value) {
  const ValueView number(value);
  if (query::is_nan(number)) {
    return never();  // no column of these holds it
  }
  switch (column.kind) {
    case ColumnKind::integer:
      return compare_integer(column, quoted, op, number);
    case ColumnKind::float32:
    case ColumnKind::float64:
      return compare_double(column, quoted, op, number);
    case ColumnKind::decimal:
      return compare_decimal(column, quoted, op, number);
    default:
      return std::nullopt;
  }
}

bool is_utf8(const TableColumn& column) {
  return column.charset == "utf8mb4" || column.charset == "utf8mb3" || column.charset == "utf8";
}

/// Collations that compare UTF-8 text by its bytes, without padding.
bool compares_bytes(const TableColumn& column) {
  return is_utf8(column) &&
         (column.collation.ends_with("_nopad_bin") || column.collation.ends_with("_0900_bin"));
}

/// The column's text as its bytes in UTF-8.
std::string bytes_of(const TableColumn& column, std::string_view quoted) {
  const std::string plain(quoted);
  if (column.kind == ColumnKind::uuid || column.kind == ColumnKind::inet) {
    return "CAST(CAST(" + plain + " AS CHAR) AS BINARY)";
  }
  return "CAST(" + (is_utf8(column) ? plain : "CONVERT(" + plain + " USING utf8mb4)") +
         " AS BINARY)";
}

SqlFragment compare_text(const TableColumn& column, std::string_view quoted, Comparison op,
                         const std::string& text) {
  if (compares_bytes(column)) {
    return test(quoted, std::string(quoted), op, Value(text));
  }
  SqlFragment out = test(quoted, bytes_of(column, quoted), op, Value(Bytes{text}));
  if (op == Comparison::equal && is_utf8(column) && column.kind == ColumnKind::text) {
    // Equal bytes are equal in every collation: this finds them by the column's index.
    out.text += " AND " + std::string(quoted) + "=";
    out.text += kParameterMark;
    out.parameters.emplace_back(text);
  }
  return out;
}

/// UUIDs order by their bytes, which their text does, too; the server's own order is another.
SqlFragment compare_uuid(const TableColumn& column, std::string_view quoted, Comparison op,
                         const Uuid& uuid) {
  std::string text;
  model::append_text(text, uuid);
  if (op == Comparison::equal) {
    return test(quoted, std::string(quoted), op, Value(text));
  }
  return test(quoted, bytes_of(column, quoted), op, Value(Bytes{text}));
}

/// Whether the date is one that a calendar knows. NULL counts as no.
std::string is_valid(std::string_view quoted) {
  const std::string plain(quoted);
  return "COALESCE(DAYOFMONTH(" + plain + ") BETWEEN 1 AND DAYOFMONTH(LAST_DAY(" + plain +
         ")),FALSE)";
}

std::string sql_text(std::int64_t micros) {
  std::string text;
  model::append_text(text, DateTime{micros, 6});
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

/// A text that reads as the column's type, or a value of it. Rows whose date no calendar knows hold
/// the server's text, which stands among texts as the date does among dates: with a text constant
/// the server's order is theirs, too.
std::optional<SqlFragment> compare_temporal(const TableColumn& column, std::string_view quoted,
                                            Comparison op, const Value& value) {
  constexpr std::int64_t kSecond = 1'000'000;
  constexpr std::int64_t kLastYear = 253'402'300'800LL * kSecond;
  constexpr std::int64_t kLastTimestamp = 0x7fffffffLL * kSecond;
  const auto* text = value.get_if<std::string>();
  std::optional<std::int64_t> micros;
  if (column.kind == ColumnKind::timestamp) {
    const auto* instant = value.get_if<Timestamp>();
    const auto read = text == nullptr ? std::nullopt : model::parse_timestamp(*text);
    micros = instant != nullptr ? std::optional(instant->micros)
             : read             ? std::optional(read->micros)
                                : std::nullopt;
    if (micros && (*micros < kSecond || *micros >= kLastTimestamp)) {
      return std::nullopt;
    }
  } else {
    const auto* local = value.get_if<DateTime>();
    const auto read = text == nullptr ? std::nullopt : model::parse_datetime(*text);
    micros = local != nullptr ? std::optional(local->micros)
             : read           ? std::optional(read->micros)
                              : std::nullopt;
    constexpr std::int64_t kFirstYear = -62'135'596'800LL * kSecond;  // year 1
    if (micros && (*micros < kFirstYear || *micros >= kLastYear)) {
      return std::nullopt;
    }
  }
  if (!micros) {
    // Only the texts of impossible dates could match.
    return text == nullptr ? std::optional(never()) : std::nullopt;
  }
  SqlFragment out = test(quoted, std::string(quoted), op, sql_text(*micros));
  if (text == nullptr) {
    out.text += " AND " + is_valid(quoted);
  }
  return out;
}

std::optional<SqlFragment> compare_date(std::string_view quoted, Comparison op,
                                        const Value& value) {
  const auto* date = value.get_if<Date>();
  const auto* text = value.get_if<std::string>();
  const auto read = text == nullptr ? std::nullopt : model::parse_date(*text);
  if (date == nullptr && !read) {
    return never();
  }
  const Date wanted = date != nullptr ? *date : *read;
  const std::chrono::year_month_day day{std::chrono::year(wanted.year),
                                        std::chrono::month(wanted.month),
                                        std::chrono::day(wanted.day)};
  if (!day.ok() || wanted.year < 1 || wanted.year > 9999) {
    return std::nullopt;
  }
  std::string sql;
  model::append_text(sql, wanted);
  return test(quoted, std::string(quoted), op, sql);
}

/// The column compares with numbers only.
bool holds_numbers(ColumnKind kind) {
  return kind == ColumnKind::integer || kind == ColumnKind::float32 ||
         kind == ColumnKind::float64 || kind == ColumnKind::decimal;
}

/// The server sorts by so many bytes only: Client sets max_sort_length.
bool sorts_whole(const TableColumn& column, std::uint64_t bytes_per_character) {
  return column.max_length * bytes_per_character <= kMaxSortLength;
}

/// Gathers the conditions of one $like.
class LikeConditions {
 public:
  LikeConditions(const TableColumn& column, std::string_view quoted)
      : quoted_(quoted), bytes_(bytes_of(column, quoted)) {
    out_.text = quoted_ + " IS NOT NULL";
  }
  void begins_with(const std::string& prefix) {
    add("LEFT(" + bytes_ + "," + std::to_string(prefix.size()) + ")=", prefix, "");
  }
  void ends_with(const std::string& suffix) {
    add("RIGHT(" + bytes_ + "," + std::to_string(suffix.size()) + ")=", suffix, "");
  }
  void contains(const std::string& part) { add("LOCATE(", part, "," + bytes_ + ")>0"); }
  void at_least(std::size_t size) {
    out_.text += " AND LENGTH(" + bytes_ + ")>=" + std::to_string(size);
  }
  [[nodiscard]] SqlFragment take() { return std::move(out_); }

 private:
  void add(const std::string& before, const std::string& bytes, const std::string& after) {
    out_.text += " AND " + before;
    out_.text += kParameterMark;
    out_.text += after;
    out_.parameters.emplace_back(Bytes{bytes});
  }

  std::string quoted_;
  std::string bytes_;
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

const TableColumn* MySqlDialect::find(const Column& column) const noexcept {
  const auto index = table_->schema->find(column.name);
  return index ? &table_->columns[*index] : nullptr;
}

std::string MySqlDialect::quote(std::string_view name) const {
  return quote_identifier(name);
}

std::string MySqlDialect::placeholder(std::size_t /*n*/) const {
  return "?";
}

std::optional<SqlFragment> MySqlDialect::compare_sql(const Column& column, std::string_view quoted,
                                                     Comparison op, const Value& value,
                                                     bool& /*exact*/) const {
  const TableColumn* const known = find(column);
  if (known == nullptr) {
    return std::nullopt;
  }
  if (holds_numbers(known->kind)) {
    return query::is_number(value.type()) ? compare_number(*known, quoted, op, value) : never();
  }
  switch (known->kind) {
    case ColumnKind::text:
    case ColumnKind::enumeration: {
      const auto* text = value.get_if<std::string>();
      return text == nullptr ? never() : compare_text(*known, quoted, op, *text);
    }
    case ColumnKind::bytes:
      return value.type() == ValueType::bytes ? test(quoted, std::string(quoted), op, value)
                                              : never();
    case ColumnKind::uuid: {
      const auto* uuid = value.get_if<Uuid>();
      return uuid == nullptr ? never() : compare_uuid(*known, quoted, op, *uuid);
    }
    case ColumnKind::date:
      return compare_date(quoted, op, value);
    case ColumnKind::datetime:
    case ColumnKind::timestamp:
      return compare_temporal(*known, quoted, op, value);
    default:
      return std::nullopt;
  }
}

std::optional<SqlFragment> MySqlDialect::null_sql(const Column& column,
                                                  std::string_view quoted) const {
  const TableColumn* const known = find(column);
  // JSON has a null of its own.
  if (known == nullptr || known->kind == ColumnKind::json) {
    return std::nullopt;
  }
  return SqlFragment{std::string(quoted) + " IS NULL", {}};
}

std::optional<SqlFragment> MySqlDialect::in_sql(const Column& column, std::string_view quoted,
                                                const std::vector<Value>& values,
                                                bool& /*exact*/) const {
  const TableColumn* const known = find(column);
  // Others go one by one; of these `column IN (…)` uses an index and stays short.
  if (known == nullptr || known->kind != ColumnKind::integer) {
    return std::nullopt;
  }
  SqlFragment out;
  for (const Value& value : values) {
    if (!query::is_number(value.type()) || query::is_nan(ValueView(value))) {
      continue;
    }
    SqlFragment one = compare_integer(*known, quoted, Comparison::equal, ValueView(value));
    if (!one.parameters.empty()) {
      out.text += out.parameters.empty() ? "" : ",";
      out.text += kParameterMark;
      out.parameters.push_back(std::move(one.parameters.front()));
    }
  }
  if (out.parameters.empty()) {
    return never();
  }
  out.text =
      std::string(quoted) + " IS NOT NULL AND " + std::string(quoted) + " IN (" + out.text + ")";
  return out;
}

std::optional<SqlFragment> MySqlDialect::like_sql(const Column& column, std::string_view quoted,
                                                  std::string_view pattern, bool& exact) const {
  const TableColumn* const known = find(column);
  if (known == nullptr) {
    return std::nullopt;
  }
  if (known->kind != ColumnKind::text && known->kind != ColumnKind::enumeration) {
    return holds_numbers(known->kind) || known->kind == ColumnKind::bytes ||
                   known->kind == ColumnKind::date
               ? std::optional(never())
               : std::nullopt;
  }
  // The server's LIKE folds case by the collation.
  const LikePattern like(pattern);
  const auto& tokens = like.tokens();
  if (tokens.empty()) {
    return compare_text(*known, quoted, Comparison::equal, "");
  }
  if (tokens.size() == 1 && is(tokens.front(), LikePattern::Kind::literal)) {
    return compare_text(*known, quoted, Comparison::equal, tokens.front().text);
  }
  LikeConditions conditions(*known, quoted);
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

std::optional<std::string> MySqlDialect::order_sql(const Column& column, std::string_view quoted,
                                                   bool descending) const {
  const TableColumn* const known = find(column);
  if (known == nullptr) {
    return std::nullopt;
  }
  const std::string direction = descending ? " DESC" : " ASC";
  std::string plain = std::string(quoted) + direction;
  switch (known->kind) {
    case ColumnKind::integer:
    case ColumnKind::float32:
    case ColumnKind::float64:
    case ColumnKind::decimal:
    case ColumnKind::bit:
    case ColumnKind::year:
    case ColumnKind::date:
    case ColumnKind::time:
    case ColumnKind::timestamp:  // its one impossible date is below all others
      return plain;
    case ColumnKind::bytes:
      return sorts_whole(*known, 1) ? std::optional(plain) : std::nullopt;
    case ColumnKind::datetime:
      // Texts of impossible dates stand before all others.
      return "CASE WHEN " + std::string(quoted) + " IS NULL THEN 0 WHEN " + is_valid(quoted) +
             " THEN 2 ELSE 1 END" + direction + ", " + plain;
    case ColumnKind::text:
      if (!sorts_whole(*known, 4)) {
        return std::nullopt;
      }
      return compares_bytes(*known) ? plain : bytes_of(*known, quoted) + direction;
    case ColumnKind::enumeration:
    case ColumnKind::uuid:
    case ColumnKind::inet:
      return bytes_of(*known, quoted) + direction;
    default:
      return std::nullopt;
  }
}

}  // namespace ustream::mysql
