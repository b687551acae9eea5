// bulk: operations from stdin, and the report of what failed.
#include <csignal>

#include <gtest/gtest.h>

#include "ustream/position.hpp"

#include "process.hpp"
#include "shop.hpp"

namespace ustream::e2e {
namespace {

TEST(Bulk, DoesEveryOperation) {
  Shop shop;
  shop.insert(1, "old");
  const Result result = run({"bulk", shop.url()},
                            R"({"write":{"collection":"orders","key":"2","data":{"status":"new"}}})"
                            "\n\n"
                            R"({"write":{"collection":"orders","key":3,"data":{"status":"three"}}})"
                            "\n"
                            R"({"delete":{"collection":"orders","key":"1"}})");
  EXPECT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(result.lines().size(), 1U) << result.out;
  EXPECT_EQ(at(result.out, "ok"), "3");
  EXPECT_EQ(at(result.out, "failed"), "0");
  EXPECT_TRUE(Position::parse(text_at(result.out, "position")).has_value());
  EXPECT_EQ(shop.value("SELECT group_concat(id || status) FROM orders"), "2new,3three");
}

TEST(Bulk, TellsEachFailureAndDoesTheRest) {
  Shop shop;
  const Result result = run({"bulk", shop.url()},
                            R"({"write":{"collection":"orders","key":"1","data":{"status":"a"}}})"
                            "\nnonsense\n"
                            R"({"write":{"collection":"nothing","key":"1","data":{"status":"a"}}})"
                            "\n"
                            R"({"write":{"collection":"orders","key":"2","data":{"id":3}}})"
                            "\n"
                            R"({"delete":{"collection":"orders"}})"
                            "\n"
                            R"({"write":{"collection":"orders","key":"5","data":{"status":"b"}}})"
                            "\n");
  EXPECT_EQ(result.code, 1);
  const auto lines = result.lines();
  ASSERT_EQ(lines.size(), 5U) << result.out;
  for (int i = 0; i < 4; ++i) {
    const auto& line = lines[static_cast<std::size_t>(i)];
    EXPECT_EQ(at(line, "index"), std::to_string(i + 1)) << line;
    EXPECT_EQ(at(line, "error.kind"), "\"validation\"") << line;
    EXPECT_NE(at(line, "error.message"), "\"\"") << line;
    EXPECT_EQ(at(line, "error.temporary"), "false") << line;
  }
  EXPECT_EQ(at(lines.back(), "ok"), "2");
  EXPECT_EQ(at(lines.back(), "failed"), "4");
  EXPECT_EQ(shop.value("SELECT count(*) FROM orders"), "2");
}

TEST(Bulk, TakesCompositeKeysAsArrays) {
  Shop shop;
  shop.sql("CREATE TABLE lines (a INTEGER, b TEXT, n INTEGER, PRIMARY KEY (a, b))");
  const Result result =
      run({"bulk", shop.url()},
          R"({"write":{"collection":"lines","key":[1,"x"],"data":{"n":9},"mode":"replace"}})");
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_EQ(shop.value("SELECT a || b || n FROM lines"), "1x9");
}

TEST(Bulk, HandlesMoreThanOneChunk) {
  Shop shop;
  std::string input;
  for (int i = 0; i < 2500; ++i) {
    input += i == 1700 ? "{}\n"
                       : R"({"write":{"collection":"orders","key":)" + std::to_string(i) +
                             R"(,"data":{"status":"x"}}})" + "\n";
  }
  const Result result = run({"bulk", shop.url()}, input);
  EXPECT_EQ(result.code, 1);
  const auto lines = result.lines();
  ASSERT_EQ(lines.size(), 2U) << result.out;
  EXPECT_EQ(at(lines[0], "index"), "1700");
  EXPECT_EQ(at(lines[1], "ok"), "2499");
  EXPECT_EQ(shop.value("SELECT count(*) FROM orders"), "2499");
}

TEST(Bulk, DoesNotKeepASlowWritersOperationsWaiting) {
  Shop shop;
  Process bulk({.arguments = {"bulk", shop.url()},
                .environment = {},
                .input = std::nullopt,
                .stdout_fd = {},
                .obeys_permissions = false});
  bulk.write("{\"write\":{\"collection\":\"orders\",\"key\":\"1\",\"data\":{\"status\":\"x\"}}}\n");
  EXPECT_TRUE(
      bulk.await([&](const Process&) { return shop.value("SELECT count(*) FROM orders") == "1"; }));
  bulk.signal(SIGTERM);
  EXPECT_EQ(bulk.wait(), 0);
  EXPECT_EQ(at(bulk.out(), "ok"), "1");
}

TEST(Bulk, NothingIsNothing) {
  const Shop shop;
  const Result result = run({"bulk", shop.url()});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(at(result.out, "ok"), "0");
}

}  // namespace
}  // namespace ustream::e2e
