// A stream of MariaDB through everything that can happen to its connection and its server: each
// committed change comes, in order, and twice at the most with one position.
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/package.hpp"

#include "mariadb_server.hpp"
#include "tcp_gate.hpp"

namespace ustream::test {
namespace {

/// What a subscription was told, in order.
class Ledger {
 public:
  void note(std::span<const Delivery> deliveries) {
    const std::lock_guard lock(mutex_);
    for (const Delivery& delivery : deliveries) {
      if (delivery.change != nullptr) {
        told_.emplace_back(delivery.change->key_text().value_or("-"),
                           delivery.change->position.cursor());
      } else if (!std::holds_alternative<Ready>(delivery.notice)) {
        ++notices_;
      }
    }
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  [[nodiscard]] std::size_t notices() const {
    const std::lock_guard lock(mutex_);
    return notices_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> told_;
  std::size_t notices_ = 0;
};

class MysqlFault : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    server_ = std::make_unique<MariadbServer>();
    server_->sql("CREATE DATABASE shop; CREATE TABLE shop.t(id INT PRIMARY KEY, v INT)");
  }
  /// The source's address, by way of `port`.
  [[nodiscard]] SourceConfig config(std::uint16_t port) const {
    SourceConfig config = SourceConfig::from_url(server_->url("shop"));
    config.port = port;
    config.options["heartbeat"] = "200ms";
    config.options["connect_timeout"] = "2s";
    config.retry.retries = 1000;
    config.retry.initial_delay = std::chrono::milliseconds(5);
    config.retry.max_delay = std::chrono::milliseconds(100);
    return config;
  }
  void insert(int id) { server_->sql("INSERT INTO shop.t VALUES(" + std::to_string(id) + ", 0)"); }
  /// Each of 1 … `count` came, in order and once.
  void expect_all(const Ledger& ledger, int count) {
    EXPECT_TRUE(wait_until([&] { return ledger.size() >= static_cast<std::size_t>(count); }, 60));
    std::vector<std::string> keys;
    std::vector<std::string> expected;
    for (const auto& [key, cursor] : ledger.told()) {
      keys.push_back(key);
    }
    for (int id = 1; id <= count; ++id) {
      expected.push_back(std::to_string(id));
    }
    EXPECT_EQ(keys, expected);
    EXPECT_EQ(ledger.notices(), 0U);
  }

  std::unique_ptr<MariadbServer> server_;
};

TEST_F(MysqlFault, AConnectionThatIsCutAnywhereGoesOnWhereItStood) {
  TcpGate gate(server_->port());
  RealtimeStreamPackage package;
  package.init(config(gate.port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  std::minstd_rand random(11);
  const int rounds = 40;
  for (int id = 1; id <= rounds; ++id) {
    gate.cut_after(random() % 600, random() % 2 == 0 ? TcpGate::Cut::fin : TcpGate::Cut::reset);
    insert(id);
  }
  expect_all(ledger, rounds);
  EXPECT_GT(package.stats().reconnects, 0U);
}

TEST_F(MysqlFault, AServerThatIsKilledAndComesBackLosesNothing) {
  RealtimeStreamPackage package;
  package.init(config(server_->port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  for (int id = 1; id <= 9; ++id) {
    insert(id);
    if (id % 3 == 0) {
      server_->kill();
      server_->start();
    }
  }
  expect_all(ledger, 9);
}

TEST_F(MysqlFault, ALinkThatSaysNothingIsFoundDeadByTheMissingHeartbeat) {
  TcpGate gate(server_->port());
  RealtimeStreamPackage package;
  package.init(config(gate.port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  insert(1);
  expect_all(ledger, 1);
  gate.stall();
  insert(2);
  EXPECT_TRUE(wait_until([&] { return !package.is_connected(); }, 60));
  gate.resume();
  expect_all(ledger, 2);
}

TEST_F(MysqlFault, AFlippedBitIsToldAndTheRestComes) {
  TcpGate gate(server_->port());
  RealtimeStreamPackage package;
  package.init(config(gate.port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  insert(1);
  expect_all(ledger, 1);
  for (int id = 2; id <= 12; ++id) {
    gate.corrupt_after(30 + static_cast<std::uint64_t>(id) * 17);
    insert(id);
  }
  insert(13);
  EXPECT_TRUE(wait_until(
      [&] {
        const auto told = ledger.told();
        return !told.empty() && told.back().first == "13";
      },
      60));
  // What could not be read is told as such; nothing is missing without a word.
  EXPECT_GE(ledger.size() + ledger.notices() + package.stats().reconnects, 13U);
}

TEST_F(MysqlFault, BinlogsThatAreRotatedWhileReadingChangeNothing) {
  RealtimeStreamPackage package;
  package.init(config(server_->port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  for (int id = 1; id <= 20; ++id) {
    insert(id);
    server_->sql("FLUSH BINARY LOGS");
  }
  expect_all(ledger, 20);
}

TEST_F(MysqlFault, AReplicaThatTakesOverGoesOnByItsGtids) {
  MariadbServer replica({"--server-id=8", "--log-slave-updates"});
  replica.follow(*server_);
  TcpGate gate(server_->port());
  RealtimeStreamPackage package;
  package.init(config(gate.port()));
  Ledger ledger;
  const auto subscription = package.subscribe(
      {"t"}, {}, [&](std::span<const Delivery> deliveries) { ledger.note(deliveries); });
  package.start();
  for (int id = 1; id <= 5; ++id) {
    insert(id);
  }
  expect_all(ledger, 5);
  ASSERT_TRUE(replica.has(server_->gtids(), 60));
  server_->kill();
  replica.promote();
  replica.sql("FLUSH BINARY LOGS");
  gate.lead_to(replica.port());
  gate.cut();
  for (int id = 6; id <= 9; ++id) {
    replica.sql("INSERT INTO shop.t VALUES(" + std::to_string(id) + ", 0)");
  }
  expect_all(ledger, 9);
}

}  // namespace
}  // namespace ustream::test
