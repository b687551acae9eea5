// The promises of ChangeSource.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "ustream/testing/conformance_fixture.hpp"

namespace ustream::testing {

template <class Fixture>
class ChangeSourceConformance : public ConformanceTest<Fixture> {
 protected:
  using Kind = ForeignWrite::Kind;

  void SetUp() override {
    ConformanceTest<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(change_source, "ChangeSource");
  }
  Position watch() { return this->source().watch({this->kCollection}); }
  void commit(const std::vector<ForeignWrite>& writes) {
    this->fixture().foreign_write(this->kCollection, writes);
  }
  /// A short history: creates, updates and deletes, alone and in transactions; eight changes.
  void make_history() {
    this->insert(1, {{"name", "a"}, {"n", 1}});
    commit({{Kind::insert, 2, {{"n", 2}}},
            {Kind::insert, 3, {{"n", 3}}},
            {Kind::update, 1, {{"n", 4}}}});
    this->update(2, {{"n", 5}});
    commit({{Kind::remove, 3, {}}, {Kind::update, 1, {{"name", "b"}}}});
    this->remove(2);
  }
  static constexpr std::size_t kHistory = 8;

  /// Changes in (from, until], by replay().
  [[nodiscard]] std::vector<Change> replay(const Position& from, const Position& until) {
    KeepingSink sink;
    EXPECT_TRUE(this->source().replay(from, until, sink, std::stop_token()));
    return sink.changes();
  }
};

TYPED_TEST_SUITE_P(ChangeSourceConformance);

TYPED_TEST_P(ChangeSourceConformance, TellsWhatOthersCommit) {
  ChangeCollector stream(this->source(), this->watch());
  this->make_history();
  ASSERT_TRUE(stream.await_changes(this->kHistory));
  ASSERT_TRUE(stream.await_position(this->source().current()));
  std::vector<std::string> told;
  for (const Change& change : stream.changes()) {
    told.push_back(std::string(to_string(change.op)) + change.key_text().value_or("-") +
                   (change.after ? " " + field_json(change.after, "n") : ""));
    EXPECT_EQ(change.collection(), this->kCollection);
    ASSERT_TRUE(change.source);
    std::string json;
    change.source->write_json(json, change.position);
    EXPECT_EQ(parse_json(json).find("db")->as_string(), this->connector().name());
  }
  EXPECT_EQ(told,
            (std::vector<std::string>{"c1 1", "c2 2", "c3 3", "u1 4", "u2 5", "d3", "u1 4", "d2"}));
  EXPECT_TRUE(stream.notices().empty());
}

TYPED_TEST_P(ChangeSourceConformance, TellsEveryTypeExactly) {
  using namespace std::string_literals;
  ChangeCollector stream(this->source(), this->watch());
  const std::string text = "a\0b Grüße"s;
  const std::string bytes = "\0\x01\xff\x80"s;
  this->insert(std::numeric_limits<std::int64_t>::max(),
               {{"name", text},
                {"n", std::numeric_limits<std::int64_t>::min()},
                {"amount", 0.1},
                {"data", Bytes{bytes}}});
  this->insert(7, {{"name", ""}});
  ASSERT_TRUE(stream.await_changes(2));
  const auto changes = stream.changes();
  EXPECT_EQ(changes[0].key_text(), "9223372036854775807");
  EXPECT_EQ(changes[0].after.get("name"), Value(text));
  EXPECT_EQ(changes[0].after.get("n"), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(changes[0].after.get("amount"), Value(0.1));
  EXPECT_EQ(changes[0].after.get("data"), Value(Bytes{bytes}));
  EXPECT_EQ(changes[1].after.get("name"), Value(""));
  EXPECT_TRUE(is_empty_field(changes[1].after, "n"));
}

TYPED_TEST_P(ChangeSourceConformance, BeforeImagesAreTheRowAsItWas) {
  if (!this->source().has_before_images()) {
    GTEST_SKIP() << "the connector " << this->connector().name() << " has no before-images";
  }
  ChangeCollector stream(this->source(), this->watch());
  this->insert(1, {{"name", "a"}, {"n", 1}});
  this->update(1, {{"n", 2}});
  this->remove(1);
  ASSERT_TRUE(stream.await_changes(3));
  const auto changes = stream.changes();
  EXPECT_FALSE(changes[0].before);
  ASSERT_TRUE(changes[1].before);
  EXPECT_EQ(changes[1].before.to_json(), changes[0].after.to_json());
  ASSERT_TRUE(changes[2].before);
  EXPECT_EQ(changes[2].before.to_json(), changes[1].after.to_json());
  EXPECT_FALSE(changes[2].after);
}

TYPED_TEST_P(ChangeSourceConformance, TellsItsOwnConnectorsWritesToo) {
  USTREAM_NEEDS_FACET(crud, "Crud");
  ChangeCollector stream(this->source(), this->watch());
  const WriteResult write =
      this->crud().write(this->kCollection, "1", {{"n", 1}}, WriteMode::merge);
  this->source().nudge();
  ASSERT_TRUE(stream.await_position(write.position));
  const DeleteResult gone = this->crud().remove(this->kCollection, "1");
  this->source().nudge();
  ASSERT_TRUE(stream.await_position(gone.position));
  ASSERT_EQ(stream.changes().size(), 2U);
  EXPECT_EQ(stream.changes()[0].op, Op::create);
  EXPECT_EQ(stream.changes()[1].op, Op::remove);
  EXPECT_EQ(stream.changes()[1].key_text(), "1");
}

TYPED_TEST_P(ChangeSourceConformance, PositionsAscendAndLiveInTheirText) {
  ChangeCollector stream(this->source(), this->watch());
  this->make_history();
  ASSERT_TRUE(stream.await_changes(this->kHistory));
  Position last;
  for (const Change& change : stream.changes()) {
    const Position& position = change.position;
    ASSERT_TRUE(position);
    if (last) {
      ASSERT_TRUE(position.comparable(last));
      EXPECT_EQ(position.order_key().size(), last.order_key().size());
      EXPECT_TRUE(position.compare(last) > 0);
    }
    EXPECT_EQ(Position::parse(position.cursor()), position);
    last = position;
  }
}

TYPED_TEST_P(ChangeSourceConformance, ATransactionsLastChangeIsMarked) {
  ChangeCollector stream(this->source(), this->watch());
  ASSERT_TRUE(stream.await_caught_up());
  this->commit({{ForeignWrite::Kind::insert, 1, {{"n", 1}}},
                {ForeignWrite::Kind::insert, 2, {{"n", 2}}},
                {ForeignWrite::Kind::update, 1, {{"n", 3}}}});
  ASSERT_TRUE(stream.await_changes(3));
  const auto changes = stream.changes();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool ends = i + 1 == changes.size() || changes[i + 1].transaction.seq == 1;
    EXPECT_EQ(changes[i].transaction.last, ends) << i;
  }
  EXPECT_TRUE(changes.back().transaction.last);
  EXPECT_EQ(changes.front().transaction.seq, 1U);
}

TYPED_TEST_P(ChangeSourceConformance, StartsWhereItIsTold) {
  this->watch();
  this->insert(1, {{"n", 1}});
  const Position now = this->source().current();
  ChangeCollector stream(this->source(), now);
  this->insert(2, {{"n", 2}});
  ASSERT_TRUE(stream.await_changes(1));
  ASSERT_TRUE(stream.await_position(this->source().current()));
  ASSERT_EQ(stream.changes().size(), 1U);
  EXPECT_EQ(stream.changes()[0].key_text(), "2");
}

TYPED_TEST_P(ChangeSourceConformance, ResumesAfterAnyChange) {
  const Position begin = this->watch();
  ChangeCollector stream(this->source(), begin);
  this->make_history();
  ASSERT_TRUE(stream.await_changes(this->kHistory));
  const Position end = this->source().current();
  ASSERT_TRUE(stream.await_position(end));
  stream.stop();
  const auto all = stream.changes();
  ASSERT_EQ(all.size(), this->kHistory);
  const auto texts = summaries_with_cursors(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // As a client does it: from the cursor's text.
    ChangeCollector again(this->source(), Position::parse(all[i].position.cursor()));
    ASSERT_TRUE(again.await_position(end)) << i;
    again.stop();
    EXPECT_EQ(
        summaries_with_cursors(again.changes()),
        std::vector<std::string>(texts.begin() + static_cast<std::ptrdiff_t>(i) + 1, texts.end()))
        << "after change " << i;
  }
}

TYPED_TEST_P(ChangeSourceConformance, AnotherConnectorGoesOnFromItsCursor) {
  const Position begin = this->watch();
  this->make_history();
  const Position end = this->source().current();
  const auto texts = summaries_with_cursors(this->replay(begin, end));
  ASSERT_EQ(texts.size(), this->kHistory);
  const auto other = this->fixture().make_connector();
  other->open();
  {
    other->change_source()->watch({this->kCollection});
    ChangeCollector stream(*other->change_source(), begin);
    EXPECT_TRUE(stream.await_position(end));
    EXPECT_EQ(summaries_with_cursors(stream.changes()), texts);
  }
  other->close();
}

TYPED_TEST_P(ChangeSourceConformance, ReplaysWhatIsAfterTheOneUpToTheOther) {
  const Position begin = this->watch();
  this->insert(1, {{"n", 1}});
  const Position first = this->source().current();
  this->commit(
      {{ForeignWrite::Kind::insert, 2, {{"n", 2}}}, {ForeignWrite::Kind::insert, 3, {{"n", 3}}}});
  this->update(2, {{"n", 4}});
  const Position second = this->source().current();
  this->remove(1);
  const Position end = this->source().current();

  EXPECT_EQ(summaries(this->replay(begin, first)).size(), 1U);
  const auto middle = this->replay(first, second);
  ASSERT_EQ(middle.size(), 3U);
  EXPECT_EQ(middle[0].key_text(), "2");
  EXPECT_EQ(middle[2].op, Op::update);
  EXPECT_EQ(this->replay(second, end).size(), 1U);
  EXPECT_TRUE(this->replay(end, end).empty());

  auto joined = summaries_with_cursors(this->replay(begin, first));
  for (const auto& part : {middle, this->replay(second, end)}) {
    const auto texts = summaries_with_cursors(part);
    joined.insert(joined.end(), texts.begin(), texts.end());
  }
  EXPECT_EQ(summaries_with_cursors(this->replay(begin, end)), joined);
}

TYPED_TEST_P(ChangeSourceConformance, ReplaysWhileItRuns) {
  const Position begin = this->watch();
  ChangeCollector stream(this->source(), begin);
  this->make_history();
  ASSERT_TRUE(stream.await_changes(this->kHistory));
  EXPECT_EQ(summaries_with_cursors(this->replay(begin, this->source().current())),
            summaries_with_cursors(stream.changes()));
  this->insert(50, {});
  EXPECT_TRUE(stream.await_changes(this->kHistory + 1));
}

TYPED_TEST_P(ChangeSourceConformance, WatchingAgainChangesNothing) {
  const Position begin = this->watch();
  this->insert(1, {{"n", 1}});
  this->watch();
  this->insert(2, {{"n", 2}});
  ChangeCollector stream(this->source(), begin);
  ASSERT_TRUE(stream.await_changes(2));
  this->watch();  // while it runs
  this->insert(3, {{"n", 3}});
  ASSERT_TRUE(stream.await_changes(3));
  ASSERT_TRUE(stream.await_position(this->source().current()));
  EXPECT_EQ(summaries(stream.changes()).size(), 3U);
}

TYPED_TEST_P(ChangeSourceConformance, AnUnknownCollectionIsNotWatched) {
  EXPECT_EQ(error_of([&] { this->source().watch({"no_such_collection"}); }), ErrorKind::validation);
}

TYPED_TEST_P(ChangeSourceConformance, RefusesACursorThatIsNotItsOwn) {
  const Position mine = this->watch();
  this->insert(1, {});
  const auto foreign = [&](std::string source, std::string epoch) {
    return Position(
        std::make_shared<const PositionOrigin>(PositionOrigin{std::move(source), std::move(epoch)}),
        mine.order_key(), mine.detail());
  };
  for (const Position& position : {foreign("another", mine.origin().epoch),
                                   foreign(mine.origin().source, mine.origin().epoch + "x"),
                                   Position(mine.shared_origin(), "?", "?")}) {
    KeepingSink sink;
    const auto refused = [&](auto&& call) {
      const auto kind = error_of(call);
      ASSERT_TRUE(kind) << position.cursor();
      EXPECT_TRUE(*kind == ErrorKind::history_lost || *kind == ErrorKind::validation)
          << to_string(*kind);
    };
    // Stopped from the start: one that accepts the cursor returns and fails the test.
    std::stop_source stopped;
    stopped.request_stop();
    refused([&] { this->source().run(position, sink, stopped.get_token()); });
    refused([&] {
      (void)this->source().replay(position, this->source().current(), sink, std::stop_token());
    });
    EXPECT_TRUE(sink.changes().empty());
  }
}

TYPED_TEST_P(ChangeSourceConformance, StopsWhenAskedAndMayRunAgain) {
  const Position begin = this->watch();
  for (int i = 1; i <= 3; ++i) {
    ChangeCollector stream(this->source(), begin);
    ASSERT_TRUE(stream.await_caught_up());
    stream.request_stop();  // idle, with nothing to deliver that would wake it
    ASSERT_TRUE(stream.await_end());
    EXPECT_FALSE(stream.failure());
    EXPECT_EQ(stream.changes().size(), static_cast<std::size_t>(i - 1));
    this->insert(i, {});
  }
}

TYPED_TEST_P(ChangeSourceConformance, StopsWhenTheSinkSaysSo) {
  struct Refusing final : ChangeSink {
    std::size_t calls = 0;
    [[nodiscard]] bool deliver(ChangeBatchPtr) override {
      ++calls;
      return false;
    }
    void caught_up(const Position&) override {}
  } sink;
  const Position begin = this->watch();
  this->make_history();
  this->source().run(begin, sink, std::stop_token());  // returns
  EXPECT_EQ(sink.calls, 1U);
  EXPECT_FALSE(this->source().replay(begin, this->source().current(), sink, std::stop_token()));
  EXPECT_EQ(sink.calls, 2U);
}

REGISTER_TYPED_TEST_SUITE_P(ChangeSourceConformance, TellsWhatOthersCommit, TellsEveryTypeExactly,
                            BeforeImagesAreTheRowAsItWas, TellsItsOwnConnectorsWritesToo,
                            PositionsAscendAndLiveInTheirText, ATransactionsLastChangeIsMarked,
                            StartsWhereItIsTold, ResumesAfterAnyChange,
                            AnotherConnectorGoesOnFromItsCursor,
                            ReplaysWhatIsAfterTheOneUpToTheOther, ReplaysWhileItRuns,
                            WatchingAgainChangesNothing, AnUnknownCollectionIsNotWatched,
                            RefusesACursorThatIsNotItsOwn, StopsWhenAskedAndMayRunAgain,
                            StopsWhenTheSinkSaysSo);

}  // namespace ustream::testing
