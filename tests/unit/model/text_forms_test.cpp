// Dates, identifiers and base64 as text, and back.
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "ustream/json.hpp"

#include "model/base64.hpp"
#include "model/number.hpp"
#include "model/random_value.hpp"
#include "model/temporal.hpp"

namespace ustream::model {
namespace {

template <class T>
std::string text_of(const T& value) {
  std::string out;
  append_text(out, value);
  return out;
}

TEST(Temporal, the_whole_range_of_a_timestamp_reads_back) {
  test::RandomValues random(9);
  for (const std::int64_t micros :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
        std::int64_t{0}, std::int64_t{-1}}) {
    EXPECT_EQ(parse_timestamp(text_of(Timestamp{micros})), Timestamp{micros});
    EXPECT_EQ(parse_time(text_of(Time{micros, 6})), (Time{micros, 6}));
  }
  for (int i = 0; i < 5000; ++i) {
    const Timestamp moment{static_cast<std::int64_t>(random.below(~std::uint64_t{0}))};
    EXPECT_EQ(parse_timestamp(text_of(moment)), moment) << moment.micros;
  }
}

TEST(Temporal, every_day_of_eight_hundred_years_is_the_next_of_the_one_before) {
  constexpr std::int64_t kDay = 86'400'000'000;
  constexpr std::int64_t kFirst = -135'140 * kDay;  // 1600-01-01
  EXPECT_EQ(text_of(Timestamp{kFirst}), "1600-01-01T00:00:00.000000Z");
  Date before{1599, 12, 31};
  for (std::int64_t i = 0; i < 292'194; ++i) {
    const std::string text = text_of(DateTime{kFirst + i * kDay, 0}).substr(0, 10);
    const auto date = parse_date(text);
    ASSERT_TRUE(date.has_value()) << text;
    ASSERT_LT(before, *date);
    ASSERT_TRUE(date->day == before.day + 1 || date->day == 1) << text;
    before = *date;
  }
  EXPECT_EQ(before, (Date{2399, 12, 31}));
}

TEST(Temporal, refuses_what_no_clock_shows) {
  for (const char* bad : {"2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
                          "2026-01-31T24:00:00Z", "2026-01-31T10:60:00Z", "2026-01-31T10:00:00",
                          "2026-01-31", "2026-01-31T10:00:00.Z", "2026-01-31T10:00:00.1234567Z",
                          "2026-01-31 10:00:00Z", "26-01-31T10:00:00Z", "999999999-01-31T10:00:00Z",
                          "2026-01-31T10:00:00Zx", "99999999999-01-31T10:00:00Z"}) {
    EXPECT_EQ(parse_timestamp(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_date("2026-1-31"), std::nullopt);
  EXPECT_EQ(parse_date("2026-13-31"), std::nullopt);
  EXPECT_EQ(parse_date("99999999999-01-01"), std::nullopt);
  EXPECT_EQ(parse_date("4000000000-01-01"), std::nullopt);
  EXPECT_EQ(parse_time("1:00:00"), std::nullopt);
  EXPECT_EQ(parse_time("9999999999:00:00"), std::nullopt);
  EXPECT_EQ(parse_datetime("2026-01-31T10:00:00Z"), std::nullopt);
}

TEST(Identifiers, read_either_case_and_nothing_else) {
  EXPECT_TRUE(parse_objectid("507F1f77bcf86cd799439011"));
  EXPECT_FALSE(parse_objectid("507f1f77bcf86cd79943901"));
  EXPECT_FALSE(parse_objectid("507f1f77bcf86cd79943901g"));
  EXPECT_TRUE(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEFF"));
  EXPECT_FALSE(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEF"));
  EXPECT_FALSE(parse_uuid("001122334455-6677-8899-AABBCCDDEEFF-"));
  EXPECT_FALSE(parse_uuid("0011223344556677-8899-AABBCCDDEEFF--"));
}

TEST(Base64, agrees_with_the_examples_of_rfc_4648) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    std::string out;
    append_base64(out, bytes);
    EXPECT_EQ(out, text);
    std::string back;
    EXPECT_TRUE(decode_base64(text, back));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64, random_bytes_read_back_in_both_alphabets) {
  test::RandomValues random(6);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random.bytes();
    std::string text;
    append_base64(text, bytes);
    std::string url;
    append_base64url(url, bytes);
    EXPECT_EQ(url.find_first_of("+/="), std::string::npos);
    std::string back = "before ";
    EXPECT_TRUE(decode_base64(text, back));
    EXPECT_EQ(back, "before " + bytes);
    back.clear();
    EXPECT_TRUE(decode_base64url(url, back));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64, refuses_text_that_no_encoder_writes) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v",
                          "Zm9v\n", "Zm-v", "=Zg="}) {
    std::string out = "kept";
    EXPECT_FALSE(decode_base64(bad, out)) << bad;
    EXPECT_EQ(out, "kept");
  }
  std::string out;
  EXPECT_FALSE(decode_base64url("Zg==", out));
  EXPECT_FALSE(decode_base64url("Zh", out));
  EXPECT_FALSE(decode_base64url("Zm+v", out));
}

TEST(Numbers, only_the_canonical_text_is_a_canonical_number) {
  for (const char* text : {"0", "-1", "42", "1.0", "-0.0", "1e+30", "0.1", "18446744073709551615",
                           "18446744073709551616", "1e400"}) {
    EXPECT_TRUE(canonical_number(text)) << text;
  }
  for (const char* text :
       {"", "-0", "00", "+1", "1.50", "1e2", "1.", ".5", "0x1", " 1", "1 ", "NaN", "abc", "1e30"}) {
    EXPECT_FALSE(canonical_number(text)) << text;
  }
}

}  // namespace
}  // namespace ustream::model
