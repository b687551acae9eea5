#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

namespace ustream {
namespace {

std::string run_rows(std::string_view pipeline, const std::vector<Document>& rows) {
  PipelineRun run(Pipeline::parse(pipeline));
  for (const Document& row : rows) {
    run.push(row);
  }
  std::string out;
  for (const Value::Object& row : run.finish()) {
    out += to_json(Value(row));
  }
  return out;
}

std::string run(std::string_view pipeline, const std::vector<std::string>& rows) {
  std::vector<Document> documents;
  documents.reserve(rows.size());
  for (const std::string& row : rows) {
    documents.emplace_back(parse_json(row).as_object());
  }
  return run_rows(pipeline, documents);
}

std::string sum_of(const std::vector<Value>& values) {
  std::vector<Document> rows;
  rows.reserve(values.size());
  for (const Value& value : values) {
    rows.emplace_back(Value::Object{{"v", value}});
  }
  return run_rows(R"([{"$group":{"_id":null,"s":{"$sum":"$v"}}},{"$project":{"_id":0,"s":1}}])",
                  rows);
}

std::string error_of(std::string_view pipeline) {
  try {
    static_cast<void>(Pipeline::parse(pipeline));
  } catch (const ValidationError& error) {
    return error.what();
  }
  return "no error";
}

const std::vector<std::string>& orders() {
  static const std::vector<std::string> kOrders{R"({"id":1,"who":"ann","total":10,"paid":true})",
                                                R"({"id":2,"who":"bob","total":5.5,"paid":true})",
                                                R"({"id":3,"who":"ann","total":7,"paid":false})",
                                                R"({"id":4,"who":"bob","total":null,"paid":true})",
                                                R"({"id":5,"total":1,"paid":true})"};
  return kOrders;
}

TEST(Pipeline, WithoutStagesPassesRowsOn) {
  EXPECT_EQ(run("[]", {R"({"a":1})", R"({"b":2})"}), R"({"a":1}{"b":2})");
  EXPECT_TRUE(Pipeline().stages().empty());
  EXPECT_TRUE(Pipeline().leading_match().empty());
}

TEST(Pipeline, GroupsInOrderOfFirstRows) {
  EXPECT_EQ(run(R"([{"$group":{"_id":"$who","n":{"$count":{}},"sum":{"$sum":"$total"},
                     "avg":{"$avg":"$total"},"min":{"$min":"$total"},"max":{"$max":"$total"}}}])",
                orders()),
            R"({"_id":"ann","n":2,"sum":17,"avg":8.5,"min":7,"max":10})"
            R"({"_id":"bob","n":2,"sum":5.5,"avg":5.5,"min":5.5,"max":5.5})"
            R"({"_id":null,"n":1,"sum":1,"avg":1.0,"min":1,"max":1})");
}

TEST(Pipeline, GroupsByNothingConstantsAndObjects) {
  EXPECT_EQ(run(R"([{"$group":{"_id":null,"n":{"$sum":1}}}])", orders()), R"({"_id":null,"n":5})");
  EXPECT_EQ(
      run(R"([{"$group":{"_id":{"w":"$who","p":"$paid","k":7},"n":{"$sum":2}}},{"$limit":2}])",
          orders()),
      R"({"_id":{"w":"ann","p":true,"k":7},"n":2}{"_id":{"w":"bob","p":true,"k":7},"n":4})");
  EXPECT_EQ(run(R"([{"$group":{"_id":null,"n":{"$sum":1}}}])", {}), "");
}

TEST(Pipeline, GroupsEqualNumbersTogetherAndTypesApart) {
  EXPECT_EQ(run(R"([{"$group":{"_id":"$a","n":{"$sum":1}}}])",
                {R"({"a":1})", R"({"a":1.0})", R"({"a":"1"})", R"({"a":null})", R"({"b":1})"}),
            R"({"_id":1,"n":2}{"_id":"1","n":1}{"_id":null,"n":2})");
}

TEST(Pipeline, AccumulatorsPassOverWhatIsNoNumber) {
  EXPECT_EQ(run(R"([{"$group":{"_id":null,"s":{"$sum":"$v"},"a":{"$avg":"$v"},
                     "lo":{"$min":"$v"},"hi":{"$max":"$v"}}}])",
                {R"({"v":"x"})", R"({"v":[1,2]})", R"({})"}),
            R"({"_id":null,"s":0,"a":null,"lo":"x","hi":[1,2]})");
}

TEST(Sum, OfIntegersIsExact) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(sum_of({kMax, -1}), R"({"s":9223372036854775806})");
  EXPECT_EQ(sum_of({kMax, 1}), R"({"s":"9223372036854775808"})");
  EXPECT_EQ(sum_of({kMax, 1, -1}), R"({"s":9223372036854775807})");
  EXPECT_EQ(sum_of({kMin, kMin}), R"({"s":"-18446744073709551616"})");
  EXPECT_EQ(sum_of({std::numeric_limits<std::uint64_t>::max(), 1}),
            R"({"s":"18446744073709551616"})");
}

TEST(Sum, OfDecimalsIsExact) {
  EXPECT_EQ(sum_of({Decimal{"0.1"}, Decimal{"0.2"}}), R"({"s":"0.3"})");
  EXPECT_EQ(sum_of({Decimal{"1.10"}, Decimal{"-2.2"}}), R"({"s":"-1.10"})");
  EXPECT_EQ(sum_of({Decimal{"1e20"}, Decimal{"1e-20"}}),
            R"({"s":"100000000000000000000.00000000000000000001"})");
  EXPECT_EQ(sum_of({Decimal{"-0.5"}, Decimal{"0.4"}}), R"({"s":"-0.1"})");
  EXPECT_EQ(sum_of({Decimal{"999999999.999999999"}, Decimal{"0.000000001"}}),
            R"({"s":"1000000000.000000000"})");
  EXPECT_EQ(sum_of({Decimal{"0.5"}, 2}), R"({"s":"2.5"})");
  EXPECT_EQ(sum_of({Decimal{"-1000000000000000000.5"}, Decimal{"1000000000000000000"}}),
            R"({"s":"-0.5"})");
  std::vector<Value> many(1000, Decimal{"-99999999999999999999.99"});
  EXPECT_EQ(sum_of(many), R"({"s":"-99999999999999999999990.00"})");
}

TEST(Sum, CarriesFarBeyondTheFirstDigits) {
  EXPECT_EQ(sum_of(std::vector<Value>(1000, Decimal{"-999999999.5"})),
            R"({"s":"-999999999500.0"})");
  EXPECT_EQ(sum_of(std::vector<Value>(1000, Decimal{"999999999.5"})), R"({"s":"999999999500.0"})");
}

TEST(Sum, WithADoubleIsADouble) {
  EXPECT_EQ(sum_of({1, 0.5}), R"({"s":1.5})");
  EXPECT_EQ(sum_of({Decimal{"0.5"}, 0.25}), R"({"s":0.75})");
  // Plain addition gives 0.0.
  EXPECT_EQ(sum_of({1e100, 1.0, -1e100}), R"({"s":1.0})");
  EXPECT_EQ(sum_of(std::vector<Value>(10, 0.1)), R"({"s":1.0})");
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum_of({infinity, 1.0}), R"({"s":"Infinity"})");
  EXPECT_EQ(sum_of({infinity, -infinity}), R"({"s":"NaN"})");
}

TEST(Sum, DigitsTooFarFromThePointTakeNoMemory) {
  EXPECT_EQ(sum_of({Decimal{"1e999999999"}, 1}), R"({"s":"Infinity"})");
  EXPECT_EQ(sum_of({Decimal{"1e-999999999"}, 1}), R"({"s":1.0})");
}

TEST(Pipeline, StagesFollowEachOther) {
  EXPECT_EQ(run(R"([{"$match":{"paid":true}},{"$group":{"_id":"$who","s":{"$sum":"$total"}}},
                    {"$sort":{"s":-1}},{"$skip":1},{"$limit":1}])",
                orders()),
            R"({"_id":"bob","s":5.5})");
  EXPECT_EQ(run(R"([{"$sort":{"id":-1}},{"$limit":2},{"$project":{"id":1}}])", orders()),
            R"({"id":5}{"id":4})");
  EXPECT_EQ(
      run(R"([{"$sort":{"id":-1}},{"$skip":1},{"$limit":1},{"$project":{"id":1}}])", orders()),
      R"({"id":4})");
  EXPECT_EQ(
      run(R"([{"$limit":3},{"$sort":{"id":-1}},{"$limit":1},{"$project":{"id":1}}])", orders()),
      R"({"id":3})");
}

TEST(Pipeline, CountsRows) {
  EXPECT_EQ(run(R"([{"$match":{"paid":true}},{"$count":"n"}])", orders()), R"({"n":4})");
  EXPECT_EQ(run(R"([{"$match":{"paid":"no"}},{"$count":"n"}])", orders()), "");
}

TEST(Project, KeepsOrLeavesOut) {
  const std::vector<std::string> rows{R"({"_id":7,"a":1,"b":{"c":2,"d":3},"e":[{"c":4,"d":5},6]})"};
  EXPECT_EQ(run(R"([{"$project":{"a":1}}])", rows), R"({"_id":7,"a":1})");
  EXPECT_EQ(run(R"([{"$project":{"a":true,"_id":0}}])", rows), R"({"a":1})");
  EXPECT_EQ(run(R"([{"$project":{"b":0,"e":0}}])", rows), R"({"_id":7,"a":1})");
  EXPECT_EQ(run(R"([{"$project":{"_id":0,"a":0,"e":0}}])", rows), R"({"b":{"c":2,"d":3}})");
  EXPECT_EQ(run(R"([{"$project":{"_id":0,"e.c":1,"b.d":1}}])", rows),
            R"({"b":{"d":3},"e":[{"c":4}]})");
  EXPECT_EQ(run(R"([{"$project":{"_id":0,"e.c":0,"b.d":0}}])", rows),
            R"({"a":1,"b":{"c":2},"e":[{"d":5},6]})");
  EXPECT_EQ(run(R"([{"$project":{"_id":0}}])", {R"({"_id":1,"a":2})"}), R"({"a":2})");
  EXPECT_EQ(run(R"([{"$project":{"_id":1}}])", {R"({"_id":1,"a":2})"}), R"({"_id":1})");
}

TEST(Project, RenamesFields) {
  EXPECT_EQ(run(R"([{"$project":{"_id":0,"x":"$b.c","cs":"$e.c","none":"$nope","a":1}}])",
                {R"({"a":1,"b":{"c":2},"e":[{"c":4},{"c":5},{"d":6}]})"}),
            R"({"a":1,"x":2,"cs":[4,5]})");
  EXPECT_EQ(run(R"([{"$project":{"_id":0,"x":"$b.c","a":1}}])", {R"({"a":1,"b.c":3})"}),
            R"({"a":1,"x":3})");
}

TEST(Pipeline, TellsWhenNoFurtherRowMatters) {
  PipelineRun limited(Pipeline::parse(R"([{"$match":{"a":1}},{"$limit":2}])"));
  const Document one(Value::Object{{"a", 1}});
  const Document other(Value::Object{{"a", 2}});
  EXPECT_TRUE(limited.push(one));
  EXPECT_TRUE(limited.push(other));
  EXPECT_FALSE(limited.push(one));
  EXPECT_FALSE(limited.push(one));
  EXPECT_EQ(limited.finish().size(), 2U);

  PipelineRun grouped(Pipeline::parse(R"([{"$group":{"_id":"$a"}},{"$limit":1}])"));
  EXPECT_TRUE(grouped.push(one));
  EXPECT_TRUE(grouped.push(other));
  EXPECT_EQ(grouped.finish().size(), 1U);
}

TEST(Pipeline, LeadingMatchIsItsFilter) {
  EXPECT_EQ(Pipeline::parse(R"([{"$match":{"a":1}},{"$limit":2}])").leading_match().canonical(),
            R"({"a":{"$eq":1}})");
  EXPECT_TRUE(Pipeline::parse(R"([{"$limit":2},{"$match":{"a":1}}])").leading_match().empty());
}

TEST(Pipeline, JsonColumnsCountAsWhatTheyHold) {
  EXPECT_EQ(sum_of({Json{"2"}, Json{"3"}}), R"({"s":5})");
}

TEST(Pipeline, MistakesAreNamed) {
  EXPECT_NE(error_of(R"([{"$matsch":{}}])").find("did you mean \"$match\"?"), std::string::npos);
  EXPECT_NE(error_of(R"([{"$group":{"_id":null,"s":{"$sumx":1}}}])").find("\"$sum\""),
            std::string::npos);
  for (const char* pipeline : {"{}",
                               "5",
                               "[5]",
                               "[{}]",
                               R"([{"$limit":1,"$skip":1}])",
                               R"([{"$limit":0}])",
                               R"([{"$limit":-1}])",
                               R"([{"$limit":1.5}])",
                               R"([{"$skip":"1"}])",
                               R"([{"$group":{}}])",
                               R"([{"$group":{"n":{"$sum":1}}}])",
                               R"([{"$group":{"_id":null,"n":1}}])",
                               R"([{"$group":{"_id":null,"n":{"$sum":1,"$avg":1}}}])",
                               R"([{"$group":{"_id":null,"n":{"$count":1}}}])",
                               R"([{"$group":{"_id":null,"n.m":{"$sum":1}}}])",
                               R"([{"$group":{"_id":"$$ROOT"}}])",
                               R"([{"$group":{"_id":["$a"]}}])",
                               R"([{"$group":{"_id":"$"}}])",
                               R"([{"$sort":{}}])",
                               R"([{"$sort":{"a":0}}])",
                               R"([{"$count":""}])",
                               R"([{"$count":"$n"}])",
                               R"([{"$count":5}])",
                               R"([{"$project":{}}])",
                               R"([{"$project":{"a":1,"b":0}}])",
                               R"([{"$project":{"a":1,"a.b":1}}])",
                               R"([{"$project":{"a.b":1,"a":1}}])",
                               R"([{"$project":{"a":"b"}}])",
                               R"([{"$project":{"a":2}}])",
                               R"([{"$project":{"a":{"$add":[1]}}}])",
                               R"([{"$match":{"a":{"$zz":1}}}])"}) {
    EXPECT_NE(error_of(pipeline), "no error") << pipeline;
  }
  std::string many = "[";
  for (int i = 0; i < 101; ++i) {
    many += std::string(i == 0 ? "" : ",") + R"({"$skip":1})";
  }
  EXPECT_NE(error_of(many + "]").find("more than 100 stages"), std::string::npos);
}

}  // namespace
}  // namespace ustream
