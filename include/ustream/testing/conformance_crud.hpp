// The promises of Crud.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "ustream/testing/conformance_fixture.hpp"

namespace ustream::testing {

template <class Fixture>
class CrudConformance : public ConformanceTest<Fixture> {
 protected:
  void SetUp() override {
    ConformanceTest<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(crud, "Crud");
  }
  WriteResult write(const std::string& key, const Value::Object& data,
                    WriteMode mode = WriteMode::merge) {
    return this->crud().write(this->kCollection, key, data, mode);
  }
  [[nodiscard]] std::optional<Document> read(const std::string& key) {
    return this->crud().read(this->kCollection, key);
  }
};

TYPED_TEST_SUITE_P(CrudConformance);

TYPED_TEST_P(CrudConformance, AMissingKeyReadsAsNothing) {
  EXPECT_EQ(this->read("1"), std::nullopt);
}

TYPED_TEST_P(CrudConformance, AMergeSetsTheFieldsGivenAndKeepsTheOthers) {
  const WriteResult first = this->write("1", {{"name", "pen"}, {"n", 1}});
  EXPECT_EQ(first.key, "1");
  EXPECT_TRUE(first.created);
  const WriteResult second = this->write("1", {{"n", 2}});
  EXPECT_FALSE(second.created);
  const auto row = this->read("1");
  ASSERT_TRUE(row);
  EXPECT_EQ(field_json(*row, this->fixture().key_field()), "1");
  EXPECT_EQ(field_json(*row, "name"), "\"pen\"");
  EXPECT_EQ(field_json(*row, "n"), "2");
}

TYPED_TEST_P(CrudConformance, AMergeOfNothingKeepsTheRow) {
  this->write("1", {{"name", "pen"}});
  EXPECT_FALSE(this->write("1", {}).created);
  EXPECT_EQ(field_json(this->read("1").value(), "name"), "\"pen\"");
}

TYPED_TEST_P(CrudConformance, AReplaceLeavesNothingOfTheOldRow) {
  EXPECT_TRUE(this->write("1", {{"name", "pen"}, {"n", 1}}, WriteMode::replace).created);
  EXPECT_FALSE(this->write("1", {{"n", 2}}, WriteMode::replace).created);
  const auto row = this->read("1");
  ASSERT_TRUE(row);
  EXPECT_TRUE(is_empty_field(*row, "name")) << row->to_json();
  EXPECT_EQ(field_json(*row, "n"), "2");
}

TYPED_TEST_P(CrudConformance, ANullEmptiesAField) {
  this->write("1", {{"name", "pen"}, {"n", 1}});
  this->write("1", {{"name", nullptr}});
  const auto row = this->read("1");
  ASSERT_TRUE(row);
  EXPECT_TRUE(is_empty_field(*row, "name")) << row->to_json();
  EXPECT_EQ(field_json(*row, "n"), "1");
}

TYPED_TEST_P(CrudConformance, AKeyInsideTheDataMustBeTheSame) {
  for (const WriteMode mode : {WriteMode::merge, WriteMode::replace}) {
    EXPECT_EQ(
        error_of([&] { this->write("1", {{this->fixture().key_field(), 2}, {"n", 1}}, mode); }),
        ErrorKind::validation);
  }
  EXPECT_FALSE(this->read("1"));
  EXPECT_FALSE(this->read("2"));
  EXPECT_TRUE(this->write("1", {{this->fixture().key_field(), 1}, {"n", 1}}).created);
}

TYPED_TEST_P(CrudConformance, ADeleteTellsWhetherTheRowWasThere) {
  this->write("1", {{"n", 1}});
  this->write("2", {{"n", 2}});
  const DeleteResult first = this->crud().remove(this->kCollection, "1");
  EXPECT_TRUE(first.existed);
  EXPECT_EQ(first.key, "1");
  EXPECT_FALSE(this->crud().remove(this->kCollection, "1").existed);
  EXPECT_FALSE(this->read("1"));
  EXPECT_TRUE(this->read("2"));
}

TYPED_TEST_P(CrudConformance, AnUnknownCollectionIsRefusedWithTheNearestName) {
  constexpr const char* kMisspelt = "ustream_conformence";
  std::string message;
  const auto refused = [&](auto&& call) {
    message.clear();
    EXPECT_EQ(error_of(call, &message), ErrorKind::validation);
    EXPECT_NE(message.find(this->kCollection), std::string::npos) << message;
  };
  refused([&] { (void)this->crud().read(kMisspelt, "1"); });
  refused([&] { (void)this->crud().write(kMisspelt, "1", {{"n", 1}}, WriteMode::merge); });
  refused([&] { (void)this->crud().remove(kMisspelt, "1"); });
  refused([&] { (void)this->crud().schema(kMisspelt); });
}

TYPED_TEST_P(CrudConformance, TheDatabaseGeneratesKeys) {
  if (!this->fixture().generates_keys()) {
    GTEST_SKIP() << "the database generates no keys";
  }
  const WriteResult first = this->write("", {{"name", "a"}});
  const WriteResult second = this->write("", {{"name", "b"}});
  EXPECT_TRUE(first.created);
  EXPECT_NE(first.key, "");
  EXPECT_NE(first.key, second.key);
  EXPECT_EQ(field_json(this->read(first.key).value(), "name"), "\"a\"");
  EXPECT_EQ(field_json(this->read(second.key).value(), "name"), "\"b\"");
}

TYPED_TEST_P(CrudConformance, ABulkDoesWhatCanBeDoneAndTellsTheRest) {
  const std::string table = this->kCollection;
  this->write("9", {{"n", 9}});
  const BulkReport report = this->crud().bulk({
      {table, "1", Value::Object{{"n", 1}}, WriteMode::merge},
      {"no_such_collection", "1", Value::Object{{"n", 1}}, WriteMode::merge},
      {table, "2", Value::Object{{"n", 2}}, WriteMode::replace},
      {table, "3", Value::Object{{this->fixture().key_field(), 4}}, WriteMode::merge},
      {table, "9", std::nullopt, WriteMode::merge},
      {table, "77", std::nullopt, WriteMode::merge},
      {table, "5", Value::Object{{"n", 5}}, WriteMode::merge},
  });
  EXPECT_EQ(report.ok, 5U);
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[0].index, 1U);
  EXPECT_EQ(report.failures[0].kind, ErrorKind::validation);
  EXPECT_NE(report.failures[0].message, "");
  EXPECT_EQ(report.failures[1].index, 3U);
  EXPECT_EQ(report.failures[1].kind, ErrorKind::validation);
  for (const char* key : {"1", "2", "5"}) {
    EXPECT_EQ(field_json(this->read(key).value(), "n"), key);
  }
  for (const char* key : {"3", "4", "9", "77"}) {
    EXPECT_FALSE(this->read(key)) << key;
  }
}

TYPED_TEST_P(CrudConformance, AnEmptyBulkDoesNothing) {
  const BulkReport report = this->crud().bulk({});
  EXPECT_EQ(report.ok, 0U);
  EXPECT_TRUE(report.failures.empty());
}

TYPED_TEST_P(CrudConformance, IntegersAreExactToTheLastDigit) {
  for (const std::int64_t n :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
        std::int64_t{9'007'199'254'740'993}, std::int64_t{0}}) {
    const std::string text = std::to_string(n);
    EXPECT_EQ(this->write(text, {{"n", n}}).key, text);
    const auto row = this->read(text);
    ASSERT_TRUE(row) << text;
    EXPECT_EQ(field_json(*row, this->fixture().key_field()), text);
    EXPECT_EQ(field_json(*row, "n"), text);
  }
}

TYPED_TEST_P(CrudConformance, DoublesReadBackEqual) {
  for (const double amount : {0.1, -1.0, 1e308, 5e-324, 123456.789, 0.0}) {
    this->write("1", {{"amount", amount}});
    EXPECT_EQ(this->read("1").value().get("amount").value(), Value(amount)) << amount;
  }
}

TYPED_TEST_P(CrudConformance, TextReadsBackByteForByte) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "a\0b"s, "\0"s, "it's \"quoted\" \\ %_?"s, "Grüße, 世界 \U0001F600"s,
        std::string(100'000, 'x'), "42"s, "null"s}) {
    this->write("1", {{"name", text}});
    EXPECT_EQ(this->read("1").value().get("name").value(), Value(text));
  }
}

TYPED_TEST_P(CrudConformance, BytesReadBackByteForByte) {
  std::string every;
  for (int i = 0; i < 256; ++i) {
    every.push_back(static_cast<char>(i));
  }
  for (const std::string& data : {std::string(), every, std::string(100'000, '\xff')}) {
    this->write("1", {{"data", Bytes{data}}});
    EXPECT_EQ(this->read("1").value().get("data").value(), Value(Bytes{data}));
  }
}

TYPED_TEST_P(CrudConformance, ItTellsCollectionsAndTheirColumns) {
  const auto names = this->crud().collections();
  EXPECT_NE(std::find(names.begin(), names.end(), this->kCollection), names.end());
  const SchemaPtr schema = this->crud().schema(this->kCollection);
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->collection(), this->kCollection);
  ASSERT_TRUE(schema->has_key());
  ASSERT_EQ(schema->key_columns().size(), 1U);
  EXPECT_EQ(schema->columns()[schema->key_columns()[0]].name, this->fixture().key_field());
}

TYPED_TEST_P(CrudConformance, ManyThreadsMayCallAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kRows = 20;
  std::vector<std::string> failures(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        try {
          for (int i = 0; i < kRows; ++i) {
            const std::string key = std::to_string(t * kRows + i + 1);
            this->write(key, {{"n", t}});
            if (!this->read(key)) {
              failures[static_cast<std::size_t>(t)] = key + " is not there after its write";
            }
          }
        } catch (const Error& error) {
          failures[static_cast<std::size_t>(t)] = error.what();
        }
      });
    }
  }
  for (const std::string& failure : failures) {
    EXPECT_EQ(failure, "");
  }
  for (int key = 1; key <= kThreads * kRows; ++key) {
    EXPECT_TRUE(this->read(std::to_string(key))) << key;
  }
}

REGISTER_TYPED_TEST_SUITE_P(CrudConformance, AMissingKeyReadsAsNothing,
                            AMergeSetsTheFieldsGivenAndKeepsTheOthers, AMergeOfNothingKeepsTheRow,
                            AReplaceLeavesNothingOfTheOldRow, ANullEmptiesAField,
                            AKeyInsideTheDataMustBeTheSame, ADeleteTellsWhetherTheRowWasThere,
                            AnUnknownCollectionIsRefusedWithTheNearestName,
                            TheDatabaseGeneratesKeys, ABulkDoesWhatCanBeDoneAndTellsTheRest,
                            AnEmptyBulkDoesNothing, IntegersAreExactToTheLastDigit,
                            DoublesReadBackEqual, TextReadsBackByteForByte,
                            BytesReadBackByteForByte, ItTellsCollectionsAndTheirColumns,
                            ManyThreadsMayCallAtOnce);

}  // namespace ustream::testing
