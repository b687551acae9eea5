#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "ustream/config.hpp"
#include "ustream/error.hpp"

#include "base/atomic_file.hpp"
#include "connectors/scoped_environment.hpp"

namespace ustream {
namespace {

using namespace std::chrono_literals;

std::string refusal(std::string_view url) {
  try {
    static_cast<void>(SourceConfig::from_url(url));
  } catch (const ValidationError& error) {
    return std::string(error.what()) + ' ' + error.where() + ' ' + error.detail();
  }
  return {};
}

class ConfigUrl : public testing::Test {
 protected:
  test::ScopedEnvironment no_password_{"USTREAM_PASSWORD", std::nullopt};
};

TEST_F(ConfigUrl, sqlite_takes_a_path_in_every_form) {
  EXPECT_EQ(SourceConfig::from_url("sqlite:shop.db").database, "shop.db");
  EXPECT_EQ(SourceConfig::from_url("sqlite:/var/shop.db").database, "/var/shop.db");
  EXPECT_EQ(SourceConfig::from_url("sqlite:///var/shop.db").database, "/var/shop.db");
  EXPECT_EQ(SourceConfig::from_url("SQLite:a%20b%3F@#.db").database, "a b?@#.db");
  const SourceConfig config = SourceConfig::from_url("sqlite:rel/path?busy_timeout=5s&x=a%26b");
  EXPECT_EQ(config.scheme, "sqlite");
  EXPECT_EQ(config.host, "");
  EXPECT_EQ(config.database, "rel/path");
  EXPECT_EQ(config.option("busy_timeout"), "5s");
  EXPECT_EQ(config.option("x"), "a&b");
  EXPECT_EQ(config.option("y"), std::nullopt);
}

TEST_F(ConfigUrl, a_server_has_user_password_host_port_and_database) {
  const SourceConfig config =
      SourceConfig::from_url("mysql://ann%40x:p%3Aa%2Fss@db.example:3307/shop?ssl=on");
  EXPECT_EQ(config.scheme, "mysql");
  EXPECT_EQ(config.user, "ann@x");
  EXPECT_EQ(config.password, "p:a/ss");
  EXPECT_EQ(config.host, "db.example");
  EXPECT_EQ(config.port, 3307);
  EXPECT_EQ(config.database, "shop");
  EXPECT_EQ(config.option("ssl"), "on");
  const SourceConfig least = SourceConfig::from_url("postgres://[::1]");
  EXPECT_EQ(least.host, "::1");
  EXPECT_EQ(least.port, 0);
  EXPECT_EQ(least.database, "");
  EXPECT_EQ(SourceConfig::from_url("mongodb+srv://h:1/").port, 1);
}

TEST_F(ConfigUrl, common_options_are_read_in_both_spellings) {
  const SourceConfig config = SourceConfig::from_url(
      "sqlite:a?polling_interval=2s&retries=0&retryDelay=10&max_retry_delay=1m&logLevel=info");
  EXPECT_EQ(config.polling_interval, 2s);
  EXPECT_EQ(config.retry.retries, 0U);
  EXPECT_EQ(config.retry.initial_delay, 10ms);
  EXPECT_EQ(config.retry.max_delay, 1min);
  EXPECT_EQ(config.log_level, LogLevel::info);
  EXPECT_TRUE(config.options.empty());
  EXPECT_EQ(SourceConfig::from_url("sqlite:a?debug=true").log_level, LogLevel::debug);
}

TEST_F(ConfigUrl, one_retry_delay_given_moves_the_default_of_the_other) {
  EXPECT_EQ(SourceConfig::from_url("sqlite:a?retry_delay=2m").retry.max_delay, 2min);
  EXPECT_EQ(SourceConfig::from_url("sqlite:a?max_retry_delay=10ms").retry.initial_delay, 10ms);
  EXPECT_NE(refusal("sqlite:a?max_retry_delay=1s&retry_delay=2s"), "");
}

TEST_F(ConfigUrl, wrong_options_are_named) {
  EXPECT_NE(refusal("sqlite:a?polling_interval=0").find("'polling_interval'"), std::string::npos);
  EXPECT_NE(refusal("sqlite:a?polling_interval=48h").find("1ms to 24h"), std::string::npos);
  EXPECT_NE(refusal("sqlite:a?retries=-1").find("'retries'"), std::string::npos);
  EXPECT_NE(refusal("sqlite:a?retries=5000000000"), "");
  EXPECT_NE(refusal("sqlite:a?log_level=loud").find("'log_level'"), std::string::npos);
  EXPECT_NE(refusal("sqlite:a?retries=1&retries=2").find("twice"), std::string::npos);
  EXPECT_NE(refusal("sqlite:a?pollingInterval=1s&polling_interval=2s").find("twice"),
            std::string::npos);
  EXPECT_NE(refusal("sqlite:a?x=1&x=2").find("twice"), std::string::npos);
}

TEST_F(ConfigUrl, malformed_urls_are_refused) {
  for (const char* bad : {"",
                          "shop.db",
                          ":a",
                          "1sqlite:a",
                          "sq lite:a",
                          "sqlite:",
                          "sqlite:?a=b",
                          "sqlite://rel",
                          "sqlite:a%2",
                          "sqlite:a%zz",
                          "sqlite:a%00",
                          "sqlite:a?b",
                          "sqlite:a?=b",
                          "mysql://",
                          "mysql:///db",
                          "mysql://user@",
                          "mysql://h:0",
                          "mysql://h:65536",
                          "mysql://h:",
                          "mysql://h:x",
                          "mysql://h:1x",
                          "mysql://[::1",
                          "mysql://[g]",
                          "mysql://[::1]x",
                          "mysql://a b",
                          "mysql://h/db#x",
                          "mysql://h%0a/db"}) {
    EXPECT_NE(refusal(bad), "") << bad;
  }
  EXPECT_NE(refusal(std::string_view("sqlite:a\0b", 10)), "");
}

TEST_F(ConfigUrl, no_message_repeats_a_password) {
  for (const char* bad :
       {"mysql://u:se/cret@h/db", "mysql://u:se?cret@h/db", "mysql://u:se#cret@h/db",
        "mysql://u:se@cret@h/db", "mysql://u:12/cret@h/db", "mysql://u:12?cret@h/db",
        "mysql://u:12?cret=@h/db", "mysql://u:12#cret@h/db", "mysql://u:se%cret@h/db",
        "mysql://u:secret@h:x/db", "mysql://u:secret@", "mysql://u:secret@h/db?x",
        "mysql://u:secret@h/db?retries=x", "mysql://h/db?password=secret",
        "mysql://u:secret@[::1/db", "mysql://u:secret@a b/db"}) {
    const std::string why = refusal(bad);
    EXPECT_NE(why, "") << bad;
    EXPECT_EQ(why.find("cret"), std::string::npos) << why;
  }
}

TEST_F(ConfigUrl, the_password_comes_from_the_url_else_the_file_else_the_environment) {
  std::string name = (std::filesystem::temp_directory_path() / "ustream-pw-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  ASSERT_GE(fd, 0);
  ::close(fd);
  base::write_file_durably(name, "from file \n");
  const std::string file = "?password_file=" + name;
  const test::ScopedEnvironment environment("USTREAM_PASSWORD", "from environment");

  EXPECT_EQ(SourceConfig::from_url("mysql://u:url@h/d" + file).password, "url");
  EXPECT_EQ(SourceConfig::from_url("mysql://u:@h/d" + file).password, "") << "given, and empty";
  const SourceConfig config = SourceConfig::from_url("mysql://u@h/d" + file);
  EXPECT_EQ(config.password, "from file ");
  EXPECT_EQ(config.option("password_file"), std::nullopt);
  EXPECT_EQ(SourceConfig::from_url("mysql://u@h/d").password, "from environment");
  EXPECT_EQ(SourceConfig::from_url("sqlite:a").password, "");
  std::filesystem::remove(name);
  EXPECT_NE(refusal("mysql://u@h/d" + file).find(name), std::string::npos);
}

TEST_F(ConfigUrl, display_hides_secrets_and_reads_as_a_url) {
  EXPECT_EQ(SourceConfig::from_url("mysql://ann:secret@h:1/db?a=b&api_token=secret").display(),
            "mysql://ann@h:1/db?a=b&api_token=***");
  EXPECT_EQ(SourceConfig::from_url("sqlite:a%3Fb%0A").display(), "sqlite:a%3Fb%0A");
  EXPECT_EQ(SourceConfig::from_url("postgres://a%40b@[::1]/d").display(),
            "postgres://a%40b@[::1]/d");
}

}  // namespace
}  // namespace ustream
