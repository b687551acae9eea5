#include "connectors/mysql/options.hpp"

#include <string>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

Options options(const std::string& url) {
  return Options::from(SourceConfig::from_url(url));
}

std::string refusal(const std::string& url) {
  try {
    (void)options(url);
  } catch (const ValidationError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MysqlOptions, HaveDefaults) {
  const Options plain = options("mysql://me:secret@10.0.0.1/shop");
  EXPECT_EQ(plain.port, 3306);
  EXPECT_EQ(plain.database, "shop");
  EXPECT_EQ(plain.password, "secret");
  EXPECT_EQ(plain.pool_size, 4U);
  EXPECT_EQ(plain.timeout, std::chrono::seconds(30));
  EXPECT_TRUE(plain.get_server_public_key);
}

TEST(MysqlOptions, ANameIsVerifiedAndAnAddressIsNot) {
  EXPECT_EQ(options("mysql://me@db.example.org/shop").tls, TlsMode::verify_identity);
  for (const char* host : {"localhost", "127.0.0.1", "[::1]", "10.1.2.3"}) {
    EXPECT_EQ(options(std::string("mysql://me@") + host + "/shop").tls, TlsMode::preferred) << host;
  }
  EXPECT_EQ(options("mysql://me@db.example.org/shop?tls=off").tls, TlsMode::off);
  EXPECT_EQ(options("mysql://me@db.example.org/shop?socket=/run/s").tls, TlsMode::preferred);
}

TEST(MysqlOptions, AreRefusedWithAWordOnWhatIsRight) {
  EXPECT_NE(refusal("mysql://me@h").find("DATABASE"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?sokcet=1").find("did you mean 'socket'?"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?tls=on").find("verify-identity"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?tls_cert=a").find("tls_key"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?tls=off&tls_ca=a").find("tls=off"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?pool_size=0").find("from 1 to 1000"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?timeout=0").find("timeout"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?server_id=4294967296").find("server_id"), std::string::npos);
  EXPECT_NE(refusal("mysql://me@h/d?get_server_public_key=1").find("true or false"),
            std::string::npos);
}

TEST(MysqlOptions, AreShownWithoutSecrets) {
  EXPECT_EQ(options("mysql://me:secret@h:7/d").display(), "mysql://h:7/d");
  EXPECT_EQ(options("mysql://me:secret@[::1]/d").display(), "mysql://[::1]:3306/d");
  EXPECT_EQ(options("mysql://me:secret@h/d?socket=/run/s").display(), "mysql:///run/s/d");
}

}  // namespace
}  // namespace ustream::mysql
