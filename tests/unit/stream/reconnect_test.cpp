// What the stream does when its source fails.
#include <gtest/gtest.h>

#include "harness.hpp"

namespace ustream::stream::testing {
namespace {

using Type = StreamEvent::Type;

TEST(Reconnect, GoesOnWithoutDuplicatesOrGaps) {
  Harness h({.before_images = true, .batch = 3});
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  Texts expected{"ready"};
  for (int round = 0; round < 40; ++round) {
    // Breaks after 0 to 4 of the 4 batches of the transaction.
    h.source.fail_after(static_cast<std::size_t>(round % 5), ConnectionError("cut"));
    std::vector<test::ScriptedWrite> writes;
    for (int i = 0; i < 10; ++i) {
      writes.push_back({"a", round * 10 + i, Value::Object{}});
      expected.push_back("c " + std::to_string(round * 10 + i));
    }
    h.source.commit(writes);
    ASSERT_TRUE(recorder.wait_for(expected.size()));
  }
  EXPECT_EQ(recorder.texts(), expected);
  EXPECT_GE(h.engine->stats().reconnects, 32U);
}

TEST(Reconnect, TellsEveryTransition) {
  Harness h;
  h.start();
  h.source.refuse(ConnectionError("still down"), 2);
  h.source.fail(ConnectionError("server went away"));
  ASSERT_TRUE(h.events.wait_for(Type::reconnected));
  EXPECT_EQ(h.engine->state(), StreamState::streaming);
  h.engine->stop();
  EXPECT_EQ(h.events.names(), (Texts{"connecting", "connected", "disconnected", "reconnecting",
                                     "reconnecting", "reconnecting", "reconnected", "stopped"}));
  const auto attempts = h.events.of(Type::reconnecting);
  EXPECT_EQ(attempts[0].attempt, 1U);
  EXPECT_EQ(attempts[0].message, "server went away");
  EXPECT_EQ(attempts[2].attempt, 3U);
  EXPECT_EQ(attempts[2].message, "still down");
  EXPECT_EQ(h.events.of(Type::disconnected).front().error, ErrorKind::connection);
}

TEST(Reconnect, AttemptsCountAnewAfterASignOfLife) {
  Harness h;
  h.start(quick(2));
  for (std::size_t i = 1; i <= 10; ++i) {
    h.source.fail(ConnectionError("cut"));
    ASSERT_TRUE(h.events.wait_for(Type::reconnected, i));
  }
  EXPECT_EQ(h.engine->state(), StreamState::streaming);
}

TEST(Reconnect, GivesUpWhenTheRetriesAreUsedUp) {
  Harness h;
  h.start(quick(3));
  h.source.refuse(ConnectionError("down"), 100);
  h.source.fail(ConnectionError("cut"));
  ASSERT_TRUE(h.events.wait_for(Type::failed));
  EXPECT_EQ(h.events.count(Type::reconnecting), 3U);
  ASSERT_TRUE(h.engine->failure().has_value());
  EXPECT_EQ(h.engine->failure()->kind(), ErrorKind::connection);
  h.engine->stop();
  EXPECT_EQ(h.engine->state(), StreamState::stopped);
}

TEST(Reconnect, WithoutRetriesTheFirstFailureIsFinal) {
  Harness h;
  h.source.refuse(ConnectionError("down"));
  h.make(quick(0));
  EXPECT_THROW(h.engine->start(), ConnectionError);
  EXPECT_EQ(h.engine->state(), StreamState::failed);
  EXPECT_EQ(h.events.count(Type::reconnecting), 0U);
}

TEST(Reconnect, APermanentErrorIsNotRetried) {
  Harness h;
  h.start();
  h.source.fail(AuthError("privilege revoked"));
  ASSERT_TRUE(h.events.wait_for(Type::failed));
  EXPECT_EQ(h.events.count(Type::reconnecting), 0U);
  EXPECT_EQ(h.events.of(Type::failed).front().error, ErrorKind::auth);
}

TEST(Reconnect, AFailedStreamCanBeStoppedAndStartedAgain) {
  Harness h;
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  h.source.fail(AuthError("no"));
  ASSERT_TRUE(h.events.wait_for(Type::failed));
  h.source.put("a", 1);
  h.engine->stop();
  h.engine->start();
  EXPECT_TRUE(recorder.wait_for("c 1"));
}

TEST(Reconnect, StartReturnsWhileItIsRetrying) {
  Harness h;
  h.source.refuse(ConnectionError("down"), 1);
  EngineOptions options = quick();
  options.path.retry.initial_delay = std::chrono::hours(1);
  options.path.retry.max_delay = std::chrono::hours(1);
  h.start(options);
  EXPECT_EQ(h.engine->state(), StreamState::reconnecting);
  h.engine->stop();  // ends the wait of up to an hour
  EXPECT_EQ(h.engine->state(), StreamState::stopped);
}

TEST(Reconnect, AnOldReaderNeverEmitsAgain) {
  Harness h;
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_for("c 1"));
  ChangeSink* old = h.source.last_sink();
  h.source.fail(ConnectionError("cut"));
  ASSERT_TRUE(h.events.wait_for(Type::reconnected));
  auto forged = std::make_shared<ChangeBatch>(*h.source.batch_of(0));
  EXPECT_FALSE(old->deliver(forged));
  old->caught_up(h.source.put("b", 1));
  h.source.put("a", 2);
  ASSERT_TRUE(recorder.wait_for("c 2"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "c 2"}));
}

TEST(HistoryLost, IsToldToEverySubscriptionAndTheStreamGoesOn) {
  Harness h;
  h.start();
  Recorder a;
  Recorder b;
  const Subscription one = h.subscribe(a);
  const Subscription two = h.engine->subscribe({"b"}, {}, b.callback());
  h.source.put("a", 1);
  ASSERT_TRUE(a.wait_for("c 1"));
  h.source.new_epoch();
  h.source.put("a", 2);
  ASSERT_TRUE(b.wait_for("resync history_lost"));
  h.source.put("a", 3);
  h.source.put("b", 4);
  ASSERT_TRUE(a.wait_for("c 3"));
  ASSERT_TRUE(b.wait_for("c 4"));
  EXPECT_EQ(a.count("resync history_lost"), 1U);
  EXPECT_EQ(one.position().origin().epoch, "2");
  EXPECT_EQ(h.engine->state(), StreamState::streaming);
}

TEST(HistoryLost, FailsTheStreamWhenThatIsWanted) {
  Harness h;
  EngineOptions options = quick();
  options.path.on_history_lost = OnHistoryLost::fail;
  h.start(options);
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  ASSERT_TRUE(recorder.wait_for("ready"));
  h.source.new_epoch();
  h.source.put("a", 1);
  ASSERT_TRUE(h.events.wait_for(Type::failed));
  EXPECT_EQ(h.engine->failure()->kind(), ErrorKind::history_lost);
  EXPECT_EQ(recorder.texts(), (Texts{"ready"}));
}

TEST(HistoryLost, OverAndOverIsBounded) {
  Harness h;
  h.source.refuse(StreamingError("purged", ErrorKind::history_lost), 1000);
  h.make(quick(3));
  try {
    h.engine->start();
  } catch (const Error& error) {  // when it had given up before start() looked
    EXPECT_EQ(error.kind(), ErrorKind::history_lost);
  }
  ASSERT_TRUE(h.events.wait_for(Type::failed));
  EXPECT_LE(h.source.runs(), 6U);
}

TEST(Hooks, SeeEveryChangeBeforeSubscribersDo) {
  Harness h;
  std::atomic<int> seen{0};
  EngineOptions options = quick();
  options.path.hooks.observe = [&](const ChangeBatch& batch) {
    seen += static_cast<int>(batch.changes.size());
  };
  options.path.hooks.transform = [](ChangeBatchPtr batch) -> ChangeBatchPtr {
    auto changed = std::make_shared<ChangeBatch>(*batch);
    for (Change& change : changed->changes) {
      if (change.key_text() == "13") {
        throw std::runtime_error("cannot decrypt");
      }
    }
    return changed;
  };
  h.start(options);
  Recorder recorder;
  std::atomic<int> seen_then{0};
  const Subscription subscription =
      h.engine->subscribe({"a"}, {}, [&](std::span<const Delivery> all) {
        seen_then = seen.load();
        recorder.receive(all);
      });
  h.source.put("b", 1);
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_for("c 1"));
  EXPECT_EQ(seen_then, 2);
  h.source.put("a", 13);
  ASSERT_TRUE(recorder.wait_for("quarantine cannot decrypt"));
}

}  // namespace
}  // namespace ustream::stream::testing
