// The program against a real MariaDB server.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "mariadb_database.hpp"
#include "process.hpp"

namespace ustream::e2e {
namespace {

class Mysql : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    shop_ = std::make_unique<test::MariadbDatabase>();
    shop_->sql("CREATE TABLE orders(id INT PRIMARY KEY, name VARCHAR(20) UNIQUE, n INT)");
  }

  std::unique_ptr<test::MariadbDatabase> shop_;
};

TEST_F(Mysql, WritesReadsQueriesAndDeletes) {
  const std::string url = shop_->url();
  EXPECT_EQ(run({"write", url, "orders", "1", R"({"name":"pen","n":3})"}).code, 0);
  EXPECT_EQ(run({"write", url, "orders", "1", R"({"n":4})"}).code, 0);
  EXPECT_EQ(run({"read", url, "orders", "1"}).out, "{\"id\":1,\"name\":\"pen\",\"n\":4}\n");
  EXPECT_EQ(run({"query", url, "orders", "--filter", R"({"n":{"$gt":3}})", "--fields", "name"}).out,
            "{\"name\":\"pen\"}\n");
  EXPECT_EQ(run({"count", url, "orders"}).out, "{\"count\":1}\n");
  EXPECT_EQ(
      run({"aggregate", url, "orders", R"([{"$group":{"_id":null,"sum":{"$sum":"$n"}}}])"}).out,
      "{\"_id\":null,\"sum\":4}\n");
  EXPECT_EQ(run({"delete", url, "orders", "1"}).code, 0);
  EXPECT_EQ(run({"delete", url, "orders", "1"}).code, 4);
  EXPECT_EQ(run({"read", url, "orders", "1"}).code, 4);
  EXPECT_EQ(run({"uninstall", url}).code, 0);
}

TEST_F(Mysql, ABulkTellsItsFailures) {
  const Result result = run({"bulk", shop_->url()},
                            R"({"write":{"collection":"orders","key":"1","data":{"name":"a"}}})"
                            "\n"
                            R"({"write":{"collection":"orders","key":"2","data":{"name":"a"}}})"
                            "\n"
                            R"({"write":{"collection":"orders","key":"3","data":{"name":"c"}}})"
                            "\n");
  EXPECT_EQ(result.code, 1);
  ASSERT_EQ(result.lines().size(), 2U) << result.out;
  EXPECT_TRUE(result.lines()[0].starts_with(R"({"index":1,"error":)")) << result.lines()[0];
  EXPECT_TRUE(result.lines()[1].starts_with(R"({"ok":2,"failed":1)")) << result.lines()[1];
}

TEST_F(Mysql, ExitsAsTheErrorIs) {
  const std::string port = std::to_string(test::MariadbDatabase::server().port());
  EXPECT_EQ(run({"count", "mysql://tester:wrong@127.0.0.1:" + port + "/x", "orders"}).code, 3);
  EXPECT_EQ(run({"count", "mysql://tester@127.0.0.1:1/x", "orders"}).code, 3);
  EXPECT_EQ(run({"count", shop_->url() + "?sokcet=1", "orders"}).code, 2);
  EXPECT_EQ(run({"count", shop_->url(), "ordres"}).code, 2);
  EXPECT_EQ(run({"doctor", shop_->url()}).code, 0);
  EXPECT_EQ(run({"doctor", "mysql://tester@127.0.0.1:1/x"}).code, 1);
  const Result by_environment =
      run({"count", "mariadb://tester@127.0.0.1:" + port + "/" + shop_->name(), "orders"}, {},
          {{"USTREAM_PASSWORD", test::MariadbServer::kPassword}});
  EXPECT_EQ(by_environment.code, 0) << by_environment.err;
}

}  // namespace
}  // namespace ustream::e2e
