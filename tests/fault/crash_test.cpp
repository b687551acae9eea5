// kill -9 at random points, of the watch and of the writer: nothing committed is lost, nothing else
// is told, and what comes twice comes with the same cursor.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "ustream/position.hpp"

#include "ledger.hpp"
#include "sandbox.hpp"

namespace ustream::fault {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::stoull(text);
}

class Crash : public ::testing::Test {
 protected:
  const std::uint64_t rounds_ = number_from_environment("USTREAM_FAULT_ROUNDS", 5);
  const std::uint64_t seed_ = number_from_environment("USTREAM_FAULT_SEED", std::random_device{}());
  std::mt19937_64 random_{seed_};
  Sandbox sandbox_;
  const std::string output_ = sandbox_.file("changes.jsonl");
  const std::string journal_ = sandbox_.file("journal");
  const std::string offset_ = sandbox_.file("offset");
  std::vector<std::size_t> torn_;

  [[nodiscard]] std::unique_ptr<Child> start_watch() {
    Printed::mend(output_, torn_);
    return std::make_unique<Child>(
        std::vector<std::string>{"watch", sandbox_.url(), "orders", "--resume", offset_, "--format",
                                 "json"},
        output_);
  }
  [[nodiscard]] std::unique_ptr<Child> start_writer() {
    return std::make_unique<Child>(
        [this, seed = random_()] { write_orders(sandbox_.database(), journal_, seed); });
  }
  [[nodiscard]] static std::uintmax_t size(const std::string& file) {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(file, none);
    return none ? 0 : bytes;
  }
  /// Lets `child` go on for a while that ends at a random point: either of the clock, or of what it
  /// writes to `file`.
  void let_go_on(Child& child, const std::string& file) {
    if (random_() % 3 != 0) {
      const auto enough = size(file) + 1 + random_() % 30'000;
      ASSERT_TRUE(await([&] { return size(file) >= enough || child.ended(); }));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 20'000));
  }
  static void kill(std::unique_ptr<Child>& child) {
    child->signal(SIGKILL);
    EXPECT_EQ(child->wait(), -SIGKILL) << "it ended by itself";
    child.reset();
  }
  /// So that there is a position to go on from before anything is written.
  void store_first_position() {
    const auto watch = start_watch();
    ASSERT_TRUE(await([&] { return size(output_) > 0 || watch->ended(); }));
    watch->signal(SIGTERM);
    ASSERT_EQ(watch->wait(), 0) << read_file(output_ + ".err");
    ASSERT_TRUE(std::filesystem::exists(offset_));
  }
  /// A watch that is left alone until it has told a last change.
  void finish() {
    Sqlite(sandbox_.database()).run("INSERT INTO orders VALUES (1000, 1)");
    const auto watch = start_watch();
    const auto told = [&] {
      return read_file(output_).find("\"key\":\"1000\"") != std::string::npos;
    };
    ASSERT_TRUE(await([&] { return told() || watch->ended(); }));
    ASSERT_TRUE(told()) << read_file(output_ + ".err");
    watch->signal(SIGTERM);
    ASSERT_EQ(watch->wait(), 0) << read_file(output_ + ".err");
  }
};

/// The rows that a history leaves behind.
std::map<std::string, std::string> state_of(const History& history) {
  std::map<std::string, std::string> rows;
  for (const auto& [key, versions] : history) {
    if (versions.back()[0] != 'd') {
      rows[key] = versions.back().substr(2);
    }
  }
  return rows;
}

TEST_F(Crash, NothingIsLostAndNothingElseIsTold) {
  std::cout << "USTREAM_FAULT_SEED=" << seed_ << " USTREAM_FAULT_ROUNDS=" << rounds_ << std::endl;
  create_tables(sandbox_.database());
  ASSERT_NO_FATAL_FAILURE(store_first_position());

  std::unique_ptr<Child> watch = start_watch();
  std::unique_ptr<Child> writer = start_writer();
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    const std::uint64_t victims = 1 + random_() % 3;
    ASSERT_NO_FATAL_FAILURE(let_go_on(*watch, output_)) << read_file(output_ + ".err");
    if ((victims & 1U) != 0) {
      ASSERT_NO_FATAL_FAILURE(kill(watch)) << read_file(output_ + ".err");
    }
    if ((victims & 2U) != 0) {
      ASSERT_NO_FATAL_FAILURE(let_go_on(*writer, journal_));
      ASSERT_NO_FATAL_FAILURE(kill(writer));
      writer = start_writer();
    }
    if (!watch) {
      watch = start_watch();
    }
  }
  ASSERT_NO_FATAL_FAILURE(let_go_on(*writer, journal_));
  kill(writer);
  kill(watch);
  ASSERT_NO_FATAL_FAILURE(finish());

  const Printed printed(read_file(output_), torn_);
  for (const std::string& complaint : printed.complaints()) {
    ADD_FAILURE() << complaint;
  }
  History expected = committed_history(sandbox_.database(), journal_);
  expected["1000"] = {"c 1"};
  std::cout << printed.changes() << " changes, " << printed.repeats() << " repeats, "
            << torn_.size() << " torn lines" << std::endl;
  EXPECT_GT(printed.changes(), rounds_);
  for (const auto& [key, versions] : expected) {
    const auto found = printed.history().find(key);
    ASSERT_NE(found, printed.history().end()) << "no change of " << key << " was told";
    EXPECT_EQ(found->second, versions) << "the history of " << key;
  }
  EXPECT_EQ(printed.history().size(), expected.size());
  std::map<std::string, std::string> table;
  for (const auto& row : Sqlite(sandbox_.database()).rows("SELECT id, tag FROM orders")) {
    table[row[0]] = row[1];
  }
  EXPECT_EQ(state_of(printed.history()), table);
}

// The judge itself: a loss, a doubled change, a wrong order and a torn line are seen.
TEST(Ledger, SeesWhatIsWrong) {
  const auto origin = std::make_shared<const PositionOrigin>(PositionOrigin{"sqlite", "e"});
  const auto change = [&](char place, const char* tag) {
    return R"({"op":"c","key":"1","after":{"id":1,"tag":)" + std::string(tag) + R"(},"cursor":")" +
           Position(origin, std::string(1, place)).cursor() + "\"}\n";
  };
  EXPECT_TRUE(Printed(change('a', "5") + change('b', "6"), {}).complaints().empty());
  const std::string ready = "{\"ready\":{}}\n";
  const Printed repeated(change('a', "5") + ready + change('a', "5") + change('b', "6"), {});
  EXPECT_TRUE(repeated.complaints().empty());
  EXPECT_EQ(repeated.repeats(), 1U);
  EXPECT_EQ(repeated.history().at("1"), (std::vector<std::string>{"c 5", "c 6"}));
  EXPECT_EQ(Printed(change('a', "5") + change('b', "5"), {}).complaints().size(), 1U);
  EXPECT_EQ(Printed(change('a', "5") + ready + change('a', "6"), {}).complaints().size(), 1U);
  EXPECT_EQ(Printed(change('b', "5") + change('a', "6"), {}).complaints().size(), 1U);
  EXPECT_EQ(Printed("{\"op\":\"c\n", {}).complaints().size(), 1U);
  EXPECT_TRUE(Printed("{\"op\":\"c\n", {0}).complaints().empty());
  EXPECT_EQ(Printed("{\"op\"", {}).complaints().size(), 1U);
}

}  // namespace
}  // namespace ustream::fault
