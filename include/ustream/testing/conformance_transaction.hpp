// The promises of Transactor, alone and together with ChangeSource.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "ustream/testing/conformance_fixture.hpp"

namespace ustream::testing {

template <class Fixture>
class TransactorConformance : public ConformanceTest<Fixture> {
 protected:
  void SetUp() override {
    ConformanceTest<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(transactor, "Transactor");
    USTREAM_NEEDS_FACET(crud, "Crud");
  }
  struct Undo : std::runtime_error {
    Undo() : std::runtime_error("undo") {}
  };
  Position transaction(const std::function<void(Transaction&)>& body) {
    return this->connector().transactor()->transaction(body);
  }
  /// Writes these rows, then undoes them.
  void roll_back(const std::vector<std::string>& keys) {
    const auto body = [&](Transaction& transaction) {
      for (const std::string& key : keys) {
        transaction.write(this->kCollection, key, {{"n", -1}}, WriteMode::merge);
      }
      throw Undo();
    };
    EXPECT_THROW(this->transaction(body), Undo);
  }
  [[nodiscard]] std::optional<Document> read(const std::string& key) {
    return this->crud().read(this->kCollection, key);
  }
};

TYPED_TEST_SUITE_P(TransactorConformance);

TYPED_TEST_P(TransactorConformance, CommitsAllOfIt) {
  this->insert(9, {{"n", 9}});
  this->transaction([&](Transaction& transaction) {
    EXPECT_TRUE(transaction.write(this->kCollection, "1", {{"n", 1}}, WriteMode::merge).created);
    transaction.write(this->kCollection, "2", {{"n", 2}}, WriteMode::replace);
    EXPECT_TRUE(transaction.remove(this->kCollection, "9").existed);
  });
  EXPECT_TRUE(this->read("1"));
  EXPECT_TRUE(this->read("2"));
  EXPECT_FALSE(this->read("9"));
}

TYPED_TEST_P(TransactorConformance, SeesItsOwnWrites) {
  this->transaction([&](Transaction& transaction) {
    transaction.write(this->kCollection, "1", {{"n", 1}}, WriteMode::merge);
    EXPECT_EQ(field_json(transaction.read(this->kCollection, "1").value(), "n"), "1");
    std::size_t rows = 0;
    transaction.query(this->kCollection, {}, [&](const Document&) { return ++rows != 0; });
    EXPECT_EQ(rows, 1U);
  });
}

TYPED_TEST_P(TransactorConformance, RollsBackWhenItsBodyThrows) {
  this->insert(9, {{"n", 9}});
  this->roll_back({"1", "9"});
  EXPECT_FALSE(this->read("1"));
  EXPECT_EQ(field_json(this->read("9").value(), "n"), "9");
  this->transaction([&](Transaction& transaction) {
    transaction.write(this->kCollection, "1", {{"n", 1}}, WriteMode::merge);
  });
  EXPECT_TRUE(this->read("1"));
}

TYPED_TEST_P(TransactorConformance, AFailedWriteInsideDoesNotHideTheRest) {
  this->transaction([&](Transaction& transaction) {
    transaction.write(this->kCollection, "1", {{"n", 1}}, WriteMode::merge);
    EXPECT_EQ(error_of([&] {
                transaction.write("no_such_collection", "1", {{"n", 1}}, WriteMode::merge);
              }),
              ErrorKind::validation);
    transaction.write(this->kCollection, "2", {{"n", 2}}, WriteMode::merge);
  });
  EXPECT_TRUE(this->read("1"));
  EXPECT_TRUE(this->read("2"));
}

TYPED_TEST_P(TransactorConformance, ItsChangesComeTogetherAndOnlyWhenCommitted) {
  USTREAM_NEEDS_FACET(change_source, "ChangeSource");
  ChangeCollector stream(this->source(), this->source().watch({this->kCollection}));
  ASSERT_TRUE(stream.await_caught_up());
  this->roll_back({"1", "2", "3"});
  const Position position = this->transaction([&](Transaction& transaction) {
    for (const char* key : {"4", "5", "6"}) {
      transaction.write(this->kCollection, key, {{"n", 1}}, WriteMode::merge);
    }
    transaction.write(this->kCollection, "4", {{"n", 2}}, WriteMode::merge);
    transaction.remove(this->kCollection, "5");
  });
  ASSERT_TRUE(position);
  this->source().nudge();
  this->roll_back({"7"});
  ASSERT_TRUE(stream.await_position(position));
  ASSERT_TRUE(stream.await_position(this->source().current()));
  const auto changes = stream.changes();
  std::vector<std::string> told;
  for (const Change& change : changes) {
    told.push_back(std::string(to_string(change.op)) + change.key_text().value_or("-"));
    EXPECT_EQ(change.transaction.seq, told.size());
    EXPECT_EQ(change.transaction.last, told.size() == 5);
  }
  EXPECT_EQ(told, (std::vector<std::string>{"c4", "c5", "c6", "u4", "d5"}));
}

REGISTER_TYPED_TEST_SUITE_P(TransactorConformance, CommitsAllOfIt, SeesItsOwnWrites,
                            RollsBackWhenItsBodyThrows, AFailedWriteInsideDoesNotHideTheRest,
                            ItsChangesComeTogetherAndOnlyWhenCommitted);

}  // namespace ustream::testing
