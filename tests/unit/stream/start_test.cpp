// How a subscription begins: from a snapshot, from a position, without gap or overlap.
#include <atomic>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "harness.hpp"

namespace ustream::stream::testing {
namespace {

using Type = StreamEvent::Type;

bool eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

SubscriptionOptions with_snapshot() {
  SubscriptionOptions options;
  options.snapshot = true;
  return options;
}

SubscriptionOptions since(Position position) {
  SubscriptionOptions options;
  options.since = std::move(position);
  return options;
}

TEST(Snapshot, RowsThenReadyThenChanges) {
  Harness h;
  h.source.put("a", 1);
  h.source.put("b", 9);
  const Position now = h.source.put("a", 2);
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, with_snapshot());
  ASSERT_TRUE(recorder.wait_for("ready"));
  h.source.put("a", 3);
  ASSERT_TRUE(recorder.wait_for("c 3"));
  EXPECT_EQ(recorder.texts(), (Texts{"r 1", "r 2", "ready", "c 3"}));
  EXPECT_EQ(std::get<Ready>(recorder.deliveries()[2].notice).position, now);
}

TEST(Snapshot, OfAnEngineThatStartsLater) {
  Harness h;
  h.source.put("a", 1);
  h.make();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, with_snapshot());
  h.source.put("a", 2);
  h.engine->start();
  ASSERT_TRUE(recorder.wait_for("ready"));
  h.source.put("a", 3);
  ASSERT_TRUE(recorder.wait_for("c 3"));
  EXPECT_EQ(recorder.texts(), (Texts{"r 1", "r 2", "ready", "c 3"}));
}

TEST(Snapshot, PassesTheFilterAndKeepsTheQueuesBounds) {
  Harness h({.before_images = true, .batch = 7});
  for (int i = 0; i < 1000; ++i) {
    h.source.put("a", i, fields(i % 2));
  }
  h.start();
  Recorder recorder;
  SubscriptionOptions options = with_snapshot();
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  options.queue_capacity = 10;
  recorder.block();
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_inside());
  EXPECT_LE(subscription.stats().queued, 10U);
  recorder.unblock();
  ASSERT_TRUE(recorder.wait_for("ready"));
  EXPECT_EQ(recorder.texts().size(), 501U);
  EXPECT_EQ(subscription.stats().dropped, 0U);
}

TEST(Snapshot, UnsubscribingEndsIt) {
  Harness h({.before_images = true, .batch = 1});
  for (int i = 0; i < 100; ++i) {
    h.source.put("a", i);
  }
  h.start();
  std::mutex mutex;
  Subscription subscription;
  std::atomic<int> calls{0};
  SubscriptionOptions options = with_snapshot();
  options.queue_capacity = 1;
  {
    const std::lock_guard lock(mutex);
    subscription = h.engine->subscribe({"a"}, options, [&](std::span<const Delivery>) {
      const std::lock_guard inside(mutex);
      ++calls;
      subscription.unsubscribe();
    });
  }
  ASSERT_TRUE(eventually([&] { return calls > 0; }));
  h.engine->stop();  // joins the thread that makes the snapshot
  EXPECT_EQ(calls, 1);
}

/// Follows one row's version: after a row with version v comes the change that makes it v + 1.
class Follower {
 public:
  void operator()(std::span<const Delivery> all) {
    for (const Delivery& delivery : all) {
      if (delivery.change == nullptr) {
        const bool ready = std::holds_alternative<Ready>(delivery.notice);
        notices_ += ready ? 0 : 1;
        ready_ = ready_ || ready;
        continue;
      }
      const auto id = delivery.change->after.get("id")->as_int64();
      const auto v = delivery.change->after.get("v")->as_int64();
      const auto known = versions_.find(id);
      if (delivery.op == Op::snapshot) {
        wrong_ += known == versions_.end() && !ready_ ? 0 : 1;
      } else {
        const std::int64_t before = known == versions_.end() ? base_ : known->second;
        wrong_ += ready_ && (v == before + 1) ? 0 : 1;
      }
      versions_[id] = v;
      total_ = total_ + 1;
      done_ = done_ || v < 0;
    }
  }
  /// Without a snapshot, the version that every row had when it began.
  void expect_base(std::int64_t base) { base_ = base; }
  [[nodiscard]] int wrong() const { return wrong_; }
  [[nodiscard]] int notices() const { return notices_; }
  [[nodiscard]] const std::map<std::int64_t, std::int64_t>& versions() const { return versions_; }

 private:
  std::map<std::int64_t, std::int64_t> versions_;
  std::int64_t base_ = 0;
  bool ready_ = false;
  std::atomic<int> wrong_{0};
  std::atomic<int> notices_{0};
  std::atomic<int> total_{0};
  bool done_ = false;
};

/// Rows 0..19 of "a", each written with versions 1, 2, 3, … while subscriptions begin.
class Writer {
 public:
  explicit Writer(ScriptedSource& source, std::uint32_t seed) : source_(source), random_(seed) {
    for (int id = 0; id < kRows; ++id) {
      versions_[id] = 1;
      source_.put("a", id, fields(1));
    }
  }
  /// A transaction of up to 8 writes; rows of "b" in between.
  Position write() {
    std::vector<test::ScriptedWrite> writes;
    const auto count = random_() % 8 + 1;
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::int64_t>(random_() % kRows);
      writes.push_back({"a", id, fields(++versions_[id])});
      writes.push_back({"b", id, fields(0)});
    }
    return source_.commit(writes);
  }
  [[nodiscard]] const std::map<std::int64_t, std::int64_t>& versions() const { return versions_; }

 private:
  static constexpr int kRows = 20;
  ScriptedSource& source_;
  std::mt19937 random_;
  std::map<std::int64_t, std::int64_t> versions_;
};

/// `faults`: the stream breaks now and then, also in the middle of transactions.
void join_under_load(std::uint32_t seed, bool faults) {
  Harness h({.before_images = true, .batch = 3});
  Writer writer(h.source, seed);
  h.start();
  std::mutex mutex;
  std::vector<std::unique_ptr<Follower>> followers;
  std::vector<Subscription> subscriptions;
  std::atomic<bool> enough{false};
  std::thread writing([&] {
    std::mt19937 random(seed + 1);
    for (int i = 0; i < 2000 && !(enough && i > 300); ++i) {
      writer.write();
      if (faults && random() % 20 == 0) {
        h.source.fail_after(random() % 4, ConnectionError("cut"));
      }
      if (random() % 4 == 0) {
        std::this_thread::yield();
      }
    }
  });
  std::mt19937 random(seed + 2);
  for (int i = 0; i < 6; ++i) {
    followers.push_back(std::make_unique<Follower>());
    SubscriptionOptions options = with_snapshot();
    // Small queues make what is held aside overflow, so that joining takes several rounds.
    options.queue_capacity = random() % 2 == 0 ? 10 : 10'000;
    options.slow_policy = SlowPolicy::block;
    subscriptions.push_back(h.engine->subscribe(
        {"a"}, options, [&mutex, follower = followers.back().get()](std::span<const Delivery> all) {
          const std::lock_guard lock(mutex);
          (*follower)(all);
        }));
    std::this_thread::yield();
  }
  enough = true;
  writing.join();
  for (const auto& follower : followers) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return follower->versions() == writer.versions();
    })) << "seed "
        << seed;
    EXPECT_EQ(follower->wrong(), 0) << "seed " << seed;
    EXPECT_EQ(follower->notices(), 0) << "seed " << seed;
  }
}

TEST(Snapshot, JoinsTheStreamWithoutGapOrOverlap) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    join_under_load(seed, false);
    if (HasFailure()) {
      return;
    }
  }
}

TEST(Snapshot, JoinsAStreamThatBreaksWithoutGapOrOverlap) {
  for (std::uint32_t seed = 100; seed < 130; ++seed) {
    join_under_load(seed, true);
    if (HasFailure()) {
      return;
    }
  }
}

TEST(Since, DeliversExactlyWhatCameAfter) {
  Harness h({.before_images = true, .batch = 2});
  std::vector<Position> positions{h.source.current()};
  for (int i = 0; i < 50; ++i) {
    positions.push_back(h.source.put("a", i));
  }
  h.start();
  for (const std::size_t at : {0U, 1U, 25U, 49U, 50U}) {
    Recorder recorder;
    const Subscription subscription = h.subscribe(recorder, since(positions[at]));
    const std::string last = "c " + std::to_string(1000 + at);
    h.source.put("a", 1000 + static_cast<int>(at));
    ASSERT_TRUE(recorder.wait_for(last));
    const auto texts = recorder.texts();
    EXPECT_EQ(texts.front(), "ready");
    EXPECT_EQ(std::get<Ready>(recorder.deliveries().front().notice).position, positions[at]);
    for (std::size_t i = at; i < 50; ++i) {
      EXPECT_EQ(texts[1 + i - at], "c " + std::to_string(i));
    }
  }
}

TEST(Since, WithinATransactionGoesOnBehindThatChange) {
  Harness h;
  h.source.commit(
      {{"a", 1, Value::Object{}}, {"a", 2, Value::Object{}}, {"a", 3, Value::Object{}}});
  const Position within = h.source.batch_of(0)->changes[1].position;
  h.source.put("a", 4);
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, since(within));
  ASSERT_TRUE(recorder.wait_for("c 4"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 3", "c 4"}));
}

TEST(Since, FiltersTheHistoryAsItDoesTheStream) {
  Harness h;
  const Position start = h.source.current();
  h.source.put("a", 1, fields(0));
  h.source.put("a", 1, fields(1));
  h.source.put("a", 1, fields(2));
  h.source.put("b", 1, fields(1));
  h.start();
  Recorder recorder;
  SubscriptionOptions options = since(start);
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  const Subscription subscription = h.subscribe(recorder, options);
  h.source.put("a", 2, fields(1));
  ASSERT_TRUE(recorder.wait_for("c 2"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "d 1", "c 2"}));
}

TEST(Since, OfAnotherSourceIsRefused) {
  Harness h;
  h.start();
  Recorder recorder;
  const auto origin = std::make_shared<PositionOrigin>(PositionOrigin{"other", "1"});
  EXPECT_THROW((void)h.subscribe(recorder, since(Position(origin, std::string(16, '\0')))),
               ValidationError);
}

TEST(Since, LostHistoryIsToldAndTheStreamFollows) {
  for (const char* how : {"epoch", "trimmed", "future"}) {
    Harness h;
    const Position old = h.source.put("a", 1);
    Position from = old;
    if (how == std::string("epoch")) {
      h.source.new_epoch();
    } else if (how == std::string("trimmed")) {
      h.source.put("a", 2);
      h.source.trim();
    } else {
      // The database was restored from a backup: its history ends before the position.
      std::string key = old.order_key();
      key[6] = '\x7f';
      from = Position(old.shared_origin(), key);
    }
    h.start();
    Recorder recorder;
    const Subscription subscription = h.subscribe(recorder, since(from));
    ASSERT_TRUE(recorder.wait([&] { return true; }));
    ASSERT_TRUE(eventually([&] { return recorder.count("resync history_lost") == 1; })) << how;
    h.source.put("a", 7);
    ASSERT_TRUE(recorder.wait_for("c 7")) << how;
    EXPECT_EQ(recorder.count("ready"), 1U) << how;
  }
}

TEST(Since, LostHistoryIsAnErrorWhenTheEngineIsToFail) {
  Harness h;
  const Position old = h.source.put("a", 1);
  h.source.new_epoch();
  EngineOptions options = quick();
  options.path.on_history_lost = OnHistoryLost::fail;
  h.start(options);
  Recorder recorder;
  try {
    const Subscription subscription = h.subscribe(recorder, since(old));
    FAIL();
  } catch (const StreamingError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::history_lost);
  }
}

}  // namespace
}  // namespace ustream::stream::testing
