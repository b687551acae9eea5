#include "stream/filter_index.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ustream::stream {
namespace {

SchemaPtr schema_of(const std::string& collection) {
  Column id;
  id.name = "id";
  return std::make_shared<Schema>(collection, std::vector<Column>{id}, std::vector<std::size_t>{0});
}

Filter parse(const std::string& text) {
  return Filter::parse(std::string_view(text));
}

Document row(Value x) {
  return Document({{"id", Value(1)}, {"x", std::move(x)}});
}

Change change_of(Op op, Document before, Document after, SchemaPtr schema = schema_of("a")) {
  Change change;
  change.op = op;
  change.schema = std::move(schema);
  change.before = std::move(before);
  change.after = std::move(after);
  return change;
}

struct EdgeCase {
  const char* name;
  Op op;
  std::optional<int> before;  // x; nullopt: no image
  std::optional<int> after;
  std::optional<Op> expected;
};

class Edge : public ::testing::TestWithParam<EdgeCase> {};

// The filter is {"x":1}.
TEST_P(Edge, IsToldAsItConcernsTheSubscriber) {
  const EdgeCase& c = GetParam();
  const Change change =
      change_of(c.op, c.before ? row(*c.before) : Document(), c.after ? row(*c.after) : Document());
  Scratch scratch;
  EXPECT_EQ(effective_op(parse(R"({"x":1})"), change, scratch), c.expected);
  EXPECT_EQ(effective_op(Filter(), change, scratch), c.op);
}

INSTANTIATE_TEST_SUITE_P(
    Filters, Edge,
    ::testing::Values(EdgeCase{"create_in", Op::create, {}, 1, Op::create},
                      EdgeCase{"create_out", Op::create, {}, 2, {}},
                      EdgeCase{"snapshot_in", Op::snapshot, {}, 1, Op::snapshot},
                      EdgeCase{"snapshot_out", Op::snapshot, {}, 2, {}},
                      EdgeCase{"update_enters", Op::update, 2, 1, Op::create},
                      EdgeCase{"update_leaves", Op::update, 1, 2, Op::remove},
                      EdgeCase{"update_inside", Op::update, 1, 1, Op::update},
                      EdgeCase{"update_outside", Op::update, 2, 3, {}},
                      EdgeCase{"update_in_without_before", Op::update, {}, 1, Op::update},
                      EdgeCase{"update_out_without_before", Op::update, {}, 2, Op::remove},
                      EdgeCase{"remove_in", Op::remove, 1, {}, Op::remove},
                      EdgeCase{"remove_out", Op::remove, 2, {}, {}},
                      EdgeCase{"remove_without_before", Op::remove, {}, {}, Op::remove},
                      EdgeCase{"truncate", Op::truncate, {}, {}, Op::truncate},
                      EdgeCase{"ddl", Op::ddl, {}, {}, Op::ddl}),
    [](const auto& param) { return param.param.name; });

// --- the index finds what asking every subscription finds

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  std::string scalar() {
    switch (below(5)) {
      case 0:
        return "null";
      case 1:
        return below(2) == 0 ? "1.0" : "2.5";  // equal to an integer, or to none
      case 2:
        return below(2) == 0 ? "\"1\"" : "\"x\"";
      case 3:
        return below(2) == 0 ? "true" : "false";
      default:
        return std::to_string(below(4));
    }
  }
  std::string filter() {
    const std::string field(1, "xyz"[below(3)]);
    switch (below(6)) {
      case 0:
        return "{}";
      case 1:
        return "{\"" + field + "\":{\"$gt\":" + std::to_string(below(3)) + "}}";
      case 2:
        return "{\"x\":" + scalar() + ",\"y\":" + scalar() + "}";
      case 3:
        return "{\"$or\":[{\"x\":" + scalar() + "},{\"y\":" + scalar() + "}]}";
      default:
        return "{\"" + field + "\":" + scalar() + "}";
    }
  }
  Value value() {
    switch (below(8)) {
      case 0:
        return {};
      case 1:
        return Value(1.0);
      case 2:
        return Value(Value::Array{Value(1), Value("x")});
      case 3:
        return Value(Json{"[1,2]"});
      case 4:
        return Value("x");
      case 5:
        return Value(below(2) == 0);
      default:
        return Value(static_cast<int>(below(4)));
    }
  }
  Document document() {
    Value::Object fields{{"id", Value(1)}};
    for (const char* name : {"x", "y", "z"}) {
      if (below(4) != 0) {
        fields.push_back({name, value()});
      }
    }
    return Document(std::move(fields));
  }
  Change change(const std::vector<SchemaPtr>& schemas) {
    constexpr Op kOps[] = {Op::create, Op::update, Op::update,   Op::update,
                           Op::remove, Op::ddl,    Op::truncate, Op::snapshot};
    const Op op = kOps[below(8)];
    Document before;
    Document after;
    if ((op == Op::update || op == Op::remove) && below(5) != 0) {
      before = document();
    }
    if (op == Op::create || op == Op::update || op == Op::snapshot) {
      after = document();
    }
    return change_of(op, std::move(before), std::move(after), schemas[below(3)]);
  }

 private:
  std::mt19937 random_;
};

TEST(FilterIndex, FindsExactlyWhatAskingEverySubscriptionFinds) {
  std::size_t found = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const std::vector<SchemaPtr> schemas{schema_of("a"), schema_of("b"), schema_of("c")};
    FilterIndex index;
    std::vector<Slot*> slots;
    for (int i = 0; i < 60; ++i) {
      std::vector<std::string> collections{"a"};
      if (random.below(2) == 0) {
        collections.emplace_back("b");
      }
      slots.push_back(&index.add(collections, parse(random.filter())));
    }
    for (int i = 0; i < 10; ++i) {
      slots[random.below(60)]->dead = true;
    }
    std::erase_if(slots, [](const Slot* slot) { return slot->dead; });
    if (seed % 2 == 0) {
      index.sweep();
    }
    index.begin_batch();
    for (int i = 0; i < 200; ++i) {
      const Change change = random.change(schemas);
      std::map<Slot*, Op> by_index;
      index.match(change, [&](Slot& slot, Op op) {
        EXPECT_TRUE(by_index.emplace(&slot, op).second) << "told twice";
      });
      std::map<Slot*, Op> by_asking;
      Scratch scratch;
      for (Slot* slot : slots) {
        const auto& names = slot->collections;
        if (std::find(names.begin(), names.end(), change.collection()) == names.end()) {
          continue;
        }
        if (const auto op = effective_op(slot->filter, change, scratch)) {
          by_asking.emplace(slot, *op);
        }
      }
      ASSERT_EQ(by_index, by_asking) << "seed " << seed << " change " << i;
      found += by_asking.size();
    }
  }
  EXPECT_GT(found, 10'000U);
}

TEST(FilterIndex, SweepTakesOutTheDeadOnly) {
  FilterIndex index;
  std::vector<Slot*> slots;
  for (int i = 0; i < 10; ++i) {
    slots.push_back(&index.add({"a"}, parse("{\"x\":" + std::to_string(i) + "}")));
  }
  for (std::size_t i = 0; i < 10; i += 2) {
    slots[i]->dead = true;
  }
  index.sweep();
  EXPECT_EQ(index.size(), 5U);
  std::vector<Slot*> found;
  for (int i = 0; i < 10; ++i) {
    index.match(change_of(Op::create, {}, row(i)), [&](Slot& slot, Op) { found.push_back(&slot); });
  }
  EXPECT_EQ(found, (std::vector<Slot*>{slots[1], slots[3], slots[5], slots[7], slots[9]}));
}

TEST(Floors, HoldBackWhatIsAtOrBeforeThem) {
  const auto origin = std::make_shared<PositionOrigin>(PositionOrigin{"s", "1"});
  const auto other = std::make_shared<PositionOrigin>(PositionOrigin{"s", "2"});
  Change change = change_of(Op::create, {}, row(1));
  change.position = Position(origin, "5");
  EXPECT_TRUE(below({{"", Position(origin, "5")}}, change));
  EXPECT_TRUE(below({{"b", Position(origin, "9")}, {"a", Position(origin, "6")}}, change));
  EXPECT_FALSE(below({{"", Position(origin, "4")}}, change));
  EXPECT_FALSE(below({{"b", Position(origin, "9")}}, change));
  EXPECT_FALSE(below({{"", Position(other, "9")}}, change));
}

}  // namespace
}  // namespace ustream::stream
