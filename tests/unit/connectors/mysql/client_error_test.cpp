#include <string>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

#include "connectors/mysql/client.hpp"

namespace ustream::mysql {
namespace {

Error error_of(unsigned code, const std::string& text = "the server's words") {
  try {
    throw_mysql_error({code, "HY000", text}, "mysql://h/d");
  } catch (const Error& error) {
    return error;
  }
}

TEST(MysqlErrors, HaveTheKindThatACallerCanActOn) {
  struct Case {
    unsigned code;
    ErrorKind kind;
    bool temporary;
  };
  for (const Case& c :
       {Case{1062, ErrorKind::conflict, false}, {1048, ErrorKind::conflict, false},
        {1364, ErrorKind::conflict, false},     {1451, ErrorKind::conflict, false},
        {1452, ErrorKind::conflict, false},     {3819, ErrorKind::conflict, false},
        {4025, ErrorKind::conflict, false},     {1205, ErrorKind::busy, true},
        {1213, ErrorKind::busy, true},          {1044, ErrorKind::auth, false},
        {1045, ErrorKind::auth, false},         {1142, ErrorKind::auth, false},
        {1227, ErrorKind::auth, false},         {1698, ErrorKind::auth, false},
        {1049, ErrorKind::validation, false},   {1146, ErrorKind::validation, false},
        {1264, ErrorKind::validation, false},   {1366, ErrorKind::validation, false},
        {1406, ErrorKind::validation, false},   {2002, ErrorKind::connection, true},
        {2003, ErrorKind::connection, true},    {2006, ErrorKind::connection, true},
        {2013, ErrorKind::connection, true},    {1040, ErrorKind::connection, true},
        {1290, ErrorKind::connection, true},    {1064, ErrorKind::internal, false}}) {
    const Error error = error_of(c.code);
    EXPECT_EQ(error.kind(), c.kind) << c.code;
    EXPECT_EQ(error.temporary(), c.temporary) << c.code;
    EXPECT_EQ(error.where(), "mysql://h/d");
    EXPECT_NE(error.detail().find("the server's words"), std::string::npos) << c.code;
  }
}

TEST(MysqlErrors, KeepTheServersWordsFromClientsWhereTheyTellOfTheServer) {
  EXPECT_EQ(std::string(error_of(1045, "user 'root'@'10.0.0.5'").what()).find("root"),
            std::string::npos);
  EXPECT_EQ(std::string(error_of(2002, "/run/secret.sock").what()).find("secret"),
            std::string::npos);
  EXPECT_NE(std::string(error_of(1062, "Duplicate entry for key 'email'").what()).find("email"),
            std::string::npos);
}

TEST(MysqlQuoting, DoublesWhatWouldEndTheQuotes) {
  EXPECT_EQ(quote_identifier("a`b"), "`a``b`");
  EXPECT_EQ(quote_literal("it's a \\"), "'it''s a \\\\'");
}

}  // namespace
}  // namespace ustream::mysql
