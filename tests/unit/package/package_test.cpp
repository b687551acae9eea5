#include "ustream/package.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "scripted_source.hpp"

namespace ustream {
namespace {

using test::ScriptedSource;

/// A connector of the scripted source with a small Crud that counts nudges.
class Connector final : public BaseConnector, public Crud, public Transactor {
 public:
  struct Log {
    std::atomic<int> opened{0};
    std::atomic<int> closed{0};
    std::atomic<bool> answers{true};
  };
  Connector(ScriptedSource* source, Log* log) : source_(source), log_(log) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "test"; }
  void open() override { ++log_->opened; }
  void close() noexcept override { ++log_->closed; }
  void ping() override {
    if (!log_->answers) {
      throw ConnectionError("no answer");
    }
  }
  [[nodiscard]] std::vector<DoctorCheck> doctor() override { return {}; }
  std::vector<std::string> uninstall() override { return {}; }
  [[nodiscard]] Crud* crud() noexcept override { return this; }
  [[nodiscard]] Transactor* transactor() noexcept override { return this; }
  [[nodiscard]] Snapshotter* snapshotter() noexcept override { return source_; }
  [[nodiscard]] ChangeSource* change_source() noexcept override { return source_; }

  [[nodiscard]] std::optional<Document> read(std::string_view, std::string_view key) override {
    return Document(Value::Object{{"id", key}});
  }
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode) override {
    return {std::string(key), true,
            source_->put(std::string(collection), std::stoll(std::string(key)), data)};
  }
  DeleteResult remove(std::string_view collection, std::string_view key) override {
    return {std::string(key), true,
            source_->erase(std::string(collection), std::stoll(std::string(key)))};
  }
  [[nodiscard]] BulkReport bulk(const std::vector<BulkOperation>& operations) override {
    return {operations.size(), {}, source_->current()};
  }
  [[nodiscard]] SchemaPtr schema(std::string_view) override { return nullptr; }
  [[nodiscard]] std::vector<std::string> collections() override { return {}; }
  Position transaction(const std::function<void(Transaction&)>&) override {
    return source_->current();
  }

 private:
  ScriptedSource* source_;
  Log* log_;
};

class PackageTest : public testing::Test {
 protected:
  PackageTest() : package_(registry()) {}

  ConnectorRegistry registry() {
    ConnectorRegistry result;
    result.add("test", [this](const SourceConfig&) {
      return std::make_unique<Connector>(&source_, &log_);
    });
    return result;
  }
  static SourceConfig config() {
    SourceConfig result;
    result.scheme = "test";
    return result;
  }
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(what);
    changed_.notify_all();
  }
  bool await_notes(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return notes_.size() >= count; });
  }
  std::vector<std::string> notes() {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  ChangeCallback noting() {
    return [this](const Document&, const ChangeMeta& meta) {
      note(std::string(to_string(meta.change_type)) + ' ' + meta.key);
    };
  }

  ScriptedSource source_{{"orders", "notes"}};
  Connector::Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
  RealtimeStreamPackage package_;  // last: it goes first
};

TEST_F(PackageTest, EveryCallBeforeInitSaysSo) {
  const auto says_so = [](const auto& call) {
    try {
      call();
      ADD_FAILURE() << "no exception";
    } catch (const ValidationError& error) {
      EXPECT_NE(std::string(error.what()).find("init()"), std::string::npos);
    }
  };
  says_so([&] { package_.start(); });
  says_so([&] { (void)package_.read("orders", "1"); });
  says_so([&] { package_.write("orders", "1", {}); });
  says_so([&] { package_.remove("orders", "1"); });
  says_so([&] { (void)package_.query("orders"); });
  says_so([&] { (void)package_.count("orders"); });
  says_so([&] { (void)package_.aggregate("orders", {}); });
  says_so([&] { (void)package_.bulk_write({}); });
  says_so([&] { package_.transaction([](Transaction&) {}); });
  says_so([&] { (void)package_.on("orders", noting()); });
  says_so([&] { (void)package_.on_batch("orders", [](const auto&) {}); });
  says_so([&] { (void)package_.subscribe({"orders"}, {}, [](auto) {}); });
  says_so([&] { package_.off("orders"); });
  says_so([&] { (void)package_.connector(); });
  EXPECT_FALSE(package_.is_connected());
  EXPECT_EQ(package_.stats().state, StreamState::stopped);
  package_.stop();
  package_.destroy();
}

TEST_F(PackageTest, TellsCreatesUpdatesAndDeletes) {
  package_.init(config());
  const auto orders = package_.on("orders", noting());
  package_.start();
  EXPECT_TRUE(package_.is_connected());
  source_.put("orders", 1);
  source_.put("orders", 1);
  source_.put("notes", 5);
  source_.erase("orders", 1);
  ASSERT_TRUE(await_notes(3));
  EXPECT_EQ(notes(), (std::vector<std::string>{"created 1", "updated 1", "deleted 1"}));
}

TEST_F(PackageTest, OffEndsEverySubscriptionOfTheCollection) {
  package_.init(config());
  const auto orders = package_.on("orders", noting());
  const auto notes_of = package_.on("notes", noting());
  package_.start();
  package_.off("orders");
  EXPECT_FALSE(orders.active());
  source_.put("orders", 1);
  source_.put("notes", 2);
  ASSERT_TRUE(await_notes(1));
  EXPECT_EQ(notes(), (std::vector<std::string>{"created 2"}));
}

TEST_F(PackageTest, BatchesComeTogether) {
  package_.init(config());
  const auto orders = package_.on_batch(
      "orders", [this](const std::vector<BatchItem>& items) { note(std::to_string(items.size())); },
      {.batch_size = 3, .batch_timeout = std::chrono::hours(1), .listen = {}});
  package_.start();
  for (int i = 0; i < 6; ++i) {
    source_.put("orders", i);
  }
  ASSERT_TRUE(await_notes(2));
  EXPECT_EQ(notes(), (std::vector<std::string>{"3", "3"}));
}

TEST_F(PackageTest, ACallbackThatThrowsIsToldAndCounted) {
  package_.init(config());
  package_.on_event([this](const StreamEvent& event) {
    if (event.type == StreamEvent::Type::error) {
      note(event.collection + ": " + event.message);
    }
  });
  const auto orders = package_.on(
      "orders", [](const Document&, const ChangeMeta&) { throw std::runtime_error("oops"); });
  package_.start();
  source_.put("orders", 1);
  source_.put("orders", 2);
  ASSERT_TRUE(await_notes(2));
  EXPECT_EQ(notes()[0], "orders: a callback threw: oops");
  EXPECT_EQ(package_.stats().callback_errors, 2U);
}

TEST_F(PackageTest, AMissingFacetNamesTheConnector) {
  package_.init(config());
  try {
    (void)package_.query("orders");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(std::string(error.what()).find("'test'"), std::string::npos);
  }
}

TEST_F(PackageTest, CountsDataCalls) {
  package_.init(config());
  (void)package_.read("orders", "1");
  package_.write("orders", "1", {});
  package_.remove("orders", "1");
  BulkOperation put{.collection = "orders", .key = "1", .data = Value::Object{}};
  BulkOperation erase{.collection = "orders", .key = "1", .data = {}};
  (void)package_.bulk_write({put, erase});
  const PackageStats stats = package_.stats();
  EXPECT_EQ(stats.reads, 1U);
  EXPECT_EQ(stats.writes, 2U);
  EXPECT_EQ(stats.deletes, 2U);
}

TEST_F(PackageTest, ACallbackMayMakeDataCalls) {
  package_.init(config());
  const auto orders = package_.on("orders", [this](const Document&, const ChangeMeta& meta) {
    if (meta.key == "1") {
      package_.write("orders", "2", {});
    }
    note(package_.read("orders", meta.key)->to_json());
  });
  package_.start();
  package_.write("orders", "1", {});
  EXPECT_TRUE(await_notes(2));
}

TEST_F(PackageTest, StoppedChangesComeAfterTheNextStart) {
  package_.init(config());
  const auto orders = package_.on("orders", noting());
  package_.start();
  source_.put("orders", 1);
  ASSERT_TRUE(await_notes(1));
  package_.stop();
  EXPECT_EQ(package_.stats().state, StreamState::stopped);
  source_.put("orders", 2);
  package_.start();
  ASSERT_TRUE(await_notes(2));
  EXPECT_EQ(notes().back(), "created 2");
}

TEST_F(PackageTest, InitMayFollowDestroyAndNotInit) {
  package_.init(config());
  EXPECT_THROW(package_.init(config()), ValidationError);
  package_.destroy();
  EXPECT_EQ(log_.closed, 1);
  EXPECT_FALSE(package_.is_connected());
  package_.init(config());
  package_.destroy();
  EXPECT_EQ(log_.opened, 2);
  EXPECT_EQ(log_.closed, 2);
}

TEST_F(PackageTest, DestroyWaitsForCallsThatAreUnderWay) {
  package_.init(config());
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  std::thread reader([&] {
    while (!stop) {
      try {
        (void)package_.read("orders", "1");
        ++calls;
      } catch (const ValidationError&) {
        stop = true;
      }
    }
  });
  while (calls < 100) {
    std::this_thread::yield();
  }
  package_.destroy();
  reader.join();
  EXPECT_EQ(log_.closed, 1);
}

TEST_F(PackageTest, AnUnknownSchemeNamesTheKnownOnes) {
  try {
    package_.init("oracle://host/db");
    FAIL();
  } catch (const ValidationError& error) {
    EXPECT_NE(std::string(error.what()).find("test"), std::string::npos);
  }
}

TEST_F(PackageTest, ASourceThatStopsAnsweringIsNotConnected) {
  package_.on_event([this](const StreamEvent& event) {
    if (event.type == StreamEvent::Type::connection_lost) {
      note("lost");
    }
  });
  PackageOptions options;
  options.heartbeat_interval = std::chrono::milliseconds(1);
  package_.init(config(), options);
  log_.answers = false;
  package_.start();
  ASSERT_TRUE(await_notes(1));
  EXPECT_FALSE(package_.is_connected());
}

TEST_F(PackageTest, LostHistoryFailsTheStreamWhenAskedTo) {
  PackageOptions options;
  options.on_history_lost = HistoryLostPolicy::fail;
  package_.init(config(), options);
  const Position old = source_.current();
  source_.new_epoch();
  ListenOptions listen;
  listen.since = old;
  try {
    (void)package_.on("orders", noting(), listen);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::history_lost);
  }
}

}  // namespace
}  // namespace ustream
