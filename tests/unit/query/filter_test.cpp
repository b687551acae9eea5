#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

namespace ustream {
namespace {

Document document(std::string_view json) {
  return Document(parse_json(json).as_object());
}

bool matches(std::string_view filter, std::string_view json) {
  return Filter::parse(filter).matches(document(json));
}

bool matches_value(std::string_view filter, Value value) {
  return Filter::parse(filter).matches(Document(Value::Object{{"a", std::move(value)}}));
}

std::string error_of(std::string_view filter, const QueryLimits& limits = {}) {
  try {
    static_cast<void>(Filter::parse(filter, limits));
  } catch (const ValidationError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Filter, EmptyMatchesEveryDocumentButNoDocumentNeverMatches) {
  EXPECT_TRUE(Filter::parse("{}").empty());
  EXPECT_TRUE(matches("{}", R"({"a":1})"));
  EXPECT_FALSE(Filter().matches(Document()));
  EXPECT_FALSE(Filter::parse(R"({"a":null})").matches(Document()));
}

TEST(Filter, ComparesWithEachOperator) {
  EXPECT_TRUE(matches(R"({"a":5})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":5})", R"({"a":6})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":4,"$lt":6}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$gt":5}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$gte":5}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$lt":5}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$lte":5}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$ne":4}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$in":[1,5]}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$in":[]}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$nin":[1,4]}})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a":{"$not":{"$gt":5}}})", R"({"a":5})"));
}

TEST(Filter, BetweenIncludesBothEnds) {
  const std::string_view filter = R"({"a":{"$between":[2,4]}})";
  EXPECT_FALSE(matches(filter, R"({"a":1})"));
  EXPECT_TRUE(matches(filter, R"({"a":2})"));
  EXPECT_TRUE(matches(filter, R"({"a":4})"));
  EXPECT_FALSE(matches(filter, R"({"a":5})"));
  EXPECT_FALSE(matches(filter, R"({"a":"3"})"));
  // One element must lie within, unlike with $gte and $lte.
  EXPECT_FALSE(matches(filter, R"({"a":[1,5]})"));
  EXPECT_TRUE(matches(R"({"a":{"$gte":2,"$lte":4}})", R"({"a":[1,5]})"));
}

TEST(Filter, CombinesConditions) {
  EXPECT_TRUE(matches(R"({"a":1,"b":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(matches(R"({"a":1,"b":2})", R"({"a":1,"b":3})"));
  EXPECT_TRUE(matches(R"({"$or":[{"a":1},{"b":2}]})", R"({"a":9,"b":2})"));
  EXPECT_FALSE(matches(R"({"$nor":[{"a":1},{"b":2}]})", R"({"a":9,"b":2})"));
  EXPECT_TRUE(matches(R"({"$nor":[{"a":1},{"b":2}]})", R"({"a":9,"b":9})"));
  EXPECT_TRUE(matches(R"({"$and":[{"a":1},{"$or":[{"b":1},{"b":2}]}]})", R"({"a":1,"b":2})"));
  EXPECT_TRUE(matches(R"({"$or":[{},{"a":1}]})", R"({"a":9})"));
}

TEST(Filter, NullMatchesNullAndMissing) {
  for (const char* filter : {R"({"a":null})", R"({"a":{"$gte":null}})", R"({"a":{"$lte":null}})",
                             R"({"a":{"$in":[1,null]}})"}) {
    EXPECT_TRUE(matches(filter, R"({"a":null})")) << filter;
    EXPECT_TRUE(matches(filter, R"({"b":1})")) << filter;
    EXPECT_FALSE(matches(filter, R"({"a":0})")) << filter;
  }
  EXPECT_FALSE(matches(R"({"a":{"$gt":null}})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":{"$lt":null}})", R"({"b":1})"));
  EXPECT_TRUE(matches(R"({"a":{"$ne":null}})", R"({"a":0})"));
  EXPECT_FALSE(matches(R"({"a":{"$ne":null}})", R"({"b":0})"));
}

TEST(Filter, NegationsMatchMissingFields) {
  EXPECT_TRUE(matches(R"({"a":{"$ne":5}})", R"({"b":1})"));
  EXPECT_TRUE(matches(R"({"a":{"$nin":[5]}})", R"({"b":1})"));
  EXPECT_TRUE(matches(R"({"a":{"$not":{"$gt":5}}})", R"({"b":1})"));
  EXPECT_FALSE(matches(R"({"a":{"$lt":5}})", R"({"b":1})"));
}

TEST(Filter, ExistsTellsNullFromMissing) {
  EXPECT_TRUE(matches(R"({"a":{"$exists":true}})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":{"$exists":true}})", R"({"b":1})"));
  EXPECT_TRUE(matches(R"({"a":{"$exists":false}})", R"({"b":1})"));
  EXPECT_TRUE(matches(R"({"a.b":{"$exists":1}})", R"({"a":{"b":0}})"));
  EXPECT_TRUE(matches(R"({"a.b":{"$exists":0}})", R"({"a":[1,2]})"));
}

TEST(Filter, TypesAreBrackets) {
  EXPECT_FALSE(matches(R"({"a":"5"})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$gt":"4"}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$lt":"4"}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":true})", R"({"a":1})"));
  EXPECT_FALSE(matches(R"({"a":{"$gte":false}})", R"({"a":1})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":false}})", R"({"a":true})"));
  EXPECT_FALSE(matches_value(R"({"a":"ab"})", Bytes{"ab"}));
  EXPECT_TRUE(matches_value(R"({"a":{"$type":"bytes","text":"YWI="}})", Bytes{"ab"}));
}

TEST(Filter, NumbersCompareByValueOverAllTypes) {
  const std::int64_t beyond = (std::int64_t{1} << 53) + 1;
  EXPECT_FALSE(matches_value(R"({"a":9007199254740992.0})", beyond));
  EXPECT_TRUE(matches_value(R"({"a":{"$gt":9007199254740992.0}})", beyond));
  EXPECT_FALSE(matches_value(R"({"a":9007199254740993})", 9007199254740992.0));
  EXPECT_TRUE(matches_value(R"({"a":5})", 5.0));
  EXPECT_TRUE(matches_value(R"({"a":5.0})", std::uint64_t{5}));
  EXPECT_TRUE(matches_value(R"({"a":5})", Decimal{"5.000"}));
  EXPECT_TRUE(matches_value(R"({"a":18446744073709551615})", Decimal{"18446744073709551615"}));
  EXPECT_FALSE(matches_value(R"({"a":18446744073709551615})", 18446744073709551616.0));
  // 0.1 as a double is a little more than the decimal 0.1.
  EXPECT_FALSE(matches_value(R"({"a":0.1})", Decimal{"0.1"}));
  EXPECT_TRUE(matches_value(R"({"a":{"$lt":0.1}})", Decimal{"0.1"}));
  EXPECT_FALSE(matches_value(R"({"a":0.1})", 0.1F));
  EXPECT_TRUE(matches_value(R"({"a":0})", -0.0));
}

TEST(Filter, NanEqualsNanAndIsNeitherBelowNorAbove) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string constant = R"({"$type":"decimal","text":"NaN"})";
  for (const char* op : {"$eq", "$gte", "$lte"}) {
    EXPECT_TRUE(matches_value("{\"a\":{\"" + std::string(op) + "\":" + constant + "}}", nan)) << op;
    EXPECT_FALSE(matches_value("{\"a\":{\"" + std::string(op) + "\":" + constant + "}}", 5)) << op;
  }
  for (const char* op : {"$gt", "$lt"}) {
    EXPECT_FALSE(matches_value("{\"a\":{\"" + std::string(op) + "\":" + constant + "}}", nan));
    EXPECT_FALSE(matches_value("{\"a\":{\"" + std::string(op) + "\":" + constant + "}}", 5));
  }
  EXPECT_FALSE(matches_value(R"({"a":{"$lt":5}})", nan));
  EXPECT_TRUE(matches_value("{\"a\":{\"$in\":[" + constant + "]}}", nan));
}

TEST(Filter, StringsCompareByBytes) {
  EXPECT_FALSE(matches(R"({"a":"abc"})", R"({"a":"ABC"})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":"Z"}})", R"({"a":"a"})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":"z"}})", R"({"a":"é"})"));
  EXPECT_FALSE(matches(R"({"a":"é"})", "{\"a\":\"e\u0301\"}"));
  EXPECT_FALSE(matches(R"({"a":"a"})", R"({"a":"a "})"));
}

TEST(Filter, TextConstantsStandForDatesAndTimes) {
  const Timestamp noon{1'767'268'800'000'000};  // 2026-01-01T12:00:00Z
  EXPECT_TRUE(matches_value(R"({"a":{"$gt":"2026-01-01T00:00:00Z"}})", noon));
  EXPECT_TRUE(matches_value(R"({"a":"2026-01-01T12:00:00.000000Z"})", noon));
  EXPECT_FALSE(matches_value(R"({"a":{"$gt":"2026-01-01T12:00:00Z"}})", noon));
  EXPECT_TRUE(matches_value(R"({"a":{"$in":["x","2026-01-01T12:00:00Z"]}})", noon));
  EXPECT_TRUE(
      matches_value(R"({"a":{"$between":["2026-01-01T00:00:00Z","2026-01-02T00:00:00Z"]}})", noon));
  // Another type than the text reads as.
  EXPECT_FALSE(matches_value(R"({"a":{"$gt":"2026-01-01"}})", noon));
  EXPECT_TRUE(matches_value(R"({"a":{"$lt":"2026-02-01"}})", Date{2026, 1, 31}));
  EXPECT_TRUE(matches_value(R"({"a":"10:30:00"})", Time{37'800'000'000, 3}));
  EXPECT_TRUE(matches_value(R"({"a":"2026-01-01T12:00:00"})", DateTime{1'767'268'800'000'000, 0}));
  // A text is still compared as a text.
  EXPECT_TRUE(matches_value(R"({"a":{"$gt":"2026-01-01"}})", "2026-01-02"));
  // The typed form means the one type alone.
  EXPECT_FALSE(matches_value(R"({"a":{"$type":"date","text":"2026-01-02"}})", "2026-01-02"));
  EXPECT_TRUE(matches_value(R"({"a":{"$type":"date","text":"2026-01-02"}})", Date{2026, 1, 2}));
}

TEST(Filter, IdentifiersCompareInTheirTypedForm) {
  ObjectId id;
  id.bytes.fill(0xab);
  EXPECT_TRUE(matches_value(R"({"a":{"$type":"objectid","text":"abababababababababababab"}})", id));
  EXPECT_FALSE(matches_value(R"({"a":"abababababababababababab"})", id));
}

TEST(Filter, ArraysMatchByAnyElementAndAsAWhole) {
  EXPECT_TRUE(matches(R"({"a":2})", R"({"a":[1,2]})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":1}})", R"({"a":[1,2]})"));
  EXPECT_FALSE(matches(R"({"a":{"$ne":2}})", R"({"a":[1,2]})"));
  EXPECT_FALSE(matches(R"({"a":{"$nin":[2]}})", R"({"a":[1,2]})"));
  EXPECT_TRUE(matches(R"({"a":[1,2]})", R"({"a":[1,2]})"));
  EXPECT_TRUE(matches(R"({"a":[1,2]})", R"({"a":[[1,2],3]})"));
  EXPECT_FALSE(matches(R"({"a":[2,1]})", R"({"a":[1,2]})"));
  EXPECT_TRUE(matches(R"({"a":null})", R"({"a":[1,null]})"));
  EXPECT_FALSE(matches(R"({"a":null})", R"({"a":[]})"));
  EXPECT_FALSE(matches(R"({"a":1})", R"({"a":[[1]]})"));
  EXPECT_TRUE(matches(R"({"a":{"$regex":"^x"}})", R"({"a":["y","xy"]})"));
  EXPECT_TRUE(matches(R"({"a":{"$like":"x%"}})", R"({"a":["y","xy"]})"));
}

TEST(Filter, ObjectsCompareMemberByMemberInOrder) {
  EXPECT_TRUE(matches(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":2}})"));
  EXPECT_FALSE(matches(R"({"a":{"b":1,"c":2}})", R"({"a":{"c":2,"b":1}})"));
  EXPECT_FALSE(matches(R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2}})"));
  EXPECT_TRUE(matches(R"({"a":{"b":1}})", R"({"a":{"b":1.0}})"));
  EXPECT_TRUE(matches(R"({"a":{"$gt":{"b":1}}})", R"({"a":{"b":2}})"));
  EXPECT_TRUE(matches(R"({"a":{}})", R"({"a":{}})"));
}

TEST(Filter, DottedPathsGoThroughObjectsAndArrays) {
  EXPECT_TRUE(matches(R"({"a.b.c":1})", R"({"a":{"b":{"c":1}}})"));
  EXPECT_TRUE(matches(R"({"a.b":2})", R"({"a":[{"b":1},{"b":2}]})"));
  EXPECT_TRUE(matches(R"({"a.1.b":2})", R"({"a":[{"b":1},{"b":2}]})"));
  EXPECT_FALSE(matches(R"({"a.0.b":2})", R"({"a":[{"b":1},{"b":2}]})"));
  EXPECT_TRUE(matches(R"({"a.1":7})", R"({"a":[6,7]})"));
  EXPECT_FALSE(matches(R"({"a.01":7})", R"({"a":[6,7]})"));
  EXPECT_TRUE(matches(R"({"a.0":7})", R"({"a":{"0":7}})"));
  EXPECT_TRUE(matches(R"({"a.b":null})", R"({"a":5})"));
  EXPECT_TRUE(matches(R"({"a.b":null})", R"({"a":[{"b":1},{"c":1}]})"));
  EXPECT_FALSE(matches(R"({"a.b":null})", R"({"a":[1,2]})"));
  EXPECT_FALSE(matches(R"({"a.b":{"$ne":1}})", R"({"a":[{"b":1},{"b":2}]})"));
}

TEST(Filter, AFieldNamedWithADotWins) {
  EXPECT_TRUE(matches(R"({"a.b":1})", R"({"a.b":1,"a":{"b":2}})"));
  EXPECT_FALSE(matches(R"({"a.b":2})", R"({"a.b":1,"a":{"b":2}})"));
  EXPECT_TRUE(matches(R"({"a.b.c":1})", R"({"a":{"b.c":1,"b":{"c":2}}})"));
}

TEST(Filter, JsonColumnsAreWhatTheyHold) {
  const Json json{R"({"b":[1,{"c":"x"}],"n":12345678901234567890123})"};
  EXPECT_TRUE(matches_value(R"({"a.b":1})", json));
  EXPECT_TRUE(matches_value(R"({"a.b.c":"x"})", json));
  EXPECT_TRUE(matches_value(R"({"a.n":12345678901234567890123})", json));
  EXPECT_FALSE(matches_value(R"({"a.n":12345678901234567890124})", json));
  EXPECT_TRUE(matches_value(R"({"a":5})", Json{"5"}));
  EXPECT_TRUE(matches_value(R"({"a":5})", Json{"[4,5]"}));
  EXPECT_TRUE(matches_value(R"({"a":null})", Json{"null"}));
  EXPECT_FALSE(matches_value(R"({"a.b":1})", Json{"{broken"}));
}

TEST(Filter, RegexSearchesTextsOnly) {
  EXPECT_TRUE(matches(R"({"a":{"$regex":"b+"}})", R"({"a":"abbc"})"));
  EXPECT_FALSE(matches(R"({"a":{"$regex":"^b"}})", R"({"a":"abbc"})"));
  EXPECT_FALSE(matches(R"({"a":{"$regex":"5"}})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":{"$regex":"ABC"}})", R"({"a":"abc"})"));
  EXPECT_TRUE(matches(R"({"a":{"$regex":"ABC|X","$options":"i"}})", R"({"a":"abc"})"));
  EXPECT_TRUE(matches(R"({"a":{"$options":"m","$regex":"^b"}})", "{\"a\":\"a\\nb\"}"));
  EXPECT_FALSE(matches(R"({"a":{"$regex":"a.b"}})", "{\"a\":\"a\\nb\"}"));
  EXPECT_TRUE(matches(R"({"a":{"$regex":"a.b","$options":"s"}})", "{\"a\":\"a\\nb\"}"));
  EXPECT_TRUE(matches(R"({"a":{"$not":{"$regex":"x"}}})", R"({"a":5})"));
}

TEST(Filter, RegexStaysLinear) {
  const std::string text(50'000, 'a');
  EXPECT_FALSE(matches_value(R"({"a":{"$regex":"^(a+)+$b"}})", text));
  EXPECT_FALSE(matches_value(R"({"a":{"$regex":"(a|aa)*b$"}})", text));
}

TEST(Filter, LikeMatchesTheWholeText) {
  const auto like = [](std::string_view pattern, std::string_view text) {
    Value::Object operation{{"$like", Value(pattern)}};
    return Filter::parse(Value(Value::Object{{"a", std::move(operation)}}))
        .matches(Document(Value::Object{{"a", Value(text)}}));
  };
  EXPECT_TRUE(like("a%", "abc"));
  EXPECT_FALSE(like("b%", "abc"));
  EXPECT_TRUE(like("%c", "abc"));
  EXPECT_TRUE(like("%b%", "abc"));
  EXPECT_TRUE(like("a_c", "abc"));
  EXPECT_FALSE(like("a_c", "abbc"));
  EXPECT_FALSE(like("ABC", "abc"));
  EXPECT_FALSE(like("b", "abc"));
  EXPECT_TRUE(like("", ""));
  EXPECT_TRUE(like("%", ""));
  EXPECT_FALSE(like("_", ""));
  EXPECT_TRUE(like("_", "日"));
  EXPECT_FALSE(like("__", "日"));
  EXPECT_FALSE(like("%_%_", "日"));
  EXPECT_FALSE(like("%__a", "日a"));
  EXPECT_TRUE(like("%_a", "日a"));
  EXPECT_TRUE(like("100\\%", "100%"));
  EXPECT_FALSE(like("100\\%", "1000"));
  EXPECT_TRUE(like("a\\\\b", "a\\b"));
  EXPECT_TRUE(like("a\\", "a\\"));
  EXPECT_TRUE(like("%ab%ab", "abxabyab"));
  EXPECT_FALSE(like("ab%ab", "ab"));
  EXPECT_TRUE(like("a%c", std::string_view("a\0c", 3)));
}

TEST(Filter, LikeDoesNotBacktrackWithoutBound) {
  std::string pattern;
  for (int i = 0; i < 400; ++i) {
    pattern += "%a";
  }
  EXPECT_FALSE(matches_value("{\"a\":{\"$like\":\"" + pattern + "b\"}}", std::string(5'000, 'a')));
}

TEST(Filter, UnknownOperatorIsNamedWithTheNearestOne) {
  EXPECT_NE(error_of(R"({"a":{"$gtee":1}})").find("\"$gtee\""), std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$gtee":1}})").find("did you mean \"$gte\"?"), std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$Like":"x"}})").find("did you mean \"$like\"?"), std::string::npos);
  EXPECT_NE(error_of(R"({"$an":[{}]})").find("did you mean \"$and\"?"), std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$elephant":1}})").find("known are $eq"), std::string::npos);
  EXPECT_NE(error_of(R"({"$gt":5})").find("belongs below a field"), std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$or":[{}]}})").find("takes whole filters"), std::string::npos);
}

TEST(Filter, MistakesAreRefused) {
  for (const char* filter : {"[]",
                             "5",
                             R"({"$and":[]})",
                             R"({"$or":{"a":1}})",
                             R"({"a":{"$in":5}})",
                             R"({"a":{"$between":[1]}})",
                             R"({"a":{"$between":[1,2,3]}})",
                             R"({"a":{"$exists":"yes"}})",
                             R"({"a":{"$exists":2}})",
                             R"({"a":{"$not":5}})",
                             R"({"a":{"$not":{}}})",
                             R"({"a":{"$regex":5}})",
                             R"({"a":{"$regex":"("}})",
                             R"({"a":{"$regex":"a","$options":"x"}})",
                             R"({"a":{"$options":"i"}})",
                             R"({"a":{"$like":5}})",
                             R"({"a":{"$gt":1,"b":2}})",
                             R"({"a":{"b":1,"$gt":2}})",
                             R"({"a":{"b":{"$gt":2}}})",
                             R"({"a":{"$gt":1)",
                             ""}) {
    EXPECT_NE(error_of(filter), "no error") << filter;
  }
}

TEST(Filter, TextThatIsNotUtf8IsRefused) {
  EXPECT_THROW(static_cast<void>(Filter::parse(Value(Value::Object{{"a", "\xff"}}))),
               ValidationError);
  EXPECT_THROW(static_cast<void>(Filter::parse(Value(Value::Object{{"\xff", 1}}))),
               ValidationError);
}

TEST(Filter, LimitsHoldAgainstHostileFilters) {
  std::string deep;
  for (int i = 0; i < 40; ++i) {
    deep += R"({"$and":[)";
  }
  deep += "{}";
  for (int i = 0; i < 40; ++i) {
    deep += "]}";
  }
  EXPECT_NE(error_of(deep).find("nested deeper than 32"), std::string::npos) << error_of(deep);
  EXPECT_NE(error_of(std::string(200'000, '[')), "no error");

  std::string wide = R"({"a":{"$in":[1)";
  for (int i = 0; i < 10'000; ++i) {
    wide += ",1";
  }
  EXPECT_NE(error_of(wide + "]}}").find("more than 10000"), std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$regex":")" + std::string(1001, 'a') + "\"}}").find("longer than"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"a":{"$regex":"((a{100}){100}){100}"}})"), "no error");
  EXPECT_NE(error_of(R"({"0.0.0.0.0.0.0.0.0":1})").find("array indexes"), std::string::npos);
  EXPECT_NE(error_of("{\"" + std::string(40, '.') + "\":1}").find("parts"), std::string::npos);
  EXPECT_EQ(error_of(R"({"a":1})", {.max_depth = 1}), "no error");
}

TEST(Filter, CanonicalTextIgnoresTheOrderOfMembers) {
  const auto canonical = [](std::string_view filter) { return Filter::parse(filter).canonical(); };
  EXPECT_EQ(canonical(R"({"a":5,"b":{"$gt":1}})"), canonical(R"({"b":{"$gt":1},"a":5})"));
  EXPECT_EQ(canonical(R"({"a":{"$in":[3,1,2,1]}})"), canonical(R"({"a":{"$in":[1,2,3]}})"));
  EXPECT_EQ(canonical(R"({"$and":[{"a":1},{"b":2}]})"), canonical(R"({"b":2,"a":1})"));
  EXPECT_EQ(canonical(R"({"$or":[{"a":1},{"b":2}]})"), canonical(R"({"$or":[{"b":2},{"a":1}]})"));
  EXPECT_EQ(canonical(R"({"a":{"$not":{"$eq":1}}})"), canonical(R"({"a":{"$ne":1}})"));
  EXPECT_EQ(canonical(R"({"$or":[{"a":1},{"a":1}]})"), canonical(R"({"a":1})"));
  EXPECT_NE(canonical(R"({"$or":[{"a":1},{"b":2}]})"), canonical(R"({"a":1,"b":2})"));
  EXPECT_NE(canonical(R"({"a":1})"), canonical(R"({"a":"1"})"));
  EXPECT_NE(canonical(R"({"a":[1,2]})"), canonical(R"({"a":[2,1]})"));
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(Filter().canonical(), "{}");
  EXPECT_EQ(canonical(R"({"b":{"$gt":1},"a":5})"), R"({"$and":[{"a":{"$eq":5}},{"b":{"$gt":1}}]})");
}

TEST(Filter, CanonicalTextKeepsEveryTypeOfConstant) {
  const std::vector<Value> constants{Value(),
                                     true,
                                     std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::uint64_t>::max(),
                                     0.1F,
                                     1e300,
                                     std::numeric_limits<double>::quiet_NaN(),
                                     -std::numeric_limits<double>::infinity(),
                                     Decimal{"-12.340"},
                                     "2026-01-01",
                                     Bytes{std::string("\0\xff", 2)},
                                     Date{2026, 1, 31},
                                     Time{-3'600'000'000, 0},
                                     Timestamp{1},
                                     DateTime{1'500'000, 3},
                                     Uuid{},
                                     ObjectId{},
                                     Json{R"({"a":[1]})"},
                                     Value::Array{},
                                     Value::Object{{"x", Value::Array{Value(1), Value("y")}}},
                                     Extended{"MinKey", "1"}};
  for (const Value& constant : constants) {
    const Value source(Value::Object{{"a", Value::Object{{"$eq", constant}}}});
    const Filter filter = Filter::parse(source);
    const Filter again = Filter::parse(filter.canonical());
    EXPECT_EQ(again.canonical(), filter.canonical());
    const Document row(Value::Object{{"a", constant}});
    EXPECT_TRUE(filter.matches(row)) << filter.canonical();
    EXPECT_TRUE(again.matches(row)) << filter.canonical();
  }
}

TEST(Filter, IndexableEqualityIsAConjunctWithAScalar) {
  const auto equality = [](std::string_view filter) {
    return Filter::parse(filter).indexable_equality();
  };
  const auto found = equality(R"({"b":{"$gt":1},"a":5})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->field, "a");
  EXPECT_EQ(found->value, Value(5));
  EXPECT_EQ(equality(R"({"a":true,"b":"x"})")->field, "b");
  EXPECT_EQ(equality(R"({"$and":[{"$or":[{"x":1},{"y":1}]},{"a":5}]})")->field, "a");
  for (const char* filter :
       {"{}", R"({"a":null})", R"({"a":[1]})", R"({"a":{"b":1}})", R"({"a":{"$gt":5}})",
        R"({"$or":[{"a":5},{"b":1}]})", R"({"a":{"$ne":5}})", R"({"a.b":5})",
        R"({"a":"2026-01-01"})", R"({"$nor":[{"a":5}]})"}) {
    EXPECT_FALSE(equality(filter)) << filter;
  }
}

TEST(Filter, IsSharedBetweenThreads) {
  const Filter filter =
      Filter::parse(R"({"a":{"$in":[1,2,3]},"b":{"$regex":"x+y"},"c.d":{"$gt":1}})");
  std::vector<std::thread> threads;
  std::vector<int> matched(4);
  threads.reserve(matched.size());
  for (int& count : matched) {
    threads.emplace_back([&filter, &count] {
      for (int i = 0; i < 500; ++i) {
        const Document row(Value::Object{{"a", i % 4}, {"b", "xxy"}, {"c", Json{R"({"d":2})"}}});
        count += filter.matches(row) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(matched, std::vector<int>(4, 375));
}

}  // namespace
}  // namespace ustream
