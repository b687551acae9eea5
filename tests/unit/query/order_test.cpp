#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

#include "query/number.hpp"

namespace ustream {
namespace {

TEST(CompareValues, OrdersTheBrackets) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<Value> ascending{Value(),
                                     nan,
                                     -infinity,
                                     Decimal{"-1e400"},
                                     std::numeric_limits<double>::lowest(),
                                     std::numeric_limits<std::int64_t>::min(),
                                     -0.5,
                                     0,
                                     Decimal{"0.1"},
                                     0.1,
                                     std::int64_t{9007199254740992},
                                     Decimal{"9007199254740992.5"},
                                     std::int64_t{9007199254740993},
                                     9007199254740994.0,
                                     std::numeric_limits<std::int64_t>::max(),
                                     9223372036854775808.0,
                                     std::uint64_t{9223372036854775809U},
                                     std::numeric_limits<std::uint64_t>::max(),
                                     18446744073709551616.0,
                                     Decimal{"1e400"},
                                     infinity,
                                     "",
                                     std::string("\0", 1),
                                     "A",
                                     "a",
                                     "ab",
                                     "é",
                                     Value::Object{},
                                     Value::Object{{"a", 1}},
                                     Value::Object{{"a", "x"}},
                                     Value::Object{{"b", 0}},
                                     Value::Array{},
                                     Value::Array{Value(1)},
                                     Value::Array{Value(1), Value(0)},
                                     Value::Array{Value("x")},
                                     Bytes{""},
                                     Bytes{"a"},
                                     Bytes{"\xff"},
                                     ObjectId{},
                                     Uuid{},
                                     false,
                                     true,
                                     Date{-1, 12, 31},
                                     Date{2026, 1, 31},
                                     Time{-1, 6},
                                     Time{5, 0},
                                     Timestamp{-1},
                                     Timestamp{0},
                                     DateTime{0, 6},
                                     Extended{"A", "x"},
                                     Extended{"A", "y"},
                                     Extended{"B", ""},
                                     Json{"{broken"}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int wanted = i < j ? -1 : (i > j ? 1 : 0);
      EXPECT_EQ(compare_values(ascending[i], ascending[j]), wanted) << i << " and " << j;
      EXPECT_EQ(values_equal(ascending[i], ascending[j]), i == j) << i << " and " << j;
    }
  }
}

TEST(CompareValues, EqualNumbersOfDifferentTypesHashAlike) {
  const std::vector<std::vector<Value>> classes{
      {5, 5.0, 5.0F, std::uint64_t{5}, Decimal{"5"}, Decimal{"5.00"}, Decimal{"0.5e1"}, Json{"5"},
       Json{"5.0"}},
      {0, 0.0, -0.0, Decimal{"-0.00"}, Decimal{"0e99"}},
      {9223372036854775808.0, std::uint64_t{9223372036854775808U}, Decimal{"9223372036854775808"}},
      {0.1, Decimal{"0.1000000000000000055511151231257827021181583404541015625"}},
      {std::numeric_limits<double>::quiet_NaN(), Decimal{"NaN"}},
      {std::numeric_limits<double>::infinity(), Decimal{"Infinity"}},
      {Time{5, 0}, Time{5, 6}},
      {DateTime{5, 0}, DateTime{5, 6}},
      {Value::Array{Value(1)}, Value::Array{Value(1.0)}, Json{"[1]"}},
      {Value::Object{{"a", 1}}, Value::Object{{"a", Decimal{"1.0"}}}, Json{R"({"a":1})"}}};
  for (const auto& equal : classes) {
    for (const Value& a : equal) {
      for (const Value& b : equal) {
        EXPECT_TRUE(values_equal(a, b));
        EXPECT_EQ(hash_value(a), hash_value(b));
      }
    }
  }
}

TEST(CompareValues, BracketsOfEqualContentHashApart) {
  EXPECT_NE(hash_value(Value("ab")), hash_value(Value(Bytes{"ab"})));
  EXPECT_NE(hash_value(Value(Timestamp{5})), hash_value(Value(DateTime{5, 6})));
}

TEST(CompareValues, DeepNestingEnds) {
  Value deep = 1;
  for (int i = 0; i < 600; ++i) {
    deep = Value(Value::Array{std::move(deep)});
  }
  EXPECT_EQ(compare_values(deep, deep), 0);
  EXPECT_EQ(hash_value(deep), hash_value(deep));
}

TEST(Decimal, ExponentsBeyondAllBoundsCompare) {
  const auto compare = [](const Value& a, const Value& b) { return compare_values(a, b); };
  EXPECT_GT(compare(Decimal{"1e99999999999999999999"}, Decimal{"1e400"}), 0);
  EXPECT_LT(compare(Decimal{"1e-99999999999999999999"}, 1e-300), 0);
  EXPECT_GT(compare(Decimal{"1e-99999999999999999999"}, 0), 0);
  EXPECT_EQ(compare(Decimal{"nonsense"}, Decimal{"NaN"}), 0);
}

TEST(Decimal, FloorIsExact) {
  EXPECT_TRUE(query::decimal_floor("12.9") == 12);
  EXPECT_TRUE(query::decimal_floor("-12.1") == -13);
  EXPECT_TRUE(query::decimal_floor("-12.0") == -12);
  EXPECT_TRUE(query::decimal_floor("0.001") == 0);
  EXPECT_TRUE(query::decimal_floor("-0.001") == -1);
  EXPECT_TRUE(query::decimal_floor("1.5e3") == 1500);
  EXPECT_FALSE(query::decimal_floor("1e30"));
  EXPECT_FALSE(query::decimal_floor("Infinity"));
}

TEST(ParseSort, ReadsObjectsAndPairs) {
  const std::vector<SortField> wanted{{"b", true}, {"a", false}};
  EXPECT_EQ(parse_sort(R"({"b":-1,"a":1})"), wanted);
  EXPECT_EQ(parse_sort(R"([["b",-1],["a",1]])"), wanted);
  EXPECT_EQ(parse_sort(R"({"b":-1.0,"a":1})"), wanted);
  EXPECT_TRUE(parse_sort("{}").empty());
}

TEST(ParseSort, RefusesMistakes) {
  for (const char* sort : {"5", R"({"a":2})", R"({"a":"asc"})", R"(["a"])", R"([["a"]])",
                           R"([["a",1],["a",-1]])", R"([[1,1]])", R"({"a":true})", "{"}) {
    EXPECT_THROW(static_cast<void>(parse_sort(sort)), ValidationError) << sort;
  }
}

std::string sorted(std::string_view sort, const std::vector<std::string>& rows,
                   std::uint64_t skip = 0, std::optional<std::uint64_t> limit = std::nullopt) {
  RowSorter sorter(parse_sort(sort), skip, limit);
  for (const std::string& row : rows) {
    sorter.push(Document(parse_json(row).as_object()));
  }
  std::string out;
  for (const Document& row : sorter.finish()) {
    out += row.to_json();
  }
  return out;
}

TEST(RowSorter, SortsBySeveralFieldsAndKeepsTiesInOrder) {
  const std::vector<std::string> rows{R"({"a":2,"n":1})", R"({"a":1,"n":2})", R"({"a":2,"n":3})",
                                      R"({"a":1,"n":4})", R"({"n":5})"};
  EXPECT_EQ(sorted(R"({"a":1})", rows),
            R"({"n":5}{"a":1,"n":2}{"a":1,"n":4}{"a":2,"n":1}{"a":2,"n":3})");
  EXPECT_EQ(sorted(R"({"a":-1})", rows),
            R"({"a":2,"n":1}{"a":2,"n":3}{"a":1,"n":2}{"a":1,"n":4}{"n":5})");
  EXPECT_EQ(sorted(R"({"a":-1,"n":-1})", rows),
            R"({"a":2,"n":3}{"a":2,"n":1}{"a":1,"n":4}{"a":1,"n":2}{"n":5})");
}

TEST(RowSorter, LimitsAndSkipsAsSortingAllWould) {
  std::vector<std::string> rows;
  rows.reserve(100);
  for (int i = 0; i < 100; ++i) {
    rows.push_back("{\"a\":" + std::to_string(i * 37 % 10) + ",\"n\":" + std::to_string(i) + "}");
  }
  RowSorter all(parse_sort(R"({"a":1})"), 0, std::nullopt);
  for (const std::string& row : rows) {
    all.push(Document(parse_json(row).as_object()));
  }
  const auto complete = all.finish();
  for (const std::uint64_t skip : {0U, 1U, 13U, 99U, 200U}) {
    for (const std::uint64_t limit : {0U, 1U, 10U, 100U}) {
      std::string wanted;
      for (std::size_t i = skip; i < complete.size() && i < skip + limit; ++i) {
        wanted += complete[i].to_json();
      }
      EXPECT_EQ(sorted(R"({"a":1})", rows, skip, limit), wanted) << skip << ' ' << limit;
    }
  }
  EXPECT_EQ(sorted("{}", rows, 1, 1), R"({"a":7,"n":1})");
  EXPECT_EQ(sorted("{}", rows, std::numeric_limits<std::uint64_t>::max(), 5), "");
}

TEST(RowSorter, TakesTheLowestOrHighestOfSeveralValues) {
  const std::vector<std::string> rows{R"({"a":[5,1]})", R"({"a":3})", R"({"a":[]})"};
  EXPECT_EQ(sorted(R"({"a":1})", rows), R"({"a":[]}{"a":[5,1]}{"a":3})");
  EXPECT_EQ(sorted(R"({"a":-1})", rows), R"({"a":[5,1]}{"a":3}{"a":[]})");
  EXPECT_EQ(
      sorted(R"({"a.b":-1})", {R"({"a":{"b":2}})", R"({"a":[{"b":1},{"b":3}]})", R"({"a":1})"}),
      R"({"a":[{"b":1},{"b":3}]}{"a":{"b":2}}{"a":1})");
}

}  // namespace
}  // namespace ustream
