#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/schema.hpp"

#include "model/random_value.hpp"
#include "model/temporal.hpp"

namespace ustream {
namespace {

constexpr std::array<KeyAffinity, 4> kAffinities = {KeyAffinity::text, KeyAffinity::number,
                                                    KeyAffinity::bytes, KeyAffinity::any};

std::string text_of(const Value& value, KeyAffinity affinity) {
  std::string out;
  write_key_part(out, value, affinity);
  return out;
}

Schema schema_of(std::initializer_list<KeyAffinity> affinities) {
  std::vector<Column> columns = {{"data", "TEXT", KeyAffinity::text, true}};
  std::vector<std::size_t> key;
  for (const KeyAffinity affinity : affinities) {
    key.push_back(columns.size());
    columns.push_back({"k" + std::to_string(key.size()), "", affinity, false});
  }
  return Schema("orders", columns, key);
}

TEST(KeyPart, every_scalar_reads_back_as_itself_in_every_affinity) {
  test::RandomValues random(1);
  for (int i = 0; i < 50'000; ++i) {
    const Value value = random.scalar();
    for (const KeyAffinity affinity : kAffinities) {
      const std::string text = text_of(value, affinity);
      EXPECT_EQ(parse_key_part(text, affinity), value)
          << text << " of " << to_string(value.type()) << ", affinity "
          << static_cast<int>(affinity);
    }
  }
}

TEST(KeyPart, arrays_and_objects_read_back_in_every_affinity) {
  test::RandomValues random(12);
  for (int i = 0; i < 3000; ++i) {
    const Value value = random.any(3);
    for (const KeyAffinity affinity : kAffinities) {
      EXPECT_EQ(parse_key_part(text_of(value, affinity), affinity), value);
    }
  }
}

TEST(KeyPart, json_inside_json_is_read_one_level_deep) {
  EXPECT_EQ(parse_key_part(R"({"$type":"array","text":"[1]"})", KeyAffinity::text),
            Value(Value::Array{1}));
  EXPECT_THROW(static_cast<void>(parse_key_part(
                   R"({"$type":"array","text":"[{\"$type\":\"array\",\"text\":\"[1]\"}]"})",
                   KeyAffinity::text)),
               ValidationError);
}

TEST(KeyPart, different_values_have_different_texts) {
  test::RandomValues random(2);
  for (const KeyAffinity affinity : kAffinities) {
    std::vector<std::pair<std::string, Value>> seen;
    for (int i = 0; i < 400; ++i) {
      const Value value = random.scalar();
      const std::string text = text_of(value, affinity);
      for (const auto& [other_text, other] : seen) {
        // 0.0 and -0.0 are equal and have two texts; that is the one exception.
        EXPECT_TRUE(text != other_text || value == other) << text;
      }
      seen.emplace_back(text, value);
    }
  }
}

TEST(KeyPart, plain_forms_are_what_people_write) {
  EXPECT_EQ(text_of("order 17", KeyAffinity::text), "order 17");
  EXPECT_EQ(text_of("42", KeyAffinity::text), "42");
  EXPECT_EQ(text_of("", KeyAffinity::text), "");
  EXPECT_EQ(text_of(42, KeyAffinity::number), "42");
  EXPECT_EQ(text_of(1.5, KeyAffinity::number), "1.5");
  EXPECT_EQ(text_of("007", KeyAffinity::number), "007");
  EXPECT_EQ(text_of(Bytes{"abc"}, KeyAffinity::bytes), "YWJj");
  EXPECT_EQ(text_of(42, KeyAffinity::any), "42");
  EXPECT_EQ(text_of("42", KeyAffinity::any), "\"42\"");
  EXPECT_EQ(text_of("tenant-1", KeyAffinity::any), "tenant-1");
  EXPECT_EQ(text_of("true story", KeyAffinity::any), "true story");
  EXPECT_EQ(text_of(Decimal{"1.50"}, KeyAffinity::any), R"({"$numberDecimal":"1.50"})");
  EXPECT_EQ(text_of(Value::Object{{"a", 1}}, KeyAffinity::any), R"({"a":1})");
}

TEST(KeyPart, what_does_not_fit_the_column_is_escaped_with_its_type) {
  EXPECT_EQ(text_of(Bytes{"a"}, KeyAffinity::text), R"({"$type":"bytes","text":"YQ=="})");
  EXPECT_EQ(text_of(42, KeyAffinity::text), R"({"$type":"int64","text":"42"})");
  EXPECT_EQ(text_of("42", KeyAffinity::number), R"({"$type":"string","text":"42"})");
  EXPECT_EQ(text_of("abc", KeyAffinity::bytes), R"({"$type":"string","text":"abc"})");
  EXPECT_EQ(text_of("{\"$type\":", KeyAffinity::text),
            R"({"$type":"string","text":"{\"$type\":"})");
}

TEST(KeyPart, an_objectid_is_24_hex_digits_and_such_a_string_is_quoted) {
  const Value id = parse_key_part("507F1F77BCF86CD799439011", KeyAffinity::any);
  ASSERT_EQ(id.type(), ValueType::objectid);
  EXPECT_EQ(text_of(id, KeyAffinity::any), "507f1f77bcf86cd799439011");
  EXPECT_EQ(text_of("507f1f77bcf86cd799439011", KeyAffinity::any), "\"507f1f77bcf86cd799439011\"");
}

TEST(KeyPart, a_malformed_key_is_refused_with_the_right_form) {
  try {
    static_cast<void>(parse_key_part("not base64!", KeyAffinity::bytes));
    FAIL() << "no error";
  } catch (const ValidationError& error) {
    EXPECT_NE(std::string(error.what()).find("base64"), std::string::npos);
  }
  for (const char* bad : {"{\"$type\":", "{\"$type\":1}", R"({"$type":"int64","text":"x"})",
                          R"({"$type":"a","text":"b","c":1})"}) {
    EXPECT_THROW(static_cast<void>(parse_key_part(bad, KeyAffinity::text)), ValidationError) << bad;
    EXPECT_THROW(static_cast<void>(parse_key_part(bad, KeyAffinity::number)), ValidationError);
    EXPECT_THROW(static_cast<void>(parse_key_part(bad, KeyAffinity::bytes)), ValidationError);
  }
}

TEST(Key, one_column_goes_by_its_affinity) {
  const Schema schema = schema_of({KeyAffinity::number});
  EXPECT_EQ(Key({42}).text(schema), "42");
  EXPECT_EQ(Key::parse("42", schema), Key({42}));
  EXPECT_EQ(Key::parse("a", schema), Key({"a"}));
}

TEST(Key, several_columns_are_a_json_array_in_key_order) {
  const Schema schema = schema_of({KeyAffinity::number, KeyAffinity::text});
  EXPECT_EQ(Key({1, "a"}).text(schema), R"([1,"a"])");
  EXPECT_EQ(Key::parse(R"([1,"a"])", schema), Key({1, "a"}));
  EXPECT_EQ(Key({Bytes{"a"}, nullptr}).text(schema), R"([{"$type":"bytes","text":"YQ=="},null])");
}

TEST(Key, composite_keys_read_back_as_themselves) {
  const Schema schema = schema_of({KeyAffinity::number, KeyAffinity::text, KeyAffinity::any});
  test::RandomValues random(8);
  for (int i = 0; i < 10'000; ++i) {
    const Key key({random.scalar(), random.scalar(), random.any(2)});
    EXPECT_EQ(Key::parse(key.text(schema), schema), key) << key.text(schema);
  }
}

TEST(Key, equal_integers_make_equal_keys_whatever_their_type) {
  const Schema schema = schema_of({KeyAffinity::number});
  EXPECT_EQ(Key({std::uint64_t{5}}), Key({5}));
  EXPECT_EQ(Key({std::uint64_t{5}}).text(schema), "5");
  EXPECT_EQ(Key({std::uint64_t{1} << 63}).text(schema), "9223372036854775808");
}

TEST(Key, the_wrong_number_of_parts_is_refused) {
  const Schema two = schema_of({KeyAffinity::number, KeyAffinity::text});
  for (const char* bad : {"[1]", "[1,2,3]", "[]", "1", "{}", "", "[1,", "a"}) {
    try {
      static_cast<void>(Key::parse(bad, two));
      FAIL() << bad;
    } catch (const ValidationError& error) {
      EXPECT_NE(std::string(error.what()).find("a JSON array of 2 values"), std::string::npos);
      EXPECT_EQ(error.where(), "orders");
    }
  }
  EXPECT_THROW(static_cast<void>(Key({1}).text(two)), ValidationError);
}

TEST(Key, a_collection_without_a_key_says_so) {
  const Schema none = schema_of({});
  EXPECT_FALSE(none.has_key());
  EXPECT_THROW(static_cast<void>(Key::parse("1", none)), ValidationError);
  EXPECT_THROW(static_cast<void>(Key({1}).text(none)), ValidationError);
}

TEST(Schema, finds_columns_by_exact_name) {
  const Schema schema = schema_of({KeyAffinity::text});
  EXPECT_EQ(schema.find("k1"), 1U);
  EXPECT_EQ(schema.find("K1"), std::nullopt);
  EXPECT_TRUE(schema.is_key_column(1));
  EXPECT_FALSE(schema.is_key_column(0));
  EXPECT_THROW(Schema("x", {}, {0}), Error);
}

}  // namespace
}  // namespace ustream
