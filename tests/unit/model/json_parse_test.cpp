#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/random_value.hpp"

namespace ustream {
namespace {

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  try {
    static_cast<void>(parse_json(text, limits));
  } catch (const ValidationError& error) {
    return error.what();
  }
  return {};
}

struct NumberCase {
  const char* text;
  Value value;
};

TEST(ParseJson, keeps_every_digit_of_a_number) {
  const std::vector<NumberCase> cases = {
      {"0", 0},
      {"-0", 0},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"9223372036854775808", std::uint64_t{1} << 63},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
      {"18446744073709551616", Decimal{"18446744073709551616"}},
      {"-9223372036854775809", Decimal{"-9223372036854775809"}},
      {"0.1", 0.1},
      {"0.10", 0.1},
      {"1.0", 1.0},
      {"1e2", 100.0},
      {"1E+2", 100.0},
      {"100e-2", 1.0},
      {"-0.0", -0.0},
      {"0.1000000000000000055511151231257827", Decimal{"0.1000000000000000055511151231257827"}},
      {"9007199254740993.0", Decimal{"9007199254740993.0"}},
      {"1e-400", Decimal{"1e-400"}},
      {"1.7976931348623157e308", 1.7976931348623157e308},
      {"5e-324", 5e-324},
  };
  for (const NumberCase& c : cases) {
    EXPECT_EQ(parse_json(c.text), c.value) << c.text;
  }
  EXPECT_TRUE(std::signbit(parse_json("-0.0").as_double()));
  const std::string small = "0." + std::string(300, '0') + "1e301";
  EXPECT_EQ(parse_json(small), Value(1.0)) << "the value is 1, however it is written";
  const std::string digits(300, '7');
  EXPECT_EQ(parse_json(digits), Value(Decimal{digits}));
}

TEST(ParseJson, reads_containers_in_order) {
  const Value value = parse_json(R"( {"b" : [1, {"x":null}, [] ], "a": {}, "": true} )");
  EXPECT_EQ(value, Value(Value::Object{
                       {"b", Value::Array{1, Value::Object{{"x", nullptr}}, Value::Array{}}},
                       {"a", Value::Object{}},
                       {"", true}}));
}

TEST(ParseJson, reads_escapes_and_surrogate_pairs) {
  EXPECT_EQ(parse_json(R"("\"\\\/\b\f\n\r\t\u00e4\u20AC\ud83d\ude00\u0000")").as_string(),
            std::string("\"\\/\b\f\n\r\tä€😀\0", 18));
}

TEST(ParseJson, reads_typed_values_back) {
  EXPECT_EQ(parse_json(R"({"$type":"bytes","text":"AAE="})"), Value(Bytes{std::string("\0\1", 2)}));
  EXPECT_EQ(parse_json(R"({"text":"1.50","$type":"decimal"})"), Value(Decimal{"1.50"}));
  EXPECT_EQ(parse_json(R"({"$type":"date","text":"2026-01-31"})"), Value(Date{2026, 1, 31}));
  EXPECT_EQ(parse_json(R"({"$type":"time","text":"-838:59:59.000"})"),
            Value(Time{-3'020'399'000'000, 3}));
  EXPECT_EQ(parse_json(R"({"$type":"timestamp","text":"1970-01-01T00:00:01Z"})"),
            Value(Timestamp{1'000'000}));
  EXPECT_EQ(parse_json(R"({"$type":"datetime","text":"1970-01-01T00:00:01.5"})"),
            Value(DateTime{1'500'000, 1}));
  EXPECT_EQ(parse_json(R"({"$type":"inet","text":"::1"})"), Value(Extended{"inet", "::1"}));
  // Not of the one form: an object like any other.
  EXPECT_EQ(parse_json(R"({"$type":"bytes","text":1})").type(), ValueType::object);
  EXPECT_EQ(parse_json(R"({"$type":"bytes","text":"","x":1})").type(), ValueType::object);
}

TEST(ParseJson, refuses_a_typed_value_whose_text_does_not_fit) {
  for (const char* type : {"bytes", "decimal", "date", "time", "timestamp", "datetime", "uuid",
                           "objectid", "int64", "uint64", "float64", "boolean", "null", "json"}) {
    const std::string text = std::string(R"({"$type":")") + type + R"(","text":"x?"})";
    EXPECT_NE(refusal(text), "") << type;
  }
}

TEST(ParseJson, refuses_what_is_not_json_and_names_the_offset) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "nul",
                                          "nulll",
                                          "True",
                                          "01",
                                          "-",
                                          "+1",
                                          ".5",
                                          "1.",
                                          "1.e2",
                                          "1e",
                                          "1e+",
                                          "--1",
                                          "0x10",
                                          "NaN",
                                          "[",
                                          "]",
                                          "[1",
                                          "[1,",
                                          "[1,]",
                                          "[,1]",
                                          "[1 2]",
                                          "{",
                                          "}",
                                          "{\"a\"",
                                          "{\"a\":",
                                          "{\"a\":1",
                                          "{\"a\":1,",
                                          "{\"a\":1,}",
                                          "{a:1}",
                                          "{1:1}",
                                          "{\"a\" 1}",
                                          "[}",
                                          "{]",
                                          "\"",
                                          "\"\\\"",
                                          "\"\\x\"",
                                          "\"\\u12\"",
                                          "\"\\u12G4\"",
                                          "\"\n\"",
                                          "\"\x01\"",
                                          "1 2",
                                          "{} []",
                                          "'a'",
                                          "/*x*/1",
                                          "\xef\xbb\xbf 1",
                                          std::string("1\0", 2)};
  for (const std::string& text : texts) {
    const std::string why = refusal(text);
    EXPECT_NE(why.find("at byte "), std::string::npos) << text << ": " << why;
  }
  EXPECT_EQ(refusal("[1,2,x]"), "JSON: Invalid value at byte 5");
}

TEST(ParseJson, refuses_invalid_utf8_and_lone_surrogates) {
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_NE(refusal("\"" + std::string(bad) + "\""), "");
    EXPECT_NE(refusal("{\"" + std::string(bad) + "\":1}"), "");
  }
  for (const char* bad : {R"("\ud800")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")",
                          R"("\udc00")", R"("\udc00\ud800")"}) {
    EXPECT_NE(refusal(bad).find("surrogate"), std::string::npos) << bad;
  }
}

TEST(ParseJson, refuses_two_members_of_one_name) {
  EXPECT_NE(refusal(R"({"a":1,"b":2,"a":3})"), "");
  EXPECT_NE(refusal(R"({"a":1,"\u0061":2})"), "") << "an escape does not make another name";
  std::string many = "{";
  for (int i = 0; i < 100; ++i) {
    many += "\"m" + std::to_string(i) + "\":0,";
  }
  EXPECT_EQ(refusal(many + "\"last\":0}"), "");
  EXPECT_NE(refusal(many + "\"m50\":0}"), "");
}

TEST(ParseJson, refuses_deep_nesting_without_recursion) {
  EXPECT_EQ(refusal(std::string(100, '[') + std::string(100, ']')), "");
  EXPECT_NE(refusal(std::string(101, '[') + std::string(101, ']')).find("100 levels at byte 100"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(1'000'000, '[')), "");
  EXPECT_NE(refusal("[[1]]", {.max_depth = 1}), "");
}

TEST(ParseJson, refuses_text_beyond_the_limit) {
  EXPECT_EQ(refusal("[1]", {.max_bytes = 3}), "");
  EXPECT_NE(refusal("[1] ", {.max_bytes = 3}), "");
}

TEST(ParseJson, refuses_numbers_beyond_a_double_with_a_clear_error) {
  for (const char* text :
       {"1e400", "-1e400", "1e99999999999999999999", "0e999999999999999999999"}) {
    EXPECT_NE(refusal(text).find("umber too big"), std::string::npos) << text;
  }
}

TEST(ParseJson, refuses_a_nul_and_what_stands_behind_it) {
  EXPECT_NE(refusal(std::string("1\0", 2)), "");
  EXPECT_NE(refusal(std::string("1\0 2", 4)), "");
}

}  // namespace
}  // namespace ustream
