// The binlog decoder on files that a real MariaDB server wrote.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "decoded_binlog.hpp"
#include "mariadb_server.hpp"

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
  struct Case {
    const char* type;
    const char* literal;
    const char* json;
  };
  const std::vector<Case> cases{
      {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
      {"YEAR", "2024", "2024"},
      {"YEAR", "0", "0"},
      {"TINYINT", "-128", "-128"},
      {"TINYINT UNSIGNED", "255", "255"},
      {"SMALLINT", "-32768", "-32768"},
      {"SMALLINT UNSIGNED", "65535", "65535"},
      {"MEDIUMINT", "-8388608", "-8388608"},
      {"MEDIUMINT UNSIGNED", "16777215", "16777215"},
      {"INT", "-2147483648", "-2147483648"},
      {"INT UNSIGNED", "4294967295", "4294967295"},
      {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
      {"DECIMAL(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890",
       R"("-12345678901234567890123456789012345.123456789012345678901234567890")"},
      {"DECIMAL(12,2)", "0.5", R"("0.50")"},
      {"DECIMAL(3,3)", "-0.001", R"("-0.001")"},
      {"DECIMAL(20)", "-1", R"("-1")"},
      {"FLOAT", "0.1", "0.1"},
      {"DOUBLE", "1e300", "1e+300"},
      {"BIT(1)", "b'1'", "1"},
      {"BIT(10)", "513", "513"},
      {"BIT(64)", "0xffffffffffffffff", "18446744073709551615"},
      {"CHAR(10)", "'ab  '", R"("ab")"},
      {"CHAR(255)", "'ä€😀'", R"("ä€😀")"},
      {"VARCHAR(300)", "'a\\0b'", R"("a\u0000b")"},
      {"BINARY(6)", "'a\\0'", R"("YQAAAAAA")"},
      {"VARBINARY(6)", "'b\\0'", R"("YgA=")"},
      {"TINYTEXT", "'t'", R"("t")"},
      {"LONGTEXT", "''", R"("")"},
      {"MEDIUMBLOB", "x'00ff'", R"("AP8=")"},
      {"VARCHAR(20) CHARACTER SET latin1", "'zoë€'", R"("zoë€")"},
      {"VARCHAR(20) CHARACTER SET ucs2", "'zoë'", R"("zoë")"},
      {"CHAR(5) CHARACTER SET utf16", "'a😀'", R"("a😀")"},
      {"TEXT CHARACTER SET utf32", "'a😀'", R"("a😀")"},
      {"VARCHAR(20) CHARACTER SET gbk", "'你好'", R"("你好")"},
      {"VARCHAR(20) CHARACTER SET sjis", "'日本'", R"("日本")"},
      {"VARCHAR(20) CHARACTER SET koi8r", "'мир'", R"("мир")"},
      {"VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", "'é'", R"("é")"},
      {"VARCHAR(20) CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci", "'é'", R"("é")"},
      {"ENUM('a','b','ü') CHARACTER SET latin1", "'ü'", R"("ü")"},
      {"ENUM('a','b')", "0", R"("")"},
      {"SET('x','y','z')", "'z,x'", R"(["x","z"])"},
      {"SET('x','y','z')", "''", "[]"},
      {"DATE", "'2024-02-29'", R"("2024-02-29")"},
      {"DATE", "'0000-00-00'", R"("0000-00-00")"},
      {"DATE", "'2024-00-00'", R"("2024-00-00")"},
      {"TIME", "'-838:59:59'", R"("-838:59:59")"},
      {"TIME(1)", "'-00:00:00.5'", R"("-00:00:00.5")"},
      {"TIME(3)", "'-01:02:03.004'", R"("-01:02:03.004")"},
      {"TIME(6)", "'-00:00:01.000001'", R"("-00:00:01.000001")"},
      {"TIME(6)", "'838:59:59.999999'", R"("838:59:59.999999")"},
      {"DATETIME", "'2024-02-29 23:59:59'", R"("2024-02-29T23:59:59")"},
      {"DATETIME(6)", "'1969-12-31 23:59:59.999999'", R"("1969-12-31T23:59:59.999999")"},
      {"DATETIME(1)", "'0000-00-00'", R"("0000-00-00 00:00:00.0")"},
      {"DATETIME", "'2024-02-31 10:00:00'", R"("2024-02-31 10:00:00")"},
      {"TIMESTAMP NULL", "'2024-01-02 03:04:05'", R"("2024-01-02T03:04:05.000000Z")"},
      {"TIMESTAMP(4) NULL", "'2024-01-02 03:04:05.6789'", R"("2024-01-02T03:04:05.678900Z")"},
      {"TIMESTAMP NULL", "0", R"("0000-00-00 00:00:00")"},
      {"JSON", R"('{"a":1}')", R"("{\"a\":1}")"},
      {"POINT", "ST_GeomFromText('POINT(1 2)')", R"("AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==")"},
      {"VARCHAR(1000) COMPRESSED", "REPEAT('ab', 20)",
       R"("abababababababababababababababababababab")"},
      {"BLOB COMPRESSED", "x'00'", R"("AA==")"},
      {"INT", "NULL", "null"},
  };
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
