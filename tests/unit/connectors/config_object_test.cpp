#include <string>

#include <gtest/gtest.h>

#include "ustream/config.hpp"
#include "ustream/error.hpp"

#include "connectors/scoped_environment.hpp"

namespace ustream {
namespace {

using namespace std::chrono_literals;

std::string refusal(std::string_view json) {
  try {
    static_cast<void>(SourceConfig::from_json(json));
  } catch (const ValidationError& error) {
    return error.what();
  }
  return {};
}

class ConfigObject : public testing::Test {
 protected:
  test::ScopedEnvironment no_password_{"USTREAM_PASSWORD", std::nullopt};
};

TEST_F(ConfigObject, takes_the_keys_of_the_original) {
  const SourceConfig config = SourceConfig::from_json(R"({
    "dbType": "mysql", "host": "db", "port": 3307, "user": "ann", "password": "pw",
    "database": "shop", "pollingInterval": 500, "logLevel": "error", "retries": 7,
    "retryDelay": 100, "maxRetryDelay": "10s", "debug": true,
    "options": {"ssl": true, "limit": 5, "mode": "x"}})");
  EXPECT_EQ(config.scheme, "mysql");
  EXPECT_EQ(config.host, "db");
  EXPECT_EQ(config.port, 3307);
  EXPECT_EQ(config.user, "ann");
  EXPECT_EQ(config.password, "pw");
  EXPECT_EQ(config.database, "shop");
  EXPECT_EQ(config.polling_interval, 500ms);
  EXPECT_EQ(config.log_level, LogLevel::error) << "logLevel goes before debug";
  EXPECT_EQ(config.retry.retries, 7U);
  EXPECT_EQ(config.retry.initial_delay, 100ms);
  EXPECT_EQ(config.retry.max_delay, 10s);
  EXPECT_EQ(config.option("ssl"), "true");
  EXPECT_EQ(config.option("limit"), "5");
  EXPECT_EQ(config.option("mode"), "x");
}

TEST_F(ConfigObject, a_file_is_named_by_database_or_filename) {
  EXPECT_EQ(SourceConfig::from_json(R"({"dbType":"sqlite","filename":"a.db"})").database, "a.db");
  EXPECT_EQ(SourceConfig::from_json(R"({"db_type":"sqlite","database":"a.db"})").database, "a.db");
  EXPECT_NE(refusal(R"({"dbType":"sqlite","database":"a","filename":"b"})").find("give one"),
            std::string::npos);
}

TEST_F(ConfigObject, a_connection_string_says_it_all) {
  const SourceConfig config = SourceConfig::from_json(
      R"({"retries":2,"dbType":"mysql","connectionString":"mysql://ann@h/shop?retry_delay=3s"})");
  EXPECT_EQ(config.host, "h");
  EXPECT_EQ(config.user, "ann");
  EXPECT_EQ(config.retry.retries, 2U);
  EXPECT_EQ(config.retry.initial_delay, 3s);
  EXPECT_NE(refusal(R"({"dbType":"sqlite","connectionString":"mysql://h/d"})"), "");
  EXPECT_NE(refusal(R"({"connectionString":"mysql://h/d","host":"i"})").find("'host'"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"connectionString":"mysql://h/d","port":1})"), "");
}

TEST_F(ConfigObject, a_password_beside_a_connection_string_goes_before_the_environment) {
  const test::ScopedEnvironment environment("USTREAM_PASSWORD", "environment");
  EXPECT_EQ(
      SourceConfig::from_json(R"({"connectionString":"mysql://u@h/d","password":"own"})").password,
      "own");
  EXPECT_EQ(SourceConfig::from_json(R"({"connectionString":"mysql://u@h/d"})").password,
            "environment");
  EXPECT_EQ(SourceConfig::from_json(R"({"dbType":"mysql","host":"h"})").password, "environment");
  const std::string why =
      refusal(R"({"connectionString":"mysql://u:secret@h/d","password":"secret2"})");
  EXPECT_NE(why, "");
  EXPECT_EQ(why.find("secret"), std::string::npos);
}

TEST_F(ConfigObject, an_unknown_key_is_named_with_its_neighbour) {
  EXPECT_NE(refusal(R"({"dbType":"sqlite","filname":"a"})").find("did you mean 'filename'"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"dbtype":"sqlite"})").find("did you mean 'dbType'"), std::string::npos);
  EXPECT_NE(refusal(R"({"dbType":"mysql","host":"h","username":"a"})").find("'user'"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"dbType":"sqlite","database":"a","zzz":1})").find("'options'"),
            std::string::npos);
}

TEST_F(ConfigObject, types_and_ranges_are_checked) {
  for (const char* bad : {R"([])", R"("sqlite:a")", R"({})", R"({"dbType":"sqlite"})",
                          R"({"dbType":1,"database":"a"})", R"({"dbType":"","database":"a"})",
                          R"({"dbType":"sqlite","database":"a","retries":-1})",
                          R"({"dbType":"sqlite","database":"a","retries":1.5})",
                          R"({"dbType":"sqlite","database":"a","retries":[]})",
                          R"({"dbType":"sqlite","database":"a","debug":"maybe"})",
                          R"({"dbType":"sqlite","database":"a","pollingInterval":0})",
                          R"({"dbType":"sqlite","database":"a","options":[]})",
                          R"({"dbType":"sqlite","database":"a","options":{"x":{}}})",
                          R"({"dbType":"sqlite","database":"a\u0000b"})",
                          R"({"dbType":"sqlite","database":"a","user":"x"})",
                          R"({"dbType":"mysql","host":"h","port":0})",
                          R"({"dbType":"mysql","host":"h","port":65536})",
                          R"({"dbType":"mysql","host":"h","port":"x"})",
                          R"({"dbType":"mysql","host":"h","password":5})"}) {
    EXPECT_NE(refusal(bad), "") << bad;
  }
  EXPECT_EQ(SourceConfig::from_json(R"({"dbType":"mysql","host":"h","port":"3306"})").port, 3306);
}

}  // namespace
}  // namespace ustream
