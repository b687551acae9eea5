// What others do to a database while ustream works on it: hold its lock, move its file, have its
// log trimmed.
#include <atomic>
#include <memory>
#include <mutex>

#include <gtest/gtest.h>

#include "ustream/package.hpp"

#include "sandbox.hpp"

namespace ustream::fault {
namespace {

constexpr const char* kTable = "CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)";

/// What a subscription and its stream have told so far.
class Told {
 public:
  void attach(RealtimeStreamPackage& package) {
    package.on_event([this](const StreamEvent& event) {
      const std::lock_guard lock(mutex_);
      if (event.type == StreamEvent::Type::failed) {
        failure_ = event.error.value_or(ErrorKind::internal);
      }
    });
    subscription_ = package.subscribe({"orders"}, options_, [this](auto deliveries) {
      const std::lock_guard lock(mutex_);
      for (const Delivery& delivery : deliveries) {
        if (delivery.change != nullptr) {
          keys_ += delivery.change->key_text().value_or("-") + " ";
        } else if (const auto* resync = std::get_if<Resync>(&delivery.notice)) {
          resync_ = resync->reason;
        }
      }
    });
  }
  SubscriptionOptions& options() { return options_; }
  [[nodiscard]] std::string keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  [[nodiscard]] std::optional<ErrorKind> failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }
  [[nodiscard]] std::optional<ResyncReason> resync() const {
    const std::lock_guard lock(mutex_);
    return resync_;
  }

 private:
  mutable std::mutex mutex_;
  SubscriptionOptions options_;
  std::string keys_;
  std::optional<ErrorKind> failure_;
  std::optional<ResyncReason> resync_;
  Subscription subscription_;
};

class SourceFault : public ::testing::Test {
 protected:
  void SetUp() override {
    Sqlite sqlite(sandbox_.database());
    sqlite.run("PRAGMA journal_mode = WAL");
    sqlite.run(kTable);
  }
  [[nodiscard]] SourceConfig config(const std::string& options = {}) const {
    SourceConfig config = SourceConfig::from_url(sandbox_.url() + options);
    config.retry.initial_delay = std::chrono::milliseconds(20);
    config.retry.max_delay = std::chrono::milliseconds(100);
    return config;
  }
  Sandbox sandbox_;
};

TEST_F(SourceFault, AWriteBehindALockIsBusyAndThenSucceeds) {
  RealtimeStreamPackage package;
  package.init(config("?busy_timeout=50ms"));
  Sqlite other(sandbox_.database());
  other.run("BEGIN IMMEDIATE");
  other.run("INSERT INTO orders VALUES (1, 'other')");
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      package.write("orders", "2", {{"status", "mine"}});
      FAIL() << "it wrote through another's lock";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::busy) << error.what();
      EXPECT_TRUE(error.temporary());
      EXPECT_STRNE(error.what(), "");
    }
  }
  EXPECT_FALSE(package.read("orders", "1")) << "it read what is not committed";
  const BulkReport report = package.bulk_write(
      {{"orders", "3", Value::Object{{"status", "bulk"}}}, {"orders", "4", Value::Object{}}});
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[0].kind, ErrorKind::busy);
  EXPECT_TRUE(report.failures[1].temporary);
  other.run("COMMIT");
  package.write("orders", "2", {{"status", "mine"}});
  EXPECT_EQ(package.count("orders"), 2U);
}

TEST_F(SourceFault, AWatchOutlivesALongLock) {
  RealtimeStreamPackage package;
  package.init(config("?busy_timeout=50ms"));
  Told told;
  told.attach(package);
  package.start();
  Sqlite other(sandbox_.database());
  other.run("INSERT INTO orders VALUES (1, 'a')");
  ASSERT_TRUE(await([&] { return told.keys() == "1 "; }));
  other.run("BEGIN IMMEDIATE");
  for (int id = 2; id <= 4; ++id) {
    other.run("INSERT INTO orders VALUES (" + std::to_string(id) + ", 'b')");
    // Each tries for the whole busy timeout, so the lock is held past several of them.
    EXPECT_THROW(package.write("orders", "9", {{"status", "x"}}), Error);
  }
  EXPECT_EQ(told.keys(), "1 ");
  other.run("COMMIT");
  EXPECT_TRUE(await([&] { return told.keys() == "1 2 3 4 "; })) << told.keys();
  EXPECT_EQ(told.failure(), std::nullopt);
  EXPECT_EQ(told.resync(), std::nullopt);
}

TEST_F(SourceFault, AStartBehindALockIsBusyOrSucceedsLater) {
  RealtimeStreamPackage package;
  package.init(config("?busy_timeout=50ms"));
  Told told;
  Sqlite other(sandbox_.database());
  other.run("BEGIN IMMEDIATE");
  const auto busy = [](auto&& call) {
    try {
      call();
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::busy) << error.what();
      EXPECT_TRUE(error.temporary());
      return true;
    }
  };
  const bool attach_again = busy([&] { told.attach(package); });
  const bool start_again = busy([&] { package.start(); });
  other.run("COMMIT");
  if (attach_again) {
    told.attach(package);
  }
  if (start_again) {
    package.start();
  }
  ASSERT_TRUE(await([&] { return package.stats().state == StreamState::streaming; }));
  other.run("INSERT INTO orders VALUES (1, 'a')");
  EXPECT_TRUE(await([&] { return told.keys() == "1 "; })) << told.keys();
}

TEST_F(SourceFault, AFileThatIsReplacedIsToldAndFollowed) {
  RealtimeStreamPackage package;
  package.init(config());
  Told told;
  told.attach(package);
  package.start();
  Sqlite(sandbox_.database()).run("INSERT INTO orders VALUES (1, 'old')");
  ASSERT_TRUE(await([&] { return told.keys() == "1 "; }));

  const std::string fresh = sandbox_.file("fresh.db");
  Sqlite(fresh).run(kTable);
  std::filesystem::rename(fresh, sandbox_.database());
  std::filesystem::remove(sandbox_.database() + "-wal");
  std::filesystem::remove(sandbox_.database() + "-shm");
  ASSERT_TRUE(await([&] { return told.resync() || told.failure(); }))
      << "the stream goes on in silence";
  if (told.failure()) {
    EXPECT_TRUE(*told.failure() == ErrorKind::connection ||
                *told.failure() == ErrorKind::history_lost)
        << to_string(*told.failure());
    return;
  }
  EXPECT_EQ(told.resync(), ResyncReason::history_lost);
  Sqlite(sandbox_.database()).run("INSERT INTO orders VALUES (2, 'new')");
  EXPECT_TRUE(await([&] { return told.keys() == "1 2 "; })) << told.keys();
}

TEST_F(SourceFault, AFileThatIsGoneFailsTheStream) {
  SourceConfig with_few = config();
  with_few.retry.retries = 2;
  RealtimeStreamPackage package;
  package.init(with_few);
  Told told;
  told.attach(package);
  package.start();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(sandbox_.database() + suffix);
  }
  ASSERT_TRUE(await([&] { return told.failure().has_value(); }));
  EXPECT_EQ(*told.failure(), ErrorKind::connection);
}

TEST_F(SourceFault, TheProgramEndsWhenItsFileIsReplaced) {
  const std::string output = sandbox_.file("changes.jsonl");
  Child watch(
      {"watch", sandbox_.url(), "orders", "--resume", sandbox_.file("offset"), "--format", "json"},
      output);
  ASSERT_TRUE(await([&] { return !read_file(output).empty() || watch.ended(); }));
  const std::string fresh = sandbox_.file("fresh.db");
  Sqlite(fresh).run(kTable);
  std::filesystem::rename(fresh, sandbox_.database());
  std::filesystem::remove(sandbox_.database() + "-wal");
  std::filesystem::remove(sandbox_.database() + "-shm");
  EXPECT_EQ(watch.wait(), 5) << read_file(output + ".err");
}

/// A log of which the first part was trimmed away behind a stored position.
class TrimmedLog : public SourceFault {
 protected:
  void SetUp() override {
    SourceFault::SetUp();
    const std::string output = sandbox_.file("first.jsonl");
    Child watch({"watch", sandbox_.url(), "orders", "--resume", offset_, "--format", "json"},
                output);
    ASSERT_TRUE(await([&] { return !read_file(output).empty() || watch.ended(); }));
    watch.signal(SIGTERM);
    ASSERT_EQ(watch.wait(), 0) << read_file(output + ".err");
    Sqlite sqlite(sandbox_.database());
    sqlite.run(
        "WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 300) "
        "INSERT INTO orders SELECT id, 'x' FROM ids");
    RealtimeStreamPackage trimming;
    trimming.init(config("?log_max_rows=10"));
    Told told;
    told.attach(trimming);
    trimming.start();
    ASSERT_TRUE(await([&] { return sqlite.number("SELECT count(*) FROM _ustream_log") <= 11; }));
  }
  const std::string offset_ = sandbox_.file("offset");
};

TEST_F(TrimmedLog, TheProgramSaysThatHistoryIsLost) {
  const std::string output = sandbox_.file("second.jsonl");
  Child watch({"watch", sandbox_.url(), "orders", "--resume", offset_, "--format", "json"}, output);
  EXPECT_EQ(watch.wait(), 5);
  EXPECT_NE(read_file(output + ".err").find("--snapshot"), std::string::npos)
      << read_file(output + ".err");
  EXPECT_EQ(read_file(output).find("\"op\""), std::string::npos);
}

TEST_F(TrimmedLog, TheLibraryTellsAResyncAndGoesOn) {
  PackageOptions options;
  options.offset_file = offset_;
  RealtimeStreamPackage package;
  package.init(config(), options);
  Told told;
  told.options().durable = true;
  told.attach(package);
  package.start();
  ASSERT_TRUE(await([&] { return told.resync().has_value(); }));
  EXPECT_EQ(told.resync(), ResyncReason::history_lost);
  EXPECT_EQ(told.keys(), "");
  Sqlite(sandbox_.database()).run("INSERT INTO orders VALUES (1000, 'x')");
  EXPECT_TRUE(await([&] { return told.keys() == "1000 "; })) << told.keys();
}

}  // namespace
}  // namespace ustream::fault
