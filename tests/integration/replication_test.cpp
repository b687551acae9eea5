// The pairs of servers that failover tests run on.
#include <gtest/gtest.h>

#include "mariadb_server.hpp"
#include "mysql_server.hpp"

namespace ustream::test {
namespace {

/// Each kind of server, with what makes its two servers.
template <class Server>
class Replication : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Server::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};
using Servers = ::testing::Types<MariadbServer, MysqlServer>;
class Names {
 public:
  template <class Server>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest's name
    return std::is_same_v<Server, MariadbServer> ? "Mariadb" : "Mysql";
  }
};
TYPED_TEST_SUITE(Replication, Servers, Names);

TYPED_TEST(Replication, AReplicaTakesOverWithAllThatItReceivedAndTheOldPrimaryFollowsIt) {
  TypeParam first;
  first.sql("CREATE DATABASE d; CREATE TABLE d.t(id INT PRIMARY KEY); INSERT INTO d.t VALUES(1)");
  TypeParam second;
  second.follow(first);
  first.sql("INSERT INTO d.t VALUES(2)");
  ASSERT_TRUE(second.has(first.gtids(), 60));
  EXPECT_EQ(second.sql("SELECT id FROM d.t ORDER BY id"), "1\n2\n");

  first.kill();
  second.promote();
  second.sql("INSERT INTO d.t VALUES(3)");
  first.start();
  first.follow(second);
  second.sql("INSERT INTO d.t VALUES(4)");
  ASSERT_TRUE(first.has(second.gtids(), 60));
  EXPECT_EQ(first.sql("SELECT id FROM d.t ORDER BY id"), "1\n2\n3\n4\n");
  EXPECT_FALSE(
      first.has(first.gtids().substr(0, first.gtids().find_last_of(":-") + 1) + "1000", 1));
}

}  // namespace
}  // namespace ustream::test
