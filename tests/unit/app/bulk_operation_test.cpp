#include "app/bulk_operation.hpp"

#include <gtest/gtest.h>

namespace ustream::app {
namespace {

TEST(BulkOperation, ReadsAWrite) {
  const auto operation = parse_bulk_operation(
      R"({"write":{"collection":"orders","key":"42","data":{"a":1},"mode":"replace"}})");
  EXPECT_EQ(operation.collection, "orders");
  EXPECT_EQ(operation.key, "42");
  EXPECT_EQ(operation.mode, WriteMode::replace);
  ASSERT_TRUE(operation.data);
  EXPECT_EQ(*operation.data, (Value::Object{{"a", 1}}));
}

TEST(BulkOperation, ReadsADelete) {
  const auto operation = parse_bulk_operation(R"({"delete":{"collection":"orders","key":"a"}})");
  EXPECT_FALSE(operation.data);
  EXPECT_EQ(operation.key, "a");
}

TEST(BulkOperation, TurnsKeysIntoText) {
  const auto key = [](const std::string& json) {
    return parse_bulk_operation(R"({"delete":{"collection":"c","key":)" + json + "}}").key;
  };
  EXPECT_EQ(key("42"), "42");
  EXPECT_EQ(key("-7"), "-7");
  EXPECT_EQ(key("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(key("1.5"), "1.5");
  EXPECT_EQ(key("\"4\\u00e4\""), "4\xc3\xa4");
  EXPECT_EQ(key("[1,\"a\"]"), "[1,\"a\"]");
}

TEST(BulkOperation, RefusesEverythingElse) {
  for (const char* line :
       {"", "nonsense", "1", "[]", "{}", "null", R"({"write":1})", R"({"upsert":{}})",
        R"({"write":{"collection":"c","key":"1"}})", R"({"write":{"key":"1","data":{}}})",
        R"({"write":{"collection":"c","key":"1","data":[]}})",
        R"({"write":{"collection":1,"key":"1","data":{}}})",
        R"({"write":{"collection":"c","key":true,"data":{}}})",
        R"({"write":{"collection":"c","key":null,"data":{}}})",
        R"({"write":{"collection":"c","key":"1","data":{},"mode":"mend"}})",
        R"({"write":{"collection":"c","key":"1","data":{},"extra":1}})",
        R"({"delete":{"collection":"c"}})", R"({"delete":{"collection":"c","key":"1","data":{}}})",
        R"({"delete":{"collection":"c","key":"1"},"write":{}})"}) {
    EXPECT_THROW((void)parse_bulk_operation(line), ValidationError) << line;
  }
}

}  // namespace
}  // namespace ustream::app
