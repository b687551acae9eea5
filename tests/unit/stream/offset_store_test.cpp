#include "stream/offset_store.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness.hpp"

namespace ustream::stream::testing {
namespace {

using Type = StreamEvent::Type;

class OffsetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ustream-offset-XXXXXX");
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ / "offset";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }
  [[nodiscard]] EngineOptions with_file() const {
    EngineOptions options = quick();
    options.offset_file = file_;
    return options;
  }
  static SubscriptionOptions durable() {
    SubscriptionOptions options;
    options.durable = true;
    return options;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

TEST_F(OffsetTest, ReadsBackWhatItStored) {
  ScriptedSource source({"a"});
  const Position position = source.put("a", 1);
  const OffsetStore store(file_);
  EXPECT_FALSE(store.load().has_value());
  store.store(position);
  EXPECT_EQ(store.load(), position);
  EXPECT_EQ(parse_offset(format_offset(position)), position);
}

TEST_F(OffsetTest, ADamagedFileIsAnErrorThatSaysWhatToDo) {
  ScriptedSource source({"a"});
  const std::string good = format_offset(source.put("a", 1));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_THROW((void)parse_offset(bad), ValidationError) << i;
    EXPECT_THROW((void)parse_offset(good.substr(0, i)), ValidationError) << i;
  }
  EXPECT_THROW((void)parse_offset(good + "\n"), ValidationError);
  write(good.substr(0, good.size() / 2));
  try {
    (void)OffsetStore(file_).load();
    FAIL();
  } catch (const ValidationError& error) {
    EXPECT_NE(std::string(error.what()).find("restore it from a backup"), std::string::npos);
  }
  Harness h;
  EXPECT_THROW(h.make(with_file()), ValidationError);
}

TEST_F(OffsetTest, IsStoredOnlyAfterTheCallbackHasProcessed) {
  Harness h;
  h.start(with_file());
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, durable());
  ASSERT_TRUE(recorder.wait_for("ready"));
  recorder.block();
  const Position before = h.source.current();
  const Position after = h.source.put("a", 1);
  ASSERT_TRUE(recorder.wait_inside());
  EXPECT_NE(OffsetStore(file_).load().value_or(before), after);
  recorder.unblock();
  h.engine->stop();
  EXPECT_EQ(OffsetStore(file_).load(), after);
}

TEST_F(OffsetTest, WaitsForTheSlowestDurableSubscription) {
  Harness h;
  h.start(with_file());
  Recorder fast;
  Recorder slow;
  const Subscription one = h.subscribe(fast, durable());
  Subscription two = h.subscribe(slow, durable());
  ASSERT_TRUE(slow.wait_for("ready"));
  slow.block();
  const Position held = h.source.put("a", 1);
  ASSERT_TRUE(slow.wait_inside());
  h.source.put("a", 2);
  const Position last = h.source.put("a", 3);
  ASSERT_TRUE(fast.wait_for("c 3"));
  const auto stored = OffsetStore(file_).load();
  EXPECT_TRUE(!stored || stored->compare(held) < 0);
  slow.unblock();
  two.unsubscribe();  // and one that has ended holds nothing back
  h.engine->stop();
  EXPECT_EQ(OffsetStore(file_).load(), last);
}

TEST_F(OffsetTest, MovesOverChangesThatAreFilteredOut) {
  Harness h;
  h.start(with_file());
  Recorder recorder;
  SubscriptionOptions options = durable();
  options.filter = Filter::parse(std::string_view(R"({"v":1})"));
  const Subscription subscription = h.subscribe(recorder, options);
  Recorder witness;
  const Subscription other = h.engine->subscribe({"b"}, {}, witness.callback());
  h.source.put("a", 1, fields(0));
  const Position last = h.source.put("b", 1);
  ASSERT_TRUE(witness.wait_for("c 1"));
  h.engine->stop();
  EXPECT_EQ(recorder.texts(), (Texts{"ready"}));
  EXPECT_EQ(OffsetStore(file_).load(), last);
}

TEST_F(OffsetTest, StandsOnTransactionBoundariesOnly) {
  Harness h({.before_images = true, .batch = 2});
  h.start(with_file());
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, durable());
  const Position start = h.source.put("a", 0);
  ASSERT_TRUE(recorder.wait_for("c 0"));
  h.source.refuse(ConnectionError("down"), 1000);
  h.source.fail_after(2, ConnectionError("cut"));  // in the middle of the next transaction
  std::vector<test::ScriptedWrite> writes;
  for (int i = 1; i <= 6; ++i) {
    writes.push_back({"a", i, Value::Object{}});
  }
  h.source.commit(writes);
  ASSERT_TRUE(recorder.wait_for("c 4"));
  h.engine->stop();
  EXPECT_EQ(OffsetStore(file_).load(), start);
}

TEST_F(OffsetTest, ANewEngineGoesOnFromIt) {
  Harness h;
  {
    h.start(with_file());
    Recorder recorder;
    const Subscription subscription = h.subscribe(recorder, durable());
    h.source.put("a", 1);
    ASSERT_TRUE(recorder.wait_for("c 1"));
    h.engine->stop();
  }
  h.source.put("a", 2);
  for (const bool early : {true, false}) {
    h.make(with_file());
    Recorder recorder;
    Recorder fresh;
    Subscription other;
    if (!early) {
      h.engine->start();
    }
    SubscriptionOptions options = durable();
    options.snapshot = true;  // only ever made when there is no offset yet
    const Subscription subscription = h.subscribe(recorder, options);
    other = h.subscribe(fresh);
    if (early) {
      h.engine->start();
    }
    h.source.put("a", early ? 3 : 4);
    ASSERT_TRUE(recorder.wait_for(early ? "c 3" : "c 4"));
    ASSERT_TRUE(fresh.wait_for(early ? "c 3" : "c 4"));
    EXPECT_EQ(recorder.texts(), early ? (Texts{"ready", "c 2", "c 3"}) : (Texts{"ready", "c 4"}));
    EXPECT_EQ(fresh.texts(), early ? (Texts{"ready", "c 3"}) : (Texts{"ready", "c 4"}));
    h.engine->stop();
  }
}

TEST_F(OffsetTest, OfALostHistoryFailsOrResyncs) {
  Harness h;
  const OffsetStore store(file_);
  store.store(h.source.put("a", 1));
  h.source.new_epoch();
  EngineOptions options = with_file();
  options.path.on_history_lost = OnHistoryLost::fail;
  h.make(options);
  try {
    h.engine->start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::history_lost);
  }
  h.make(with_file());
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, durable());
  h.engine->start();
  ASSERT_TRUE(recorder.wait_for("ready"));
  h.source.put("a", 2);
  ASSERT_TRUE(recorder.wait_for("c 2"));
  EXPECT_EQ(recorder.count("resync history_lost"), 1U);
  h.engine->stop();
  EXPECT_EQ(store.load()->origin().epoch, "2");
}

TEST_F(OffsetTest, ADiskThatFailsIsToldAndTheStreamGoesOn) {
  Harness h;
  EngineOptions options = with_file();
  options.offset_file = folder_ / "missing" / "offset";
  h.start(options);
  Recorder recorder;
  const Subscription subscription = h.subscribe(recorder, durable());
  ASSERT_TRUE(h.events.wait_for(Type::error));
  h.source.put("a", 1);
  EXPECT_TRUE(recorder.wait_for("c 1"));
}

TEST_F(OffsetTest, SnapshotRowsAreNotProgress) {
  Harness h({.before_images = true, .batch = 1});
  for (int i = 0; i < 10; ++i) {
    h.source.put("a", i);
  }
  EngineOptions engine = with_file();
  engine.drain_timeout = milliseconds(1);
  h.start(engine);
  Recorder recorder;
  SubscriptionOptions options = durable();
  options.snapshot = true;
  options.queue_capacity = 1;
  recorder.block();
  Subscription subscription = h.subscribe(recorder, options);
  ASSERT_TRUE(recorder.wait_inside());
  std::thread stopping([&] { h.engine->stop(); });
  recorder.unblock();
  stopping.join();
  if (recorder.count("ready") == 0) {
    EXPECT_FALSE(OffsetStore(file_).load().has_value());
  }
}

}  // namespace
}  // namespace ustream::stream::testing
