#include "app/command.hpp"

#include <gtest/gtest.h>

#include "app/exit_code.hpp"

namespace ustream::app {
namespace {

TEST(Command, HidesPasswords) {
  EXPECT_EQ(redacted("mysql://root:secret@host/db").find("secret"), std::string::npos);
  EXPECT_EQ(redacted("cannot reach mysql://u:s@e/c@r@host:1/db now"),
            "cannot reach mysql://…@host:1/db now");
  EXPECT_EQ(redacted("sqlite:x?password=secret&a=b"), "sqlite:x?password=…&a=b");
  EXPECT_EQ(redacted("two\nlines"), "two lines");
  EXPECT_EQ(redacted("mail me@home"), "mail me@home");
}

TEST(Command, SplitsFieldNames) {
  EXPECT_TRUE(parse_fields(std::nullopt).empty());
  EXPECT_EQ(parse_fields("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(parse_fields("a,b c,d"), (std::vector<std::string>{"a", "b c", "d"}));
  for (const char* text : {"", ",", "a,", ",a", "a,,b"}) {
    EXPECT_THROW((void)parse_fields(std::string(text)), ValidationError) << text;
  }
}

TEST(Command, MapsErrorsToExitCodes) {
  EXPECT_EQ(exit_code(ErrorKind::validation), 2);
  EXPECT_EQ(exit_code(ErrorKind::connection), 3);
  EXPECT_EQ(exit_code(ErrorKind::auth), 3);
  EXPECT_EQ(exit_code(ErrorKind::not_found), 4);
  EXPECT_EQ(exit_code(ErrorKind::history_lost), 5);
  for (const auto kind : {ErrorKind::conflict, ErrorKind::busy, ErrorKind::streaming,
                          ErrorKind::corrupt, ErrorKind::unsupported, ErrorKind::internal}) {
    EXPECT_EQ(exit_code(kind), 1);
  }
}

}  // namespace
}  // namespace ustream::app
