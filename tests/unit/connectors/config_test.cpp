#include "ustream/config.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

namespace ustream {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, reads_every_unit) {
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("500"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0"), 0us);
}

TEST(ParseDuration, refuses_the_rest) {
  for (const char* bad : {"", "s", "-1s", "-0", "1.5s", "1 s", "1S", "1d", "s1", "1s1", "+1s",
                          "9223372036854775807h", "99999999999999999999"}) {
    EXPECT_THROW(static_cast<void>(parse_duration(bad)), ValidationError) << bad;
  }
}

TEST(ParseLogLevel, knows_the_levels_and_the_originals_verbose) {
  EXPECT_EQ(parse_log_level("trace"), LogLevel::trace);
  EXPECT_EQ(parse_log_level("verbose"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("off"), LogLevel::off);
  EXPECT_THROW(static_cast<void>(parse_log_level("loud")), ValidationError);
}

TEST(NearestName, finds_a_slip_of_the_hand) {
  const std::vector<std::string> names = {"pollingInterval", "port", "user", "retries"};
  EXPECT_EQ(nearest_name("pollinginterval", names), "pollingInterval");
  EXPECT_EQ(nearest_name("pollInterval", names), "pollingInterval");
  EXPECT_EQ(nearest_name("prot", names), "port") << "a swap of neighbours";
  EXPECT_EQ(nearest_name("username", names), "user");
  EXPECT_EQ(nearest_name("retry", names), "");
  EXPECT_EQ(nearest_name("xyz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'p'), names), "");
}

}  // namespace
}  // namespace ustream
