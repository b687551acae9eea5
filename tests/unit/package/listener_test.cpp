#include "package/listener.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace ustream::package {
namespace {

SchemaPtr schema() {
  return std::make_shared<Schema>(
      "orders", std::vector<Column>{{"id", "INTEGER", KeyAffinity::number}, {"status", "TEXT"}},
      std::vector<std::size_t>{0});
}

Document row(std::int64_t id, const char* status) {
  return Document(Value::Object{{"id", id}, {"status", status}});
}

Change change(Op op, Document after, Document before = {}) {
  Change result;
  result.op = op;
  result.schema = schema();
  result.after = std::move(after);
  result.before = std::move(before);
  result.timestamp = Timestamp{123};
  return result;
}

Delivery delivery(const Change& change, Op op) {
  Delivery result;
  result.change = &change;
  result.op = op;
  return result;
}

void no_error(const Change&, const char* what) {
  FAIL() << what;
}

TEST(Listener, MapsOpsToChangeTypes) {
  EXPECT_EQ(change_type(Op::create), ChangeType::created);
  EXPECT_EQ(change_type(Op::snapshot), ChangeType::created);
  EXPECT_EQ(change_type(Op::update), ChangeType::updated);
  EXPECT_EQ(change_type(Op::remove), ChangeType::deleted);
  EXPECT_EQ(change_type(Op::truncate), std::nullopt);
  EXPECT_EQ(change_type(Op::ddl), std::nullopt);
}

TEST(Listener, GivesTheRowAfterAChangeAndBeforeADelete) {
  const Change update = change(Op::update, row(1, "new"), row(1, "old"));
  EXPECT_EQ(visible_row(update, ChangeType::updated, {}).to_json(), R"({"id":1,"status":"new"})");
  // A row that left a filter: an update which is told as a delete.
  EXPECT_EQ(visible_row(update, ChangeType::deleted, {}).to_json(), R"({"id":1,"status":"old"})");
}

TEST(Listener, ADeleteWithoutABeforeImageHasItsKey) {
  Change gone = change(Op::remove, {});
  gone.key_fields = Document(Value::Object{{"id", std::int64_t{7}}});
  EXPECT_EQ(visible_row(gone, ChangeType::deleted, {}).to_json(), R"({"id":7})");
  // Left the filter, and the source sends no before-image: nothing but the key of the row after.
  const Change left = change(Op::update, row(7, "secret"));
  EXPECT_EQ(visible_row(left, ChangeType::deleted, {}).to_json(), R"({"id":7})");
}

TEST(Listener, ShowsOnlyTheFieldsAskedFor) {
  const std::vector<std::string> fields{"status", "nothing"};
  EXPECT_EQ(visible_row(change(Op::create, row(1, "x")), ChangeType::created, fields).to_json(),
            R"({"status":"x"})");
}

TEST(Listener, TellsKeyTypeAndTime) {
  const Change created = change(Op::create, row(42, "x"));
  const std::vector<Delivery> deliveries{delivery(created, Op::create)};
  int calls = 0;
  make_listener(
      [&](const Document& data, const ChangeMeta& meta) {
        ++calls;
        EXPECT_EQ(data.to_json(), R"({"id":42,"status":"x"})");
        EXPECT_EQ(meta.key, "42");
        EXPECT_EQ(meta.change_type, ChangeType::created);
        EXPECT_EQ(meta.timestamp.micros, 123);
        EXPECT_EQ(&meta.change, &created);
      },
      {}, no_error)(deliveries);
  EXPECT_EQ(calls, 1);
}

TEST(Listener, ACallbackThatThrowsMissesNothing) {
  const Change first = change(Op::create, row(1, "a"));
  const Change second = change(Op::create, row(2, "b"));
  const std::vector<Delivery> deliveries{delivery(first, Op::create), delivery(second, Op::create)};
  std::vector<std::string> seen;
  std::vector<std::string> errors;
  make_listener(
      [&](const Document&, const ChangeMeta& meta) {
        seen.push_back(meta.key);
        throw std::runtime_error("oops " + meta.key);
      },
      {}, [&](const Change&, const char* what) { errors.emplace_back(what); })(deliveries);
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(errors, (std::vector<std::string>{"oops 1", "oops 2"}));
}

TEST(Listener, ABatchIsOneCallAndNoneWithoutChanges) {
  const Change first = change(Op::create, row(1, "a"));
  const Change second = change(Op::remove, {}, row(1, "a"));
  Delivery ready;
  ready.notice = Ready{};
  int calls = 0;
  const auto listener = make_batch_listener(
      [&](const std::vector<BatchItem>& items) {
        ++calls;
        ASSERT_EQ(items.size(), 2U);
        EXPECT_EQ(items[0].change_type, ChangeType::created);
        EXPECT_EQ(items[1].change_type, ChangeType::deleted);
        EXPECT_EQ(items[1].key, "1");
        EXPECT_EQ(items[1].data.to_json(), R"({"id":1,"status":"a"})");
      },
      {});
  listener(std::vector<Delivery>{ready});
  EXPECT_EQ(calls, 0);
  listener(std::vector<Delivery>{delivery(first, Op::create), ready, delivery(second, Op::remove)});
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace ustream::package
