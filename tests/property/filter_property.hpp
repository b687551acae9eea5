// Random filters, and whether a database selects through their SQL what the evaluator selects.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/query.hpp"
#include "ustream/sql_dialect.hpp"

namespace ustream::test {

struct Row {
  std::int64_t id = 0;
  Document document;
};

/// Random values and filters.
class FilterGenerator {
 public:
  /// `fields`: what filters ask for; more often than once is more often.
  FilterGenerator(std::uint64_t seed, std::vector<std::string> fields)
      : random_(seed), fields_(std::move(fields)) {}

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

  double real() {
    static const std::vector<double> kReals{0.0,
                                            -0.0,
                                            0.1,
                                            -1.5,
                                            1.0,
                                            5.0,
                                            5.5,
                                            9007199254740992.0,
                                            9007199254740994.0,
                                            -9007199254740992.0,
                                            9223372036854775808.0,
                                            -9223372036854775808.0,
                                            9223372036854774784.0,
                                            18446744073709551616.0,
                                            18446744073709549568.0,
                                            1e300,
                                            -1e300,
                                            std::numeric_limits<double>::max(),
                                            std::numeric_limits<double>::denorm_min(),
                                            std::numeric_limits<double>::infinity(),
                                            -std::numeric_limits<double>::infinity()};
    return pick(kReals);
  }

  /// A finite double: few digits, an integer, or any bits.
  double ordinary_double() {
    switch (below(3)) {
      case 0:
        return (static_cast<double>(below(2'000'000)) - 1e6) /
               std::pow(10.0, static_cast<double>(below(8)));
      case 1:
        return static_cast<double>(static_cast<std::int64_t>(random_()));
      default: {
        const auto number = std::bit_cast<double>(random_());
        return std::isfinite(number) ? number : 0.25;
      }
    }
  }

  std::int64_t integer() {
    static const std::vector<std::int64_t> kIntegers{0,
                                                     1,
                                                     -1,
                                                     5,
                                                     6,
                                                     42,
                                                     140737488355327,
                                                     140737488355329,
                                                     9007199254740991,
                                                     9007199254740992,
                                                     9007199254740993,
                                                     9007199254740994,
                                                     -9007199254740993,
                                                     std::numeric_limits<std::int64_t>::max(),
                                                     std::numeric_limits<std::int64_t>::max() - 1,
                                                     std::numeric_limits<std::int64_t>::min(),
                                                     std::numeric_limits<std::int64_t>::min() + 1};
    return pick(kIntegers);
  }

  /// Valid UTF-8.
  std::string text() {
    static const std::vector<std::string> kTexts{"",
                                                 "a",
                                                 "A",
                                                 "ab",
                                                 "AB",
                                                 "b",
                                                 "abc",
                                                 "abd",
                                                 "5",
                                                 "5.0",
                                                 " 5 ",
                                                 "-1",
                                                 "1e3",
                                                 "+5",
                                                 ".5",
                                                 "9007199254740993",
                                                 "é",
                                                 "éa",
                                                 "ê",
                                                 "z",
                                                 "{",
                                                 "~",
                                                 "\x7f",
                                                 "\xc3\xbf",
                                                 "日本",
                                                 "日本語",
                                                 "\U0001F600",
                                                 "\U0010FFFF",
                                                 "%",
                                                 "_",
                                                 "a%b",
                                                 "a_b",
                                                 "a*b",
                                                 "[a]",
                                                 "?",
                                                 "\\",
                                                 "/",
                                                 "true",
                                                 "null",
                                                 "2026-01-01",
                                                 "2026-01-01T00:00:00Z",
                                                 "a ",
                                                 "abcab",
                                                 "bab",
                                                 "ab日c",
                                                 "0x10",
                                                 "Infinity"};
    if (chance(12)) {
      static const std::vector<std::string> kWithNul{std::string("a\0b", 3), std::string("\0", 1),
                                                     std::string("ab\0", 3), std::string("5\0", 2)};
      return pick(kWithNul);
    }
    std::string result = pick(kTexts);
    if (chance(6)) {
      result += pick(kTexts);
    }
    return result;
  }

  std::string bytes() {
    static const std::vector<std::string> kBytes{
        "", "a", "ab", "5", std::string("\0", 1), "\xff\xfe", "abc", "\xc3"};
    return pick(kBytes);
  }

  /// What a filter may compare with.
  Value constant() {
    switch (below(16)) {
      case 0:
        return {};
      case 1:
        return chance(2);
      case 2:
        return odd_number();
      case 3:
        return Decimal{std::to_string(integer()) + (chance(2) ? ".0" : ".5")};
      case 4:
        return Value::Array{Value(integer()), Value(text())};
      case 5:
        return Value::Object{{"a", Value(integer())}};
      case 6:
        return Bytes{bytes()};
      case 7:
        return Date{2026, 1, 1};
      case 8:
      case 9:
        return real();
      case 10:
      case 11:
      case 12:
        return integer();
      default:
        return text();
    }
  }

  /// A number at the edge of what databases hold.
  Value odd_number() {
    static const std::vector<Value> kNumbers{
        std::numeric_limits<double>::quiet_NaN(),
        0.1F,
        5.0F,
        std::uint64_t{9223372036854775808U},
        std::uint64_t{9223372036854775809U},
        std::numeric_limits<std::uint64_t>::max(),
        Decimal{"0.1"},
        Decimal{"0.1000000000000000055511151231257827021181583404541015625"},
        Decimal{"9007199254740992.5"},
        Decimal{"9007199254740991.5"},
        Decimal{"-9007199254740993.5"},
        Decimal{"9223372036854775807.5"},
        Decimal{"-9223372036854775808.5"},
        Decimal{"9223372036854775808"},
        Decimal{"1e400"},
        Decimal{"-1e400"},
        Decimal{"1e-400"},
        Decimal{"5.00"},
        Decimal{"NaN"},
        Decimal{"Infinity"},
        Decimal{"-Infinity"}};
    return pick(kNumbers);
  }

  std::string like_pattern() {
    static const std::vector<std::string> kParts{"%",
                                                 "%",
                                                 "_",
                                                 "a",
                                                 "ab",
                                                 "b",
                                                 "5",
                                                 "é",
                                                 "日",
                                                 "\\%",
                                                 "\\_",
                                                 "\\\\",
                                                 "*",
                                                 "[",
                                                 "/",
                                                 "\x7f",
                                                 "A",
                                                 "\U0010FFFF",
                                                 std::string("\0", 1),
                                                 "c"};
    std::string pattern;
    for (std::size_t n = below(4); n > 0; --n) {
      pattern += pick(kParts);
    }
    return pattern;
  }

  const std::string& field() { return pick(fields_); }

  Value::Array constants() {
    Value::Array result;
    for (std::size_t n = below(5); n > 0; --n) {
      result.push_back(constant());
    }
    return result;
  }

  Member field_operator() {
    static const std::vector<std::string> kComparisons{"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"};
    switch (below(12)) {
      case 0:
        return {"$in", constants()};
      case 1:
        return {"$nin", constants()};
      case 2:
        return {"$exists", chance(2)};
      case 3:
      case 4:
        return {"$like", like_pattern()};
      case 5:
        return {"$between", Value::Array{constant(), constant()}};
      case 6:
        return {"$regex", "^[a-c]+"};
      case 7:
        return {"$not", Value::Object{field_operator()}};
      default:
        return {pick(kComparisons), constant()};
    }
  }

  Value::Object filter(std::size_t depth) {
    if (depth > 0 && chance(2)) {
      static const std::vector<std::string> kLogical{"$and", "$or", "$nor"};
      Value::Array parts;
      for (std::size_t n = 1 + below(3); n > 0; --n) {
        parts.emplace_back(filter(depth - 1));
      }
      return {{pick(kLogical), std::move(parts)}};
    }
    return {{field(), Value::Object{field_operator()}}};
  }

 private:
  std::mt19937_64 random_;
  std::vector<std::string> fields_;
};

/// USTREAM_PROPERTY_SEED repeats a run.
inline std::uint64_t seed() {
  const char* text = std::getenv("USTREAM_PROPERTY_SEED");
  const std::uint64_t value =
      text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
  std::cout << "USTREAM_PROPERTY_SEED=" << value << '\n';
  return value;
}

struct Outcome {
  std::size_t exact = 0;
  std::size_t pushed = 0;
  std::size_t matched = 0;
};

/// `table` has rows(), schema(), select(where) -> ids, and has_null(where): whether the clause is
/// NULL for some row.
template <class Table>
void check_filter(Table& table, const SqlDialect& dialect, const Filter& filter, Outcome& outcome) {
  SCOPED_TRACE(filter.canonical());
  const SqlWhere where = translate_filter(filter, table.schema(), dialect);
  SCOPED_TRACE(where.where.text);
  const std::vector<std::int64_t> selected = table.select(where);
  const std::set<std::int64_t> found(selected.begin(), selected.end());
  ASSERT_EQ(found.size(), selected.size());
  for (const Row& row : table.rows()) {
    const bool matches = filter.matches(row.document);
    outcome.matched += matches ? 1 : 0;
    if (where.exact) {
      ASSERT_EQ(found.contains(row.id), matches) << row.document.get("id")->as_int64();
    } else if (matches) {
      ASSERT_TRUE(found.contains(row.id)) << "row " << row.id << " is lost";
    }
  }
  ASSERT_FALSE(table.has_null(where));
  outcome.exact += where.exact ? 1 : 0;
  outcome.pushed += where.where.text.empty() ? 0 : 1;
}

/// Whether the database sorts by the SQL of `sort` as compare_values does. False when the dialect
/// cannot say it.
template <class Table>
bool check_sort(Table& table, const SqlDialect& dialect, const std::vector<SortField>& sort) {
  const auto order = translate_sort(sort, table.schema(), dialect);
  if (!order) {
    return false;
  }
  SCOPED_TRACE(*order);
  RowSorter sorter(sort, 0, std::nullopt);
  for (const Row& row : table.rows()) {
    sorter.push(row.document);  // by id, which breaks ties as the key does
  }
  std::vector<std::int64_t> sorted;
  for (const Document& row : sorter.finish()) {
    sorted.push_back(row.get("id")->as_int64());
  }
  EXPECT_EQ(table.select({}, *order), sorted);
  return true;
}

}  // namespace ustream::test
