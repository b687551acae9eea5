// watch: changes that another program commits, as they are printed.
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "ustream/position.hpp"

#include "process.hpp"
#include "shop.hpp"

namespace ustream::e2e {
namespace {

TEST(Watch, PrintsReadyAndThenEachChange) {
  Shop shop;
  shop.insert(1, "old");
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  EXPECT_TRUE(Position::parse(text_at(watch.lines()[0], "ready.cursor")).has_value());

  shop.insert(42, "placed");
  shop.sql("UPDATE orders SET status = 'paid' WHERE id = 42");
  shop.sql("DELETE FROM orders WHERE id = 42");
  ASSERT_TRUE(watch.await_lines(4)) << watch.err();
  const auto lines = watch.lines();
  EXPECT_EQ(at(lines[1], "op"), "\"c\"");
  EXPECT_EQ(at(lines[2], "op"), "\"u\"");
  EXPECT_EQ(at(lines[3], "op"), "\"d\"");
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(at(lines[i], "collection"), "\"orders\"");
    EXPECT_EQ(at(lines[i], "key"), "\"42\"");
    EXPECT_EQ(at(lines[i], "source.db"), "\"sqlite\"");
    EXPECT_TRUE(Position::parse(text_at(lines[i], "cursor")).has_value());
  }
  EXPECT_EQ(at(lines[1], "after"), R"({"id":42,"status":"placed","total":1.5})");
  EXPECT_EQ(at(lines[1], "before"), "-");
  EXPECT_EQ(at(lines[2], "after.status"), "\"paid\"");
  EXPECT_EQ(at(lines[2], "before.status"), "\"placed\"");
  EXPECT_EQ(at(lines[3], "before.status"), "\"paid\"");
  EXPECT_EQ(at(lines[3], "after"), "-");

  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), 0);
  EXPECT_EQ(watch.err(), "");
}

TEST(Watch, EndsAfterACountAndAfterATime) {
  Shop shop;
  Process count({"watch", shop.url(), "orders", "--count", "2"});
  ASSERT_TRUE(count.await_lines(1)) << count.err();
  for (int i = 1; i <= 5; ++i) {
    shop.insert(i, "x");
  }
  EXPECT_EQ(count.wait(), 0);
  EXPECT_EQ(count.lines().size(), 3U);

  const Result timed = run({"watch", shop.url(), "orders", "--for", "50ms"});
  EXPECT_EQ(timed.code, 0) << timed.err;
}

TEST(Watch, InterruptsCleanly) {
  const Shop shop;
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  watch.signal(SIGINT);
  EXPECT_EQ(watch.wait(), 0);
}

TEST(Watch, ARowThatEntersOrLeavesTheFilterIsToldAsCreateOrDelete) {
  Shop shop;
  shop.insert(1, "placed");
  Process watch({"watch", shop.url(), "orders", "--filter", R"({"status":"paid"})"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.insert(2, "placed");
  shop.sql("UPDATE orders SET status = 'paid' WHERE id = 1");
  shop.sql("UPDATE orders SET total = 9 WHERE id = 1");
  shop.sql("UPDATE orders SET status = 'shipped' WHERE id = 1");
  shop.insert(3, "paid");
  ASSERT_TRUE(watch.await_lines(5)) << watch.out();
  const auto lines = watch.lines();
  EXPECT_EQ(at(lines[1], "op") + at(lines[1], "key"), R"("c""1")");
  EXPECT_EQ(at(lines[2], "op") + at(lines[2], "key"), R"("u""1")");
  EXPECT_EQ(at(lines[3], "op") + at(lines[3], "key"), R"("d""1")");
  EXPECT_EQ(at(lines[4], "op") + at(lines[4], "key"), R"("c""3")");
}

TEST(Watch, ShowsOnlyTheFieldsAskedFor) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--fields", "status"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.insert(1, "x");
  ASSERT_TRUE(watch.await_lines(2));
  EXPECT_EQ(at(watch.lines()[1], "after"), R"({"status":"x"})");
  EXPECT_EQ(at(watch.lines()[1], "key"), "\"1\"");
}

TEST(Watch, WatchesSeveralCollections) {
  Shop shop;
  shop.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  shop.sql("INSERT INTO notes VALUES (1, 'a')");
  shop.insert(1, "x");
  Process watch({"watch", shop.url(), "orders", "notes", "--snapshot"});
  ASSERT_TRUE(watch.await_lines(3)) << watch.err();
  shop.sql("INSERT INTO notes VALUES (2, 'b')");
  shop.insert(2, "y");
  ASSERT_TRUE(watch.await_lines(5));
  const auto lines = watch.lines();
  EXPECT_EQ(at(lines[0], "op") + at(lines[0], "collection"), R"("r""orders")");
  EXPECT_EQ(at(lines[1], "op") + at(lines[1], "collection"), R"("r""notes")");
  EXPECT_NE(at(lines[2], "ready.cursor"), "-");
  EXPECT_EQ(at(lines[3], "collection"), "\"notes\"");
  EXPECT_EQ(at(lines[4], "collection"), "\"orders\"");
}

TEST(Watch, ASnapshotUnderConcurrentWritesHasNoGapAndNoOverlap) {
  Shop shop;
  constexpr int kBefore = 2000;
  constexpr int kAll = 4000;
  shop.sql("PRAGMA journal_mode = WAL");
  shop.sql("BEGIN");
  for (int i = 1; i <= kBefore; ++i) {
    shop.insert(i, "x");
  }
  shop.sql("COMMIT");
  // Capture is there already: this is about reading beside a writer, not about its lock.
  ASSERT_EQ(run({"watch", shop.url(), "orders", "--for", "1ms"}).code, 0);
  Process watch({"watch", shop.url(), "orders", "--snapshot"});
  std::thread writer([&] {
    for (int i = kBefore + 1; i <= kAll; ++i) {
      shop.insert(i, "x");
    }
  });
  EXPECT_TRUE(watch.await_lines(kAll + 1)) << watch.lines().size() << watch.err();
  writer.join();
  std::map<std::string, int> seen;
  bool ready = false;
  for (const auto& line : watch.lines()) {
    if (line.starts_with("{\"ready\"")) {
      EXPECT_FALSE(ready);
      ready = true;
      continue;
    }
    EXPECT_EQ(at(line, "op"), ready ? "\"c\"" : "\"r\"");
    ++seen[at(line, "key")];
  }
  EXPECT_TRUE(ready);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kAll));
  for (const auto& [key, times] : seen) {
    EXPECT_EQ(times, 1) << key;
  }
}

TEST(Watch, ASnapshotAppliesTheFilter) {
  Shop shop;
  shop.insert(1, "a");
  shop.insert(2, "b");
  const Result result = run({"watch", shop.url(), "orders", "--snapshot", "--filter",
                             R"({"status":"b"})", "--count", "1"});
  EXPECT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(result.lines().size(), 1U);
  EXPECT_EQ(at(result.out, "op") + at(result.out, "key"), R"("r""2")");
}

TEST(Watch, GoesOnSinceACursor) {
  Shop shop;
  Process first({"watch", shop.url(), "orders", "--count", "2"});
  ASSERT_TRUE(first.await_lines(1)) << first.err();
  shop.sql(
      "BEGIN; INSERT INTO orders VALUES (1,'a',1); INSERT INTO orders VALUES (2,'b',1);"
      "INSERT INTO orders VALUES (3,'c',1); COMMIT");
  ASSERT_EQ(first.wait(), 0);
  shop.insert(4, "d");
  // From the middle of a transaction.
  const std::string cursor = text_at(first.lines()[1], "cursor");
  const Result result = run({"watch", shop.url(), "orders", "--since", cursor, "--count", "3"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto lines = result.lines();
  ASSERT_EQ(lines.size(), 4U) << result.out;
  EXPECT_NE(at(lines[0], "ready.cursor"), "-");
  EXPECT_EQ(at(lines[1], "key") + at(lines[2], "key") + at(lines[3], "key"), R"("2""3""4")");
}

TEST(Watch, BatchesAreArrays) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--batch", "2", "--batch-ms", "60000"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  for (int i = 1; i <= 4; ++i) {
    shop.insert(i, "x");
  }
  ASSERT_TRUE(watch.await_lines(3)) << watch.out();
  const Value batch = parse_json(watch.lines()[1]);
  ASSERT_EQ(batch.as_array().size(), 2U);
  EXPECT_EQ(to_json(*batch.as_array()[0].find("key")), "\"1\"");
}

TEST(Watch, AnIncompleteBatchComesAfterItsTime) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--batch", "100", "--batch-ms", "20"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.insert(1, "x");
  EXPECT_TRUE(watch.await_lines(2));
}

TEST(Watch, DebounceTellsTheNewestOnly) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--debounce", "300"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.sql(
      "BEGIN; INSERT INTO orders VALUES (1,'a',1); UPDATE orders SET status = 'b';"
      "UPDATE orders SET status = 'c'; COMMIT");
  ASSERT_TRUE(watch.await_lines(2));
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), 0);
  ASSERT_EQ(watch.lines().size(), 2U) << watch.out();
  EXPECT_EQ(at(watch.lines()[1], "after.status"), "\"c\"");
}

TEST(Watch, WhatWaitsIsHandedOverWhenItIsEnded) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--batch", "100", "--batch-ms", "600000"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  // One transaction: when its first hundred are there, the rest has been read, too.
  shop.sql("BEGIN");
  for (int i = 1; i <= 150; ++i) {
    shop.insert(i, "x");
  }
  shop.sql("COMMIT");
  ASSERT_TRUE(watch.await_lines(2));
  EXPECT_EQ(watch.lines().size(), 2U);
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), 0);
  ASSERT_EQ(watch.lines().size(), 3U) << watch.out();
  EXPECT_EQ(parse_json(watch.lines()[2]).as_array().size(), 50U);
}

TEST(Watch, EndsQuietlyWhenItsReaderIsGone) {
  const Shop shop;
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  watch.close_output();
  EXPECT_EQ(watch.wait(), 0);
  EXPECT_EQ(watch.err(), "");
}

TEST(Watch, EndsEvenWhenItsReaderDoesNotRead) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.sql(
      "INSERT INTO orders SELECT value, 'a row that is long enough to fill the pipe', 1 FROM "
      "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < "
      "20000) SELECT value FROM n)");
  ASSERT_TRUE(watch.await_full_pipe());
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait_without_reading(), 0) << watch.err();
}

/// Whether SIGTERM is handled by now, rather than deadly.
bool takes_signals(const Process& process) {
  std::ifstream status("/proc/" + std::to_string(process.pid()) + "/status");
  for (std::string name; status >> name;) {
    if (name == "SigBlk:") {
      std::string mask;
      status >> mask;
      return ((std::stoull(mask, nullptr, 16) >> (SIGTERM - 1U)) & 1U) != 0;
    }
  }
  return false;
}

TEST(Watch, EndsOnASignalWhileTheDatabaseIsLocked) {
  Shop shop;
  shop.sql("BEGIN EXCLUSIVE");
  Process watch({"watch", shop.url() + "?busy_timeout=10m", "orders"});
  ASSERT_TRUE(watch.await(takes_signals));
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), 0) << watch.err();
  shop.sql("ROLLBACK");
}

TEST(Watch, ARowOfTheSnapshotThatCannotBeToldIsAQuarantine) {
  Shop shop;
  shop.insert(1, "a");
  shop.sql("INSERT INTO orders VALUES (2, CAST(x'ff41' AS TEXT), 1)");
  shop.insert(3, "c");
  Process watch({"watch", shop.url(), "orders", "--snapshot"});
  ASSERT_TRUE(watch.await_lines(4)) << watch.err();
  std::multiset<std::string> told;
  for (const auto& line : watch.lines()) {
    told.insert(text_at(line, "key") + at(line, "op") + text_at(line, "quarantine.raw"));
  }
  EXPECT_EQ(told, (std::multiset<std::string>{"1\"r\"-", "3\"r\"-", "--/0E=", "---"}))
      << watch.out();
  EXPECT_NE(at(watch.lines().back(), "ready"), "-");
}

TEST(Watch, ATableAddedToAResumedWatchHasNoHistory) {
  Shop shop;
  shop.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY)");
  const Result first = run({"watch", shop.url(), "orders", "--for", "50ms"});
  shop.sql("INSERT INTO notes VALUES (1)");
  const Result second = run({"watch", shop.url(), "orders", "notes", "--since",
                             text_at(first.out, "ready.cursor"), "--for", "20s"});
  EXPECT_EQ(second.code, 5) << second.out << second.err;
}

TEST(Watch, ARolledBackTransactionIsNoChange) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.sql("BEGIN; INSERT INTO orders VALUES (1,'never',1); ROLLBACK");
  shop.insert(2, "kept");
  ASSERT_TRUE(watch.await_lines(2));
  EXPECT_EQ(at(watch.lines()[1], "key"), "\"2\"");
}

TEST(Watch, PrettyIsForPeople) {
  Shop shop;
  Process watch({"watch", shop.url(), "orders", "--format", "pretty"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  shop.insert(1, "placed");
  shop.sql("UPDATE orders SET status = 'paid'");
  ASSERT_TRUE(watch.await_lines(3));
  EXPECT_NE(watch.lines()[1].find("created  orders 1"), std::string::npos) << watch.out();
  EXPECT_NE(watch.lines()[2].find("status: \"placed\" → \"paid\""), std::string::npos)
      << watch.out();
  EXPECT_EQ(watch.out().find('\033'), std::string::npos);
}

}  // namespace
}  // namespace ustream::e2e
