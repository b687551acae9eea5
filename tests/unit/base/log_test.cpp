#include "base/log.hpp"

#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ustream::base {
namespace {

using Lines = std::vector<std::pair<LogLevel, std::string>>;

Logger into(Lines& lines, LogLevel level) {
  return Logger(level, [&lines](LogLevel at, std::string_view text) {
    lines.emplace_back(at, std::string(text));
  });
}

TEST(Logger, puts_the_parts_of_a_message_together) {
  Lines lines;
  into(lines, LogLevel::trace).info("rows ", 17, ", ratio ", 0.5, ", done ", true, '.');
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].first, LogLevel::info);
  EXPECT_EQ(lines[0].second, "rows 17, ratio 0.5, done true.");
}

TEST(Logger, leaves_out_what_is_below_its_level) {
  Lines lines;
  const Logger log = into(lines, LogLevel::warn);
  log.trace("a");
  log.debug("b");
  log.info("c");
  log.warn("d");
  log.error("e");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].second, "d");
  EXPECT_EQ(lines[1].second, "e");
}

TEST(Logger, off_and_null_log_nothing) {
  Lines lines;
  const Logger off = into(lines, LogLevel::off);
  off.error("a");
  off.log(LogLevel::off, "b");
  Logger::null().error("c");
  EXPECT_TRUE(lines.empty());
  EXPECT_FALSE(Logger::null().enabled(LogLevel::error));
}

TEST(Logger, a_sink_that_throws_does_not_stop_the_caller) {
  const Logger log(LogLevel::info,
                   [](LogLevel, std::string_view) { throw std::runtime_error("disk full"); });
  EXPECT_NO_THROW(log.error("x"));
}

TEST(Logger, writes_one_line_to_stderr_that_data_cannot_forge) {
  testing::internal::CaptureStderr();
  Logger(LogLevel::info).warn("key \"a\nb\x1b[31m\"");
  const std::string line = testing::internal::GetCapturedStderr();
  const std::regex expected(
      R"re(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z warning key "a\\nb\\x1b\[31m"\n)re");
  EXPECT_TRUE(std::regex_match(line, expected)) << line;
}

TEST(Logger, may_be_used_by_many_threads) {
  Lines lines;
  const Logger log = into(lines, LogLevel::info);
  constexpr int kThreads = 4;
  constexpr int kMessages = 200;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([log] {
        for (int n = 0; n < kMessages; ++n) {
          log.info(n);
        }
      });
    }
  }
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kMessages));
}

}  // namespace
}  // namespace ustream::base
