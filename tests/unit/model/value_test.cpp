#include "ustream/value.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

#include "model/random_value.hpp"

namespace ustream {
namespace {

TEST(Value, tells_its_type_and_gives_its_content) {
  EXPECT_EQ(Value().type(), ValueType::null);
  EXPECT_EQ(Value(true).as_bool(), true);
  EXPECT_EQ(Value(7).as_int64(), 7);
  EXPECT_EQ(Value("x").as_string(), "x");
  EXPECT_EQ(Value(Value::Array{1, 2}).as_array().size(), 2U);
  EXPECT_EQ(to_string(Value(Extended{"a", "b"}).type()), "extended");
  EXPECT_EQ(to_string(Value(DateTime{}).type()), "datetime");
}

TEST(Value, refuses_the_wrong_type_and_names_it) {
  try {
    static_cast<void>(Value("x").as_int64());
    FAIL() << "no error";
  } catch (const ValidationError& error) {
    EXPECT_STREQ(error.what(), "expected an integer, got string");
  }
  EXPECT_THROW(static_cast<void>(Value(1).as_bool()), ValidationError);
  EXPECT_THROW(static_cast<void>(Value(1).as_string()), ValidationError);
  EXPECT_THROW(static_cast<void>(Value(1).as_array()), ValidationError);
  EXPECT_THROW(static_cast<void>(Value(1).as_object()), ValidationError);
  EXPECT_THROW(static_cast<void>(Value("1").as_double()), ValidationError);
}

TEST(Value, integers_convert_only_when_they_fit) {
  EXPECT_EQ(Value(std::uint64_t{5}).as_int64(), 5);
  EXPECT_THROW(static_cast<void>(Value(std::uint64_t{1} << 63).as_int64()), ValidationError);
}

TEST(Value, as_double_takes_any_number) {
  EXPECT_EQ(Value(3).as_double(), 3.0);
  EXPECT_EQ(Value(std::numeric_limits<std::uint64_t>::max()).as_double(), 18446744073709551616.0);
  EXPECT_EQ(Value(0.5F).as_double(), 0.5);
  EXPECT_EQ(Value(Decimal{"-12.340"}).as_double(), -12.34);
  EXPECT_EQ(Value(Decimal{"1e400"}).as_double(), HUGE_VAL);
  EXPECT_EQ(Value(Decimal{"-1e400"}).as_double(), -HUGE_VAL);
  EXPECT_EQ(Value(Decimal{"1e-400"}).as_double(), 0.0);
  EXPECT_EQ(Value(Decimal{"0." + std::string(400, '0') + "1"}).as_double(), 0.0);
  EXPECT_EQ(Value(Decimal{"-Infinity"}).as_double(), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(Value(Decimal{"NaN"}).as_double()));
}

TEST(Value, equality_needs_the_same_type) {
  EXPECT_EQ(Value(1), Value(std::int64_t{1}));
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_NE(Value("a"), Value(Bytes{"a"}));
  EXPECT_NE(Value(std::nan("")), Value(std::nan("")));
}

TEST(Value, finds_members_of_objects_only) {
  const Value value = Value::Object{{"a", 1}, {"b", "x"}};
  ASSERT_NE(value.find("b"), nullptr);
  EXPECT_EQ(*value.find("b"), Value("x"));
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(Value(1).find("a"), nullptr);
}

TEST(ValueView, shows_any_value_and_copies_it_back) {
  test::RandomValues random(11);
  for (int i = 0; i < 5000; ++i) {
    const Value value = random.any(3);
    const ValueView view = value;
    EXPECT_EQ(view.type(), value.type());
    EXPECT_EQ(view.to_value(), value);
  }
}

TEST(ValueView, keeps_dates_before_the_common_era) {
  const Date date{-4712, 11, 24};
  EXPECT_EQ(ValueView::of(date).date(), date);
}

}  // namespace
}  // namespace ustream
