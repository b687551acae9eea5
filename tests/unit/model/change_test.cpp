#include "ustream/change.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

namespace ustream {
namespace {

class TestSource final : public SourceInfo {
 public:
  void write_json(std::string& out, const Position& position) const override {
    out += R"({"db":"test","bytes":)" + std::to_string(position.order_key().size()) + '}';
  }
};

SchemaPtr orders() {
  return std::make_shared<const Schema>(
      "orders",
      std::vector<Column>{{"id", "INTEGER", KeyAffinity::number, false},
                          {"note", "TEXT", KeyAffinity::text, true}},
      std::vector<std::size_t>{0});
}

Change change_of(Op op) {
  Change change;
  change.op = op;
  change.schema = orders();
  change.position =
      Position(std::make_shared<const PositionOrigin>(PositionOrigin{"test", "1"}), "0001");
  return change;
}

Document row(int id, const char* note) {
  return Document(Value::Object{{"id", id}, {"note", note}});
}

TEST(Change, json_has_every_member_in_the_documented_order) {
  Change change = change_of(Op::update);
  change.after = row(42, "new");
  change.before = row(42, "old");
  change.timestamp = Timestamp{1'769'853'600'123'456};
  change.source = std::make_shared<const TestSource>();
  change.transaction = {"tx\"1", 3, true};
  EXPECT_EQ(change.to_json(),
            R"({"op":"u","collection":"orders","key":"42","after":{"id":42,"note":"new"},)"
            R"("before":{"id":42,"note":"old"},"ts":"2026-01-31T10:00:00.123456Z","cursor":")" +
                change.position.cursor() +
                R"(","source":{"db":"test","bytes":4},"txn":{"id":"tx\"1","seq":3,"last":true}})");
}

TEST(Change, json_leaves_out_what_the_source_did_not_send) {
  Change change = change_of(Op::create);
  change.position = {};
  change.after = row(1, "a");
  EXPECT_EQ(change.to_json(),
            R"({"op":"c","collection":"orders","key":"1","after":{"id":1,"note":"a"}})");
  change.transaction.seq = 1;
  EXPECT_TRUE(change.to_json().ends_with(R"(,"txn":{"seq":1,"last":false}})"));
}

TEST(Change, json_of_snapshot_truncate_and_ddl) {
  Change change = change_of(Op::snapshot);
  change.position = {};
  change.after = row(1, "a");
  EXPECT_TRUE(change.to_json().starts_with(R"({"op":"r","collection":"orders","key":"1")"));
  change.op = Op::truncate;
  EXPECT_EQ(change.to_json(), R"({"op":"t","collection":"orders"})");
  change.op = Op::ddl;
  change.statement = "ALTER TABLE \"orders\"";
  EXPECT_EQ(change.to_json(),
            R"({"op":"ddl","collection":"orders","statement":"ALTER TABLE \"orders\""})");
  EXPECT_EQ(change.key(), std::nullopt);
  EXPECT_EQ(change.key_text(), std::nullopt);
}

TEST(Change, json_holds_only_the_fields_asked_for_but_always_the_key) {
  Change change = change_of(Op::remove);
  change.position = {};
  change.before = row(7, "a");
  const std::vector<std::string> fields = {"note"};
  std::string out;
  change.write_json(out, fields);
  EXPECT_EQ(out, R"({"op":"d","collection":"orders","key":"7","before":{"note":"a"}})");
}

TEST(Change, key_comes_from_the_first_image_that_has_it) {
  Change change = change_of(Op::update);
  change.after = Document(Value::Object{{"note", "a"}});
  EXPECT_EQ(change.key(), std::nullopt);
  EXPECT_EQ(change.key_text(), std::nullopt);
  change.key_fields = Document(Value::Object{{"id", 9}});
  EXPECT_EQ(change.key(), Key({9}));
  change.before = Document(Value::Object{{"note", "b"}, {"id", 8}});
  EXPECT_EQ(change.key(), Key({8}));
  change.after = row(7, "a");
  EXPECT_EQ(change.key(), Key({7}));
  EXPECT_EQ(change.key_text(), "7");
}

TEST(Change, unsigned_keys_have_the_text_of_their_number) {
  Change change = change_of(Op::create);
  change.after = Document(Value::Object{{"id", std::uint64_t{5}}});
  EXPECT_EQ(change.key_text(), "5");
  EXPECT_EQ(change.key()->text(*change.schema), "5");
}

TEST(Change, a_row_without_a_primary_key_has_none) {
  Change change = change_of(Op::create);
  change.schema = std::make_shared<const Schema>(
      "log", std::vector<Column>{{"line", "", KeyAffinity::text, true}},
      std::vector<std::size_t>{});
  change.position = {};
  change.after = Document(Value::Object{{"line", "x"}});
  EXPECT_EQ(change.key(), std::nullopt);
  EXPECT_EQ(change.to_json(), R"({"op":"c","collection":"log","after":{"line":"x"}})");
}

TEST(Change, composite_keys_are_arrays) {
  Change change = change_of(Op::create);
  change.schema =
      std::make_shared<const Schema>("parts",
                                     std::vector<Column>{{"a", "", KeyAffinity::number, false},
                                                         {"b", "", KeyAffinity::text, false}},
                                     std::vector<std::size_t>{1, 0});
  change.after = Document(Value::Object{{"a", 1}, {"b", "x"}});
  EXPECT_EQ(change.key_text(), R"(["x",1])");
}

TEST(Change, text_that_is_not_utf8_leaves_the_output_as_it_was) {
  Change change = change_of(Op::create);
  change.after = row(1, "bad \xff");
  std::string out = "before";
  EXPECT_THROW(change.write_json(out), ValidationError);
  EXPECT_EQ(out, "before");
}

TEST(Change, json_is_json) {
  Change change = change_of(Op::create);
  change.after = row(1, "line\nbreak");
  const std::string json = change.to_json();
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(parse_json(json).find("op")->as_string(), "c");
}

TEST(Names, of_operations_and_reasons) {
  EXPECT_EQ(to_string(Op::create), "c");
  EXPECT_EQ(to_string(Op::ddl), "ddl");
  EXPECT_EQ(to_string(ResyncReason::history_lost), "history_lost");
  EXPECT_EQ(to_string(ResyncReason::slow_consumer), "slow_consumer");
  EXPECT_EQ(to_string(ResyncReason::source_lost), "source_lost");
  EXPECT_EQ(to_string(ResyncReason::schema), "schema");
}

}  // namespace
}  // namespace ustream
