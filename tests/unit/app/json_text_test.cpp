#include "app/json_text.hpp"

#include <gtest/gtest.h>

namespace ustream::app {
namespace {

std::string readable(std::string_view json, Layout layout = Layout::one_line,
                     Palette::Use use = Palette::Use::plain) {
  std::string out;
  append_readable(out, json, layout, Palette(use));
  return out;
}

TEST(JsonText, SpacesOneLine) {
  EXPECT_EQ(readable(R"({"a":1,"b":[true,null,"x, y: {"],"c":{},"d":[]})"),
            R"({"a": 1, "b": [true, null, "x, y: {"], "c": {}, "d": []})");
}

TEST(JsonText, IndentsMembers) {
  EXPECT_EQ(readable(R"({"a":1,"b":{"c":[1,2]}})", Layout::indented),
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      2\n    ]\n  }\n}");
}

TEST(JsonText, KeepsEveryDigit) {
  EXPECT_EQ(readable("[18446744073709551615,1.0,1e300]"), "[18446744073709551615, 1.0, 1e300]");
}

TEST(JsonText, ColoursNamesAndValues) {
  EXPECT_EQ(readable(R"({"a":"b\"c"})", Layout::one_line, Palette::Use::coloured),
            "{\033[34m\"a\"\033[0m: \033[32m\"b\\\"c\"\033[0m}");
}

TEST(JsonText, LetsNoControlCharacterThrough) {
  EXPECT_EQ(readable("\"a\x7f\xc2\x9b\x1b[31m\xc3\xa4\""),
            "\"a\\u007f\\u009b\\u001b[31m\xc3\xa4\"");
  std::string out;
  append_safe(out, "x\033]0;title\a\n");
  EXPECT_EQ(out, "x\\u001b]0;title\\u0007\\u000a");
}

TEST(JsonText, SurvivesBrokenText) {
  for (const char* text : {"", "\"", "\"\\", "{", "}}}", "[1,", "{\"a\":", "tru", "\xc2"}) {
    (void)readable(text);
    (void)readable(text, Layout::indented, Palette::Use::coloured);
  }
}

}  // namespace
}  // namespace ustream::app
