// How changes reach callbacks: order, policies, batching, and how it ends.
#include <atomic>
#include <future>
#include <stdexcept>

#include <gtest/gtest.h>

#include "harness.hpp"

namespace ustream::stream::testing {
namespace {

using Type = StreamEvent::Type;

TEST(Delivery, IsInTheSourcesOrderAfterReady) {
  Harness h;
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  for (int i = 0; i < 500; ++i) {
    h.source.put("a", i);
    h.source.put("b", i);
  }
  ASSERT_TRUE(recorder.wait_for(501));
  Texts expected{"ready"};
  for (int i = 0; i < 500; ++i) {
    expected.push_back("c " + std::to_string(i));
  }
  EXPECT_EQ(recorder.texts(), expected);
  h.engine->stop();  // the callback has returned for good
  EXPECT_EQ(subscription.stats().delivered, 500U);
}

TEST(Delivery, WhatWasCommittedBeforeTheSubscriptionIsNotDelivered) {
  Harness h;
  h.start();
  h.source.hold();
  h.source.put("a", 1);
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  h.source.put("a", 2);
  h.source.release();
  ASSERT_TRUE(recorder.wait_for("c 2"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 2"}));
}

TEST(Delivery, ReadyAndPositionTellFromWhereChangesFollow) {
  Harness h;
  h.start();
  const Position now = h.source.put("a", 1);
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  ASSERT_TRUE(recorder.wait_for("ready"));
  EXPECT_EQ(std::get<Ready>(recorder.deliveries().front().notice).position, now);
  EXPECT_EQ(subscription.position(), now);
}

TEST(Delivery, TellsRowsThatCrossTheFilter) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  const Subscription subscription = h.subscribe(recorder, options);
  h.source.put("a", 1, fields(0));
  h.source.put("a", 1, fields(1));
  h.source.put("a", 1, fields(1));
  h.source.put("a", 1, fields(2));
  h.source.erase("a", 1);
  h.source.put("a", 2, fields(1));
  h.source.erase("a", 2);
  ASSERT_TRUE(recorder.wait_for("d 2"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "u 1", "d 1", "c 2", "d 2"}));
  EXPECT_EQ(subscription.stats().filtered_out, 2U);
  // A row that left shows nothing of what it is now.
  std::string json;
  recorder.deliveries()[3].write_json(json);
  EXPECT_EQ(json.find("\"after\""), std::string::npos) << json;
  EXPECT_NE(json.find(R"("op":"d")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("key":"1")"), std::string::npos) << json;
}

TEST(Delivery, WithoutBeforeImagesARowThatDoesNotMatchIsADelete) {
  Harness h({.before_images = false, .batch = 10});
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  const Subscription subscription = h.subscribe(recorder, options);
  h.source.put("a", 1, fields(1));
  h.source.put("a", 1, fields(2));
  h.source.put("a", 1, fields(1));
  h.source.erase("a", 1);
  ASSERT_TRUE(recorder.wait_for(5));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "d 1", "u 1", "d 1"}));
  std::string json;
  recorder.deliveries()[2].write_json(json);
  EXPECT_EQ(json.find("\"v\""), std::string::npos) << json;
  EXPECT_NE(json.find(R"("key":"1")"), std::string::npos) << json;
}

TEST(Delivery, TruncateDdlAndQuarantineAreToldInOrder) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  const Subscription subscription = h.subscribe(recorder, options);
  h.source.special("a", Op::truncate);
  h.source.quarantine("a", "odd");
  h.source.quarantine("b", "other");
  h.source.special("a", Op::ddl);
  h.source.put("a", 1, fields(1));
  ASSERT_TRUE(recorder.wait_for("c 1"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "t", "quarantine odd", "ddl", "c 1"}));
  EXPECT_EQ(h.events.count(Type::quarantine), 2U);
  EXPECT_EQ(h.events.count(Type::ddl), 1U);
  EXPECT_EQ(h.engine->stats().quarantined, 2U);
}

TEST(Delivery, AThrowingCallbackIsToldAndTheStreamGoesOn) {
  Harness h;
  h.start();
  std::atomic<int> calls{0};
  Recorder other;
  const Subscription good = h.subscribe(other);
  Recorder recorder;
  const Subscription bad = h.engine->subscribe({"a"}, {}, [&](std::span<const Delivery> all) {
    ++calls;
    recorder.receive(all);
    throw std::runtime_error("on purpose");
  });
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_for("c 1"));
  h.source.put("a", 2);
  ASSERT_TRUE(recorder.wait_for("c 2"));
  ASSERT_TRUE(other.wait_for("c 2"));
  h.engine->stop();
  EXPECT_EQ(bad.stats().errors, static_cast<std::uint64_t>(calls.load()));
  EXPECT_EQ(good.stats().errors, 0U);
  const auto errors = h.events.of(Type::error);
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors.front().message, "on purpose");
  EXPECT_EQ(errors.front().collection, "a");
  EXPECT_EQ(h.engine->stats().callback_errors, static_cast<std::uint64_t>(calls.load()));
}

TEST(Delivery, BlockedCallbacksDoNotHoldUpOthers) {
  Harness h;
  EngineOptions options = quick();
  options.pool.threads = 2;
  h.start(options);
  std::vector<std::unique_ptr<Recorder>> stuck;
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 8; ++i) {
    stuck.push_back(std::make_unique<Recorder>());
    stuck.back()->block();
    subscriptions.push_back(h.subscribe(*stuck.back()));
  }
  for (const auto& recorder : stuck) {
    ASSERT_TRUE(recorder->wait_inside());  // more of them than the pool has threads of its own
  }
  Recorder free;
  subscriptions.push_back(h.subscribe(free));
  h.source.put("a", 1);
  EXPECT_TRUE(free.wait_for("c 1"));
  for (const auto& recorder : stuck) {
    recorder->unblock();
  }
  for (const auto& recorder : stuck) {
    EXPECT_TRUE(recorder->wait_for("c 1"));
  }
}

TEST(SlowSubscriber, IsToldOneResyncAndFromWhereChangesFlowAgain) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.queue_capacity = 10;
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 0);
  ASSERT_TRUE(recorder.wait_inside());
  for (int i = 1; i <= 50; ++i) {
    h.source.put("a", i);
  }
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 51);
  ASSERT_TRUE(witness.wait_for("c 51"));  // so all of it was dispatched
  recorder.unblock();
  ASSERT_TRUE(recorder.wait_for("c 51"));
  const auto texts = recorder.texts();
  EXPECT_EQ(recorder.count("resync slow_consumer"), 1U);
  const auto at = static_cast<std::size_t>(
      std::find(texts.begin(), texts.end(), "resync slow_consumer") - texts.begin());
  ASSERT_EQ(at, 2U);
  const Resync resync = std::get<Resync>(recorder.deliveries()[at].notice);
  // What follows is exactly what stands after the position told.
  const std::size_t follow = texts.size() - at - 1;
  const auto stats = subscription.stats();
  EXPECT_EQ(stats.dropped + follow + 1, 52U);
  EXPECT_EQ(stats.resyncs, 1U);
  for (const Delivery& delivery : recorder.deliveries()) {
    if (delivery.change != nullptr) {
      const bool after = resync.position.compare(delivery.change->position) < 0;
      EXPECT_EQ(after, delivery.change->key_text() != "0");
    }
  }
  EXPECT_EQ(subscription.position(), resync.position);
  EXPECT_GE(h.events.count(Type::resync), 1U);
}

TEST(SlowSubscriber, CoalescesByKey) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.queue_capacity = 10;
  options.slow_policy = SlowPolicy::coalesce;
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 100);
  ASSERT_TRUE(recorder.wait_inside());
  for (int i = 0; i < 1000; ++i) {
    h.source.put("a", i % 5, fields(i));
  }
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("b", 1);
  h.source.put("a", 200);
  ASSERT_TRUE(witness.wait_for("c 200"));
  recorder.unblock();
  ASSERT_TRUE(recorder.wait_for("c 200"));
  EXPECT_EQ(recorder.texts(),
            (Texts{"ready", "c 100", "c 0", "c 1", "c 2", "c 3", "c 4", "c 200"}));
  EXPECT_EQ(recorder.deliveries()[2].change->after.get("v"), Value(995));
  EXPECT_EQ(subscription.stats().dropped, 0U);
}

TEST(SlowSubscriber, CoalescingResyncsWhenThereAreTooManyKeys) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.queue_capacity = 10;
  options.slow_policy = SlowPolicy::coalesce;
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 100);
  ASSERT_TRUE(recorder.wait_inside());
  for (int i = 0; i < 30; ++i) {
    h.source.put("a", i);
  }
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 200);
  ASSERT_TRUE(witness.wait_for("c 200"));
  recorder.unblock();
  ASSERT_TRUE(recorder.wait_for("c 200"));
  EXPECT_EQ(recorder.count("resync slow_consumer"), 1U);
  EXPECT_GE(subscription.stats().dropped, 11U);
}

TEST(SlowSubscriber, BlockingLosesNothingAndHoldsBackTheSource) {
  Harness h;
  EngineOptions engine = quick();
  engine.path.queue_changes = 5;
  h.start(engine);
  Recorder recorder;
  SubscriptionOptions options;
  options.queue_capacity = 5;
  options.slow_policy = SlowPolicy::block;
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 0);
  ASSERT_TRUE(recorder.wait_inside());
  for (int i = 1; i < 300; ++i) {
    h.source.put("a", i);
  }
  EXPECT_LE(subscription.stats().queued, 5U);
  recorder.unblock();
  ASSERT_TRUE(recorder.wait_for("c 299"));
  EXPECT_EQ(recorder.texts().size(), 301U);
  EXPECT_EQ(subscription.stats().dropped, 0U);
}

TEST(SlowSubscriber, UnsubscribingEndsABlockedDispatch) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.queue_capacity = 1;
  options.slow_policy = SlowPolicy::block;
  Subscription subscription = h.subscribe(recorder, options);
  Recorder other;
  const Subscription witness = h.subscribe(other);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  for (int i = 0; i < 20; ++i) {
    h.source.put("a", i);
  }
  ASSERT_TRUE(recorder.wait_inside());
  auto ended = std::async(std::launch::async, [&] { subscription.unsubscribe(); });
  ASSERT_TRUE(other.wait_for("c 19"));  // while the callback is still inside
  recorder.unblock();
  ended.get();
}

TEST(Batching, HandsOverAtMostTheSizeAndFlushesOnStop) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.batch_size = 10;
  options.batch_timeout = std::chrono::hours(1);
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  for (int i = 0; i < 25; ++i) {
    h.source.put("a", i);
  }
  ASSERT_TRUE(recorder.wait_for(21));
  EXPECT_EQ(recorder.sizes(), (std::vector<std::size_t>{1, 10, 10}));
  ASSERT_TRUE(witness.wait_for("c 24"));
  h.engine->stop();
  EXPECT_EQ(recorder.sizes(), (std::vector<std::size_t>{1, 10, 10, 5}));
}

TEST(Batching, HandsOverWhatThereIsAfterTheTimeout) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.batch_size = 1000;
  options.batch_timeout = milliseconds(5);
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  h.source.commit({{"a", 1, Value::Object{}}, {"a", 2, Value::Object{}}});
  ASSERT_TRUE(recorder.wait_for("c 2"));
  EXPECT_EQ(recorder.sizes(), (std::vector<std::size_t>{1, 2}));
}

TEST(Debounce, DeliversTheNewestOfAKeyOnceItIsQuiet) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.debounce = milliseconds(200);
  const Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_for("ready"));
  std::vector<test::ScriptedWrite> burst;
  for (int i = 0; i < 100; ++i) {
    burst.push_back({"a", 1, fields(i)});
  }
  h.source.commit(burst);
  ASSERT_TRUE(recorder.wait_for("c 1"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1"}));
  EXPECT_EQ(recorder.deliveries().back().change->after.get("v"), Value(99));
}

TEST(Unsubscribe, AfterItTheCallbackIsNotCalled) {
  Harness h;
  h.start();
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> ended{false};
    std::atomic<bool> late{false};
    std::atomic<int> calls{0};
    Subscription subscription = h.engine->subscribe({"a"}, {}, [&](std::span<const Delivery>) {
      ++calls;
      late = late || ended;
    });
    for (int i = 0; i < 20; ++i) {
      h.source.put("a", i);
    }
    subscription.unsubscribe();
    ended = true;
    const int before = calls;
    h.source.put("a", 99);
    EXPECT_FALSE(subscription.active());
    EXPECT_FALSE(late);
    EXPECT_EQ(calls, before);
  }
}

TEST(Unsubscribe, WaitsForACallbackThatRuns) {
  Harness h;
  h.start();
  Recorder recorder;
  Subscription subscription = h.subscribe(recorder);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_inside());
  std::atomic<bool> returned{false};
  std::thread ending([&] {
    subscription.unsubscribe();
    returned = true;
    EXPECT_EQ(recorder.count("c 1"), 1U);
  });
  std::this_thread::yield();
  EXPECT_FALSE(returned);
  recorder.unblock();
  ending.join();
}

TEST(Unsubscribe, FromWithinTheCallbackItIsNotCalledAgain) {
  Harness h;
  h.start();
  std::mutex mutex;
  Subscription subscription;
  std::atomic<int> changes{0};
  std::promise<void> first;
  {
    const std::lock_guard lock(mutex);
    subscription = h.engine->subscribe({"a"}, {}, [&](std::span<const Delivery> all) {
      const std::lock_guard inside(mutex);
      for (const Delivery& delivery : all) {
        if (delivery.change != nullptr && changes++ == 0) {
          subscription.unsubscribe();
          first.set_value();
        }
      }
    });
  }
  h.source.put("a", 1);
  first.get_future().get();
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 2);
  ASSERT_TRUE(witness.wait_for("c 2"));
  h.engine->stop();
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(subscription.active());
}

TEST(Unsubscribe, TheHandleUnsubscribesWhenItIsDestroyedOrReplaced) {
  Harness h;
  h.start();
  Recorder recorder;
  {
    Subscription one = h.subscribe(recorder);
    EXPECT_EQ(h.engine->stats().subscriptions, 1U);
    Subscription moved = std::move(one);
    EXPECT_TRUE(moved.active());
    moved = Subscription();
    EXPECT_EQ(h.engine->stats().subscriptions, 0U);
    moved = h.subscribe(recorder);
    EXPECT_EQ(h.engine->stats().subscriptions, 1U);
  }
  EXPECT_EQ(h.engine->stats().subscriptions, 0U);
}

TEST(Unsubscribe, ReleasesWhatTheCallbackHolds) {
  Harness h;
  h.start();
  const auto held = std::make_shared<int>(1);
  Subscription subscription = h.engine->subscribe({"a"}, {}, [held](std::span<const Delivery>) {});
  subscription.unsubscribe();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Unsubscribe, OfACollectionEndsItsSubscriptionsOnly) {
  Harness h;
  h.start();
  Recorder recorder;
  const Subscription a = h.engine->subscribe({"a"}, {}, recorder.callback());
  const Subscription both = h.engine->subscribe({"a", "b"}, {}, recorder.callback());
  const Subscription b = h.engine->subscribe({"b"}, {}, recorder.callback());
  h.engine->unsubscribe_all("a");
  EXPECT_FALSE(a.active());
  EXPECT_FALSE(both.active());
  EXPECT_TRUE(b.active());
}

TEST(Unsubscribe, TenThousandAtOnceAreForgotten) {
  Harness h;
  h.start();
  std::atomic<std::uint64_t> calls{0};
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 10'000; ++i) {
    SubscriptionOptions options;
    options.filter = Filter::parse(std::string_view("{\"v\":" + std::to_string(i) + "}"));
    subscriptions.push_back(
        h.engine->subscribe({"a"}, options, [&](std::span<const Delivery>) { ++calls; }));
  }
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 1, fields(5));
  ASSERT_TRUE(witness.wait_for("c 1"));
  subscriptions.clear();
  EXPECT_EQ(h.engine->stats().subscriptions, 1U);
  const auto before = calls.load();
  for (int i = 0; i < 1000; ++i) {
    h.source.put("a", 2 + i, fields(i));
  }
  ASSERT_TRUE(witness.wait_for("c 1001"));
  EXPECT_EQ(calls, before);
}

TEST(Subscribe, ErrorsAreThrownAtOnce) {
  Harness h;
  h.start();
  Recorder recorder;
  EXPECT_THROW((void)h.engine->subscribe({"nowhere"}, {}, recorder.callback()), ValidationError);
  EXPECT_THROW((void)h.engine->subscribe({}, {}, recorder.callback()), ValidationError);
  EXPECT_THROW((void)h.engine->subscribe({"a"}, {}, nullptr), ValidationError);
  EXPECT_EQ(h.engine->stats().subscriptions, 0U);
}

TEST(Subscribe, WithoutAChangeSourceItIsUnsupported) {
  ScriptedConnector connector(nullptr);
  try {
    const StreamEngine engine(connector, quick());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  }
}

TEST(Stop, UnderLoadDeliversNothingAfterItReturns) {
  for (int round = 0; round < 10; ++round) {
    Harness h;
    h.start();
    std::atomic<bool> stopped{false};
    std::atomic<bool> late{false};
    std::vector<Subscription> subscriptions;
    for (int i = 0; i < 10; ++i) {
      SubscriptionOptions options;
      options.slow_policy = i % 2 == 0 ? SlowPolicy::block : SlowPolicy::resync;
      options.queue_capacity = 50;
      subscriptions.push_back(h.engine->subscribe(
          {"a"}, options, [&](std::span<const Delivery>) { late = late || stopped; }));
    }
    std::jthread writer([&](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); ++i) {
        h.source.put("a", i % 100, fields(i));
      }
    });
    h.source.put("b", round);
    h.engine->stop();
    stopped = true;
    h.engine->stop();
    EXPECT_EQ(h.engine->state(), StreamState::stopped);
    writer.request_stop();
    writer.join();
    EXPECT_FALSE(late);
    EXPECT_EQ(h.events.names().back(), "stopped");
    EXPECT_EQ(h.events.count(Type::stopped), 1U);
  }
}

TEST(Stop, HandsOverWhatWasRead) {
  Harness h;
  h.start();
  Recorder recorder;
  SubscriptionOptions options;
  options.debounce = std::chrono::hours(1);
  const Subscription subscription = h.subscribe(recorder, options);
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 1);
  ASSERT_TRUE(witness.wait_for("c 1"));
  h.engine->stop();
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1"}));
}

TEST(Stop, ThenStartGoesOnWithoutAGap) {
  Harness h;
  h.start();
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_for("c 1"));
  h.engine->stop();
  h.source.put("a", 2);
  h.engine->start();
  h.source.put("a", 3);
  ASSERT_TRUE(recorder.wait_for("c 3"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "c 2", "c 3"}));
}

TEST(Stop, WhatItHadToDropIsToldAfterTheNextStart) {
  Harness h;
  EngineOptions options = quick();
  options.drain_timeout = milliseconds(1);
  h.start(options);
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder);
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_inside());
  Recorder witness;
  const Subscription other = h.subscribe(witness);
  h.source.put("a", 2);
  ASSERT_TRUE(witness.wait_for("c 2"));
  std::thread stopping([&] { h.engine->stop(); });
  while (subscription.stats().dropped == 0) {
    std::this_thread::yield();
  }
  recorder.unblock();
  stopping.join();
  h.engine->start();
  h.source.put("a", 3);
  ASSERT_TRUE(recorder.wait_for("c 3"));
  EXPECT_EQ(recorder.texts(), (Texts{"ready", "c 1", "resync slow_consumer", "c 3"}));
}

}  // namespace
}  // namespace ustream::stream::testing
