// watch --resume: nothing is lost, whatever ends the program.
#include <csignal>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "process.hpp"
#include "shop.hpp"

namespace ustream::e2e {
namespace {

/// Keys of the changes among the lines.
std::vector<int> keys(const std::vector<std::string>& lines) {
  std::vector<int> result;
  for (const auto& line : lines) {
    const std::string key = text_at(line, "key");
    if (key != "-") {
      result.push_back(std::stoi(key));
    }
  }
  return result;
}

TEST(Resume, GoesOnWhereItEnded) {
  Shop shop;
  const std::string file = shop.file("offset");
  Process first({"watch", shop.url(), "orders", "--resume", file});
  ASSERT_TRUE(first.await_lines(1)) << first.err();
  shop.insert(1, "a");
  shop.insert(2, "b");
  ASSERT_TRUE(first.await_lines(3)) << first.err();
  first.signal(SIGTERM);
  ASSERT_EQ(first.wait(), 0);
  ASSERT_TRUE(std::filesystem::exists(file));

  shop.insert(3, "c");
  shop.insert(4, "d");
  const Result second = run({"watch", shop.url(), "orders", "--resume", file, "--count", "2"});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(keys(second.lines()), (std::vector<int>{3, 4}));
}

TEST(Resume, ACountEndsInTheMiddleOfATransactionAndGoesOnThere) {
  Shop shop;
  const std::string file = shop.file("offset");
  Process first({"watch", shop.url(), "orders", "--resume", file, "--count", "2"});
  ASSERT_TRUE(first.await_lines(1)) << first.err();
  shop.sql(
      "BEGIN; INSERT INTO orders VALUES (1,'a',1); INSERT INTO orders VALUES (2,'b',1);"
      "INSERT INTO orders VALUES (3,'c',1); INSERT INTO orders VALUES (4,'d',1); COMMIT");
  ASSERT_EQ(first.wait(), 0) << first.err();
  EXPECT_EQ(keys(first.lines()), (std::vector<int>{1, 2}));
  const Result second = run({"watch", shop.url(), "orders", "--resume", file, "--count", "1"});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(keys(second.lines()), (std::vector<int>{3}));
  const Result third = run({"watch", shop.url(), "orders", "--resume", file, "--count", "1"});
  EXPECT_EQ(keys(third.lines()), (std::vector<int>{4}));
}

TEST(Resume, LosesNothingWhenItIsKilled) {
  Shop shop;
  shop.sql("PRAGMA journal_mode = WAL");
  const std::string file = shop.file("offset");
  std::set<int> seen;
  int next = 1;
  {
    // So that the first round has a position to go on from.
    const Result ready = run({"watch", shop.url(), "orders", "--resume", file, "--for", "200ms"});
    ASSERT_EQ(ready.code, 0) << ready.err;
    ASSERT_TRUE(std::filesystem::exists(file));
  }
  for (int round = 0; round < 5; ++round) {
    Process watch({"watch", shop.url(), "orders", "--resume", file});
    for (int i = 0; i < 50; ++i) {
      shop.insert(next++, "x");
    }
    ASSERT_TRUE(watch.await_lines(static_cast<std::size_t>(10 * round + 2))) << watch.err();
    watch.signal(SIGKILL);
    ASSERT_EQ(watch.wait(), -SIGKILL);
    for (const int key : keys(watch.lines())) {
      seen.insert(key);
    }
  }
  Process last({"watch", shop.url(), "orders", "--resume", file});
  EXPECT_TRUE(last.await([&](const Process& process) {
    const auto found = keys(process.lines());
    return !found.empty() && found.back() == next - 1;
  })) << last.out()
      << last.err();
  for (const int key : keys(last.lines())) {
    seen.insert(key);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(next - 1));
}

TEST(Resume, TakesItsSnapshotOnlyOnce) {
  Shop shop;
  shop.insert(1, "a");
  const std::string file = shop.file("offset");
  const std::vector<std::string> command{"watch",      shop.url(), "orders",
                                         "--snapshot", "--resume", file};
  Process first(command);
  ASSERT_TRUE(first.await_lines(2)) << first.err();
  first.signal(SIGTERM);
  ASSERT_EQ(first.wait(), 0);
  shop.insert(2, "b");
  Process second(command);
  ASSERT_TRUE(second.await_lines(2)) << second.err();
  EXPECT_NE(at(second.lines()[0], "ready.cursor"), "-");
  EXPECT_EQ(keys(second.lines()), (std::vector<int>{2}));
}

TEST(Resume, ASnapshotThatWasBrokenOffIsTakenAgain) {
  Shop shop;
  shop.insert(1, "a");
  shop.insert(2, "b");
  const std::string file = shop.file("offset");
  const Result first =
      run({"watch", shop.url(), "orders", "--snapshot", "--resume", file, "--count", "1"});
  ASSERT_EQ(first.code, 0) << first.err;
  const Result second =
      run({"watch", shop.url(), "orders", "--snapshot", "--resume", file, "--count", "2"});
  EXPECT_EQ(keys(second.lines()), (std::vector<int>{1, 2}));
}

TEST(Resume, ACursorOfAnotherDatabaseIsFive) {
  Shop one;
  Shop other;
  const std::string file = one.file("offset");
  ASSERT_EQ(run({"watch", one.url(), "orders", "--resume", file, "--for", "200ms"}).code, 0);
  ASSERT_TRUE(std::filesystem::exists(file));
  const Result result = run({"watch", other.url(), "orders", "--resume", file, "--for", "20s"});
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_NE(result.err.find("--snapshot"), std::string::npos) << result.err;
  EXPECT_EQ(keys(result.lines()).size(), 0U);
}

TEST(Resume, AHistoryThatWasTrimmedIsFive) {
  Shop shop;
  const std::string file = shop.file("offset");
  ASSERT_EQ(run({"watch", shop.url(), "orders", "--resume", file, "--for", "200ms"}).code, 0);
  for (int i = 1; i <= 100; ++i) {
    shop.insert(i, "x");
  }
  Process trimming({"watch", shop.url() + "?log_max_rows=1", "orders"});
  ASSERT_TRUE(trimming.await_lines(1)) << trimming.err();
  EXPECT_TRUE(trimming.await([&](const Process&) {
    return std::stoi(shop.value("SELECT count(*) FROM _ustream_log")) < 100;
  }));
  const Result result = run({"watch", shop.url(), "orders", "--resume", file, "--for", "20s"});
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_NE(result.err.find("--snapshot"), std::string::npos) << result.err;
  EXPECT_EQ(keys(result.lines()).size(), 0U);
}

TEST(Resume, ASinceOfAnotherDatabaseIsFive) {
  Shop one;
  Shop other;
  Process watch({"watch", one.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  const std::string cursor = text_at(watch.lines()[0], "ready.cursor");
  const Result result = run({"watch", other.url(), "orders", "--since", cursor, "--for", "20s"});
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_NE(result.err.find("--snapshot"), std::string::npos) << result.err;
}

TEST(Resume, ADamagedFileIsAnError) {
  const Shop shop;
  const std::string file = shop.file("offset");
  std::ofstream(file) << "nonsense";
  const Result result = run({"watch", shop.url(), "orders", "--resume", file, "--for", "20s"});
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_NE(result.err.find(file), std::string::npos) << result.err;
}

TEST(Resume, AFolderThatIsNotThereIsAnError) {
  const Shop shop;
  Process watch(
      {"watch", shop.url(), "orders", "--resume", shop.file("no/folder/offset"), "--for", "20s"});
  EXPECT_EQ(watch.wait(), 2);
  EXPECT_NE(watch.err().find("no/folder/offset"), std::string::npos) << watch.err();
}

TEST(Resume, WhatTheReaderNeverTookIsPrintedAgain) {
  Shop shop;
  const std::string file = shop.file("offset");
  Process first({"watch", shop.url(), "orders", "--resume", file});
  ASSERT_TRUE(first.await_lines(1)) << first.err();
  shop.insert(1, "a");
  ASSERT_TRUE(first.await_lines(2));
  first.close_output();
  ASSERT_EQ(first.wait(), 0);
  shop.insert(2, "b");
  const Result second = run({"watch", shop.url(), "orders", "--resume", file, "--count", "1"});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_FALSE(keys(second.lines()).empty());
}

}  // namespace
}  // namespace ustream::e2e
