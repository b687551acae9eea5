#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/random_value.hpp"
#include "model/typed_text.hpp"

namespace ustream {
namespace {

TEST(WriteJson, writes_numbers_so_that_they_read_back) {
  EXPECT_EQ(to_json(Value(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(to_json(Value(std::numeric_limits<std::uint64_t>::max())), "18446744073709551615");
  EXPECT_EQ(to_json(Value(1.0)), "1.0");
  EXPECT_EQ(to_json(Value(-0.0)), "-0.0");
  EXPECT_EQ(to_json(Value(0.1)), "0.1");
  EXPECT_EQ(to_json(Value(1e22)), "1e+22");
  EXPECT_EQ(to_json(Value(0.1F)), "0.1");
  EXPECT_EQ(to_json(Value(16777216.0F)), "16777216.0");
  EXPECT_EQ(to_json(Value(Decimal{"-12.340"})), "\"-12.340\"");
}

TEST(WriteJson, writes_what_is_no_number_as_strings) {
  EXPECT_EQ(to_json(Value(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(to_json(Value(HUGE_VAL)), "\"Infinity\"");
  EXPECT_EQ(to_json(Value(-HUGE_VAL)), "\"-Infinity\"");
  EXPECT_EQ(to_json(Value(-HUGE_VALF)), "\"-Infinity\"");
}

TEST(WriteJson, escapes_strings_no_more_than_needed) {
  EXPECT_EQ(to_json(Value("\"\\/\b\f\n\r\t")), R"("\"\\/\b\f\n\r\t")");
  EXPECT_EQ(to_json(Value(std::string("\0\x1f\x7f", 3))), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(to_json(Value("ä€😀")), "\"ä€😀\"");
}

TEST(WriteJson, refuses_text_that_is_not_utf8) {
  for (const char* bad : {"\xff", "ok\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
    EXPECT_THROW(static_cast<void>(to_json(Value(bad))), ValidationError);
    EXPECT_THROW(static_cast<void>(to_json(Value(Value::Object{{bad, 1}}))), ValidationError);
    EXPECT_THROW(static_cast<void>(to_json(Value(Json{bad}))), ValidationError);
    EXPECT_FALSE(is_valid_utf8(bad));
  }
  EXPECT_TRUE(is_valid_utf8("0123456789ä€😀 and more text"));
}

TEST(WriteJson, writes_dates_and_times) {
  EXPECT_EQ(to_json(Value(Date{2026, 1, 31})), "\"2026-01-31\"");
  EXPECT_EQ(to_json(Value(Date{0, 0, 0})), "\"0000-00-00\"");
  EXPECT_EQ(to_json(Value(Date{-44, 3, 15})), "\"-0044-03-15\"");
  EXPECT_EQ(to_json(Value(Time{-3'020'399'000'000, 6})), "\"-838:59:59.000000\"");
  EXPECT_EQ(to_json(Value(Time{3'723'450'000, 2})), "\"01:02:03.45\"");
  EXPECT_EQ(to_json(Value(Time{0, 0})), "\"00:00:00\"");
  EXPECT_EQ(to_json(Value(Timestamp{1'769'853'600'123'456})), "\"2026-01-31T10:00:00.123456Z\"");
  EXPECT_EQ(to_json(Value(Timestamp{-1})), "\"1969-12-31T23:59:59.999999Z\"");
  EXPECT_EQ(to_json(Value(DateTime{951'782'400'000'000, 0})), "\"2000-02-29T00:00:00\"");
  EXPECT_EQ(to_json(Value(DateTime{951'782'400'120'000, 2})), "\"2000-02-29T00:00:00.12\"");
}

TEST(WriteJson, writes_identifiers_bytes_and_extended_values) {
  Uuid uuid;
  ObjectId id;
  for (std::uint8_t i = 0; i < 16; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(i * 17);
    id.bytes[i % 12] = i;
  }
  EXPECT_EQ(to_json(Value(uuid)), "\"00112233-4455-6677-8899-aabbccddeeff\"");
  EXPECT_EQ(to_json(Value(id)), "\"0c0d0e0f0405060708090a0b\"");
  EXPECT_EQ(to_json(Value(Bytes{"a"})), "\"YQ==\"");
  EXPECT_EQ(to_json(Value(Bytes{""})), "\"\"");
  EXPECT_EQ(to_json(Value(Extended{"inet", "::1"})), R"({"$type":"inet","text":"::1"})");
}

TEST(WriteJson, json_columns_stand_inline_on_one_line) {
  EXPECT_EQ(to_json(Value(Json{"{\"n\": 1.50,\n\"big\":18446744073709551616}"})),
            "{\"n\": 1.50, \"big\":18446744073709551616}");
}

TEST(WriteJson, writes_containers) {
  EXPECT_EQ(to_json(Value(Value::Array{})), "[]");
  EXPECT_EQ(to_json(Value(Value::Object{})), "{}");
  EXPECT_EQ(to_json(Value(Value::Object{{"a", Value::Array{1, nullptr, false}}, {"b\n", "x"}})),
            R"({"a":[1,null,false],"b\n":"x"})");
}

TEST(WriteJson, refuses_values_nested_beyond_reason) {
  Value value;
  for (int i = 0; i < 600; ++i) {
    Value::Array around;
    around.push_back(std::move(value));
    value = std::move(around);
  }
  EXPECT_THROW(static_cast<void>(to_json(value)), ValidationError);
}

TEST(TypedJson, every_value_reads_back_as_itself) {
  test::RandomValues random(3);
  for (int i = 0; i < 20'000; ++i) {
    const Value value = random.any(4);
    std::string text;
    model::append_typed_json(text, value);
    EXPECT_EQ(parse_json(text), value) << text;
  }
}

TEST(WriteJson, what_json_can_hold_reads_back_as_itself) {
  test::RandomValues random(4);
  int compared = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Value value = random.scalar();
    const auto* number = value.get_if<double>();
    const auto* large = value.get_if<std::uint64_t>();
    const bool holds = value.type() == ValueType::null || value.type() == ValueType::boolean ||
                       value.type() == ValueType::int64 || value.type() == ValueType::string ||
                       (number != nullptr && std::isfinite(*number)) ||
                       (large != nullptr && *large >> 63 == 1);
    const Value read_back = parse_json(to_json(value));
    if (holds) {
      EXPECT_EQ(read_back, value) << to_json(value);
      ++compared;
    }
  }
  EXPECT_GT(compared, 4000);
}

}  // namespace
}  // namespace ustream
