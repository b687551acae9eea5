// The binlog decoder on files that a real MariaDB server wrote.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "decoded_binlog.hpp"
#include "mariadb_server.hpp"
#include "mysql_type_cases.hpp"

namespace ustream::test {
namespace {

using Lines = std::vector<std::string>;

using Decoded = DecodedBinlog;

class MysqlDecode : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

TEST_F(MysqlDecode, TellsEveryTypeExactly) {
  const std::vector<TypeCase> cases = mysql_type_cases();
  std::string columns;
  std::string literals;
  std::string expected;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    columns += ", " + name + " " + cases[i].type;
    literals += std::string(", ") + cases[i].literal;
    expected += ",\"" + name + "\":" + cases[i].json;
  }
  MariadbServer server;
  if (server.sql("SHOW COLLATION LIKE 'uca1400_ai_ci'").empty()) {
    const auto newer = columns.find(" COLLATE uca1400_ai_ci");  // of MariaDB 10.10
    columns.erase(newer, std::string_view(" COLLATE uca1400_ai_ci").size());
  }
  const Lines files =
      binlog_of(server, "SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE t(id INT PRIMARY KEY" +
                            columns + "); INSERT INTO t VALUES(1" + literals + ")");
  const Decoded decoded = decode_binlog(files);
  EXPECT_EQ(decoded.error, "");
  ASSERT_EQ(decoded.lines.size(), 2U);
  EXPECT_EQ(decoded.lines[1], "c d.t 1 {\"id\":1" + expected + "} (1, last)");
}

TEST_F(MysqlDecode, TellsTransactionsDefinitionsAndXa) {
  MariadbServer server;
  const Decoded decoded = decode_binlog(binlog_of(
      server,
      "CREATE TABLE t(id INT PRIMARY KEY, v INT); CREATE TABLE n(a INT);"
      "INSERT INTO t VALUES(1, 1), (2, 2);"
      "BEGIN; UPDATE t SET v = 5; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s;"
      "DELETE FROM t WHERE id = 1; INSERT INTO n VALUES(7); COMMIT;"
      "TRUNCATE t; ALTER TABLE n ADD b INT; CREATE TEMPORARY TABLE tmp(a INT); DROP TABLE n;"
      "GRANT SELECT ON d.* TO someone IDENTIFIED BY 'x';"
      "XA START 'a'; INSERT INTO t VALUES(10, 0); XA END 'a'; XA PREPARE 'a'; XA ROLLBACK 'a';"
      "XA START 'b','q',3; INSERT INTO t VALUES(11, 0); XA END 'b','q',3; XA PREPARE 'b','q',3;"
      "XA COMMIT 'b','q',3;"
      "XA START 'c'; INSERT INTO t VALUES(12, 0); XA END 'c'; XA COMMIT 'c' ONE PHASE"));
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines, (Lines{
                               "ddl d.t (1, last)",
                               "ddl d.n (1, last)",
                               R"(c d.t 1 {"id":1,"v":1} (1))",
                               R"(c d.t 2 {"id":2,"v":2} (2, last))",
                               R"(u d.t 1 {"id":1,"v":5} <- {"id":1,"v":1} (1))",
                               R"(u d.t 2 {"id":2,"v":5} <- {"id":2,"v":2} (2))",
                               R"(d d.t 1 <- {"id":1,"v":5} (3))",
                               R"(c d.n {"a":7} (4, last))",
                               "t d.t (1, last)",
                               "ddl d.n (1, last)",
                               "ddl d.n (1, last)",
                               R"(c d.t 11 {"id":11,"v":0} (1, last))",
                               R"(c d.t 12 {"id":12,"v":0} (1, last))",
                           }));
}

TEST_F(MysqlDecode, TellsAbsentColumnsStatementsAndCompressedRows) {
  MariadbServer server({"--binlog-row-metadata=NO_LOG"});
  const Decoded decoded = decode_binlog(binlog_of(
      server,
      "CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(1000), w INT); INSERT INTO t VALUES(1, 'a', 2);"
      "SET SESSION binlog_row_image = MINIMAL; UPDATE t SET w = 3; DELETE FROM t;"
      "SET GLOBAL binlog_row_metadata = FULL; SET GLOBAL log_bin_compress = ON;"
      "SET GLOBAL log_bin_compress_min_len = 10;"
      "INSERT INTO t VALUES(2, REPEAT('x', 100), NULL);"
      "SET SESSION binlog_format = STATEMENT; INSERT INTO t VALUES(4, 'b', 5)"));
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines,
            (Lines{
                "ddl d.t (1, last)",
                R"(c d.t {"@1":1,"@2":"a","@3":2} (1, last))",
                R"(u d.t {"@3":3} <- {"@1":1} (1, last))",
                R"(d d.t <- {"@1":1} (1, last))",
                "c d.t 2 {\"id\":2,\"v\":\"" + std::string(100, 'x') + "\",\"w\":null} (1, last)",
                "quarantine d: a change that was logged as a statement, not as rows: set "
                "binlog_format=ROW",
            }));
  EXPECT_TRUE(decoded.report.unnamed_columns);
  EXPECT_EQ(decoded.report.quarantined, 1U);
}

TEST_F(MysqlDecode, TellsDamageAfterAllThatCanBeRead) {
  MariadbServer server;
  const Lines files =
      binlog_of(server,
                "CREATE TABLE t(id INT PRIMARY KEY, v TEXT);"
                "INSERT INTO t VALUES(1, REPEAT('a', 50)); INSERT INTO t VALUES(2, 'b');"
                "INSERT INTO t VALUES(3, 'c')");
  const Decoded whole = decode_binlog(files);
  ASSERT_EQ(whole.lines.size(), 4U);
  std::ifstream in(files.front(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::string copy = files.front() + ".copy";
  std::size_t told = 0;
  for (std::size_t size = 4; size < bytes.size(); size += 7) {
    std::ofstream(copy, std::ios::binary) << bytes.substr(0, size);
    const Decoded cut = decode_binlog({copy});
    ASSERT_LE(cut.lines.size(), whole.lines.size());
    ASSERT_GE(cut.lines.size(), told) << size;  // longer files tell no less
    told = cut.lines.size();
    if (!cut.error.empty()) {
      EXPECT_NE(cut.error.find(copy), std::string::npos) << cut.error;
      EXPECT_NE(cut.error.find("offset "), std::string::npos) << cut.error;
    }
  }
  // A flipped bit inside a row: that event is told as damaged, the others are read.
  const std::size_t row = bytes.find(std::string(50, 'a'), bytes.find("Write") + 1);
  ASSERT_NE(row, std::string::npos);
  std::string flipped = bytes;
  for (std::size_t at = flipped.find(std::string(50, 'a')); at != std::string::npos;
       at = flipped.find(std::string(50, 'a'), at + 50)) {
    flipped[at] = 'A';
  }
  std::ofstream(copy, std::ios::binary) << flipped;
  const Decoded damaged = decode_binlog({copy});
  EXPECT_EQ(damaged.error, "");
  EXPECT_EQ(damaged.lines, (Lines{whole.lines[0], "quarantine : the event's checksum is wrong",
                                  whole.lines[2], whole.lines[3]}));
  EXPECT_NE(decode_binlog({"/dev/null"}).error.find("no binlog"), std::string::npos);
  EXPECT_NE(decode_binlog({"/no/such/file"}).error.find("cannot open"), std::string::npos);
}

}  // namespace
}  // namespace ustream::test
