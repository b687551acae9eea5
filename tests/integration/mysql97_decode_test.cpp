// The binlog decoder on files that a real MySQL server of today wrote.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "decoded_binlog.hpp"
#include "mysql_server.hpp"

namespace ustream::test {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  std::string type;
  std::string literal;
  std::string json;
};

/// 'm1', 'm2', … as the labels of an ENUM or a SET.
std::string labels(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text += (i == 1 ? "'m" : ",'m") + std::to_string(i) + "'";
  }
  return text;
}

std::vector<Case> number_cases() {
  return {
      {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
      {"YEAR", "2155", "2155"},
      {"YEAR", "0", "0"},
      {"TINYINT", "-128", "-128"},
      {"TINYINT UNSIGNED", "255", "255"},
      {"SMALLINT", "-32768", "-32768"},
      {"SMALLINT UNSIGNED", "65535", "65535"},
      {"MEDIUMINT", "-8388608", "-8388608"},
      {"MEDIUMINT UNSIGNED", "16777215", "16777215"},
      {"INT", "-2147483648", "-2147483648"},
      {"INT UNSIGNED", "4294967295", "4294967295"},
      {"INT(8) ZEROFILL", "7", "7"},
      {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
      {"BOOLEAN", "TRUE", "1"},
      {"DECIMAL(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890",
       R"("-12345678901234567890123456789012345.123456789012345678901234567890")"},
      {"DECIMAL(12,2)", "0.5", R"("0.50")"},
      {"DECIMAL(3,3)", "-0.001", R"("-0.001")"},
      {"FLOAT", "0.1", "0.1"},
      {"DOUBLE", "-1e-300", "-1e-300"},
      {"BIT(1)", "b'1'", "1"},
      {"BIT(10)", "513", "513"},
      {"BIT(64)", "0xffffffffffffffff", "18446744073709551615"},
      {"INT", "NULL", "null"},
  };
}

std::vector<Case> text_cases() {
  return {
      {"CHAR(10)", "'ab  '", R"("ab")"},
      {"CHAR(255)", "'ä€😀'", R"("ä€😀")"},
      {"VARCHAR(300)", "'a\\0b'", R"("a\u0000b")"},
      {"VARCHAR(20) COLLATE utf8mb4_ja_0900_as_cs", "'日本'", R"("日本")"},
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
      {"VARCHAR(20) CHARACTER SET gb18030", "'你😀'", R"("你😀")"},
      {"VARCHAR(20) CHARACTER SET sjis", "'日本'", R"("日本")"},
      {"VARCHAR(20) CHARACTER SET koi8r", "'мир'", R"("мир")"},
      {"ENUM('a','b','ü') CHARACTER SET latin1", "'ü'", R"("ü")"},
      {"ENUM('a','b')", "0", R"("")"},
      {"ENUM(" + labels(300) + ")", "'m300'", R"("m300")"},
      {"SET('x','y','z')", "'z,x'", R"(["x","z"])"},
      {"SET(" + labels(64) + ")", "'m1,m64'", R"(["m1","m64"])"},
      {"SET('x','y','z')", "''", "[]"},
      {"POINT SRID 4326", "ST_GeomFromText('POINT(1 2)', 4326)",
       R"("5hAAAAEBAAAAAAAAAAAAAEAAAAAAAADwPw==")"},
      {"VECTOR(2)", "STRING_TO_VECTOR('[1,-2]')", R"("AACAPwAAAMA=")"},
  };
}

std::vector<Case> time_cases() {
  return {
      {"DATE", "'2024-02-29'", R"("2024-02-29")"},
      {"DATE", "'0000-00-00'", R"("0000-00-00")"},
      {"DATE", "'2024-00-00'", R"("2024-00-00")"},
      {"TIME", "'-838:59:59'", R"("-838:59:59")"},
      {"TIME(1)", "'-00:00:00.5'", R"("-00:00:00.5")"},
      {"TIME(3)", "'-01:02:03.004'", R"("-01:02:03.004")"},
      {"TIME(6)", "'-00:00:01.000001'", R"("-00:00:01.000001")"},
      {"DATETIME", "'2024-02-29 23:59:59'", R"("2024-02-29T23:59:59")"},
      {"DATETIME(6)", "'1969-12-31 23:59:59.999999'", R"("1969-12-31T23:59:59.999999")"},
      {"DATETIME(1)", "'0000-00-00'", R"("0000-00-00 00:00:00.0")"},
      {"DATETIME", "'2024-02-31 10:00:00'", R"("2024-02-31 10:00:00")"},
      {"TIMESTAMP NULL", "'2024-01-02 03:04:05'", R"("2024-01-02T03:04:05.000000Z")"},
      {"TIMESTAMP(4) NULL", "'2024-01-02 03:04:05.6789'", R"("2024-01-02T03:04:05.678900Z")"},
      {"TIMESTAMP NULL", "0", R"("0000-00-00 00:00:00")"},
  };
}

class Mysql97Decode : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MysqlServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }

  /// What the decoder tells of the statements, run on a server of their own.
  static DecodedBinlog told_of(const std::string& statements, const Lines& options = {}) {
    MysqlServer server(options);
    return decode_binlog(binlog_of(server, statements));
  }

  static void expect_values(const std::vector<Case>& cases) {
    std::string columns;
    std::string literals;
    std::string expected;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string name = "c" + std::to_string(i);
      columns += ", " + name + " " + cases[i].type;
      literals += ", " + cases[i].literal;
      expected += ",\"" + name + "\":" + cases[i].json;
    }
    const DecodedBinlog decoded =
        told_of("SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE t(id INT PRIMARY KEY" +
                columns + "); INSERT INTO t VALUES(1" + literals + ")");
    EXPECT_EQ(decoded.error, "");
    ASSERT_EQ(decoded.lines.size(), 2U);
    EXPECT_EQ(decoded.lines[1], "c d.t 1 {\"id\":1" + expected + "} (1, last)");
  }
};

TEST_F(Mysql97Decode, TellsNumbersExactly) {
  expect_values(number_cases());
}

TEST_F(Mysql97Decode, TellsTextOfEveryCharacterSet) {
  expect_values(text_cases());
}

TEST_F(Mysql97Decode, TellsDatesThatNoCalendarKnowsToo) {
  expect_values(time_cases());
}

/// What the decoder tells of JSON documents, and what the server prints of them.
struct JsonTexts {
  Lines told;
  Lines printed;
};

/// `values` are SQL.
JsonTexts json_texts(const Lines& values) {
  MysqlServer server;
  std::string statements = "CREATE TABLE t(id INT PRIMARY KEY, j JSON)";
  for (std::size_t i = 0; i < values.size(); ++i) {
    statements += "; INSERT INTO t VALUES(" + std::to_string(i) + ", " + values[i] + ")";
  }
  const DecodedBinlog decoded = decode_binlog(binlog_of(server, statements));
  EXPECT_EQ(decoded.error, "");
  JsonTexts texts;
  for (const Change& change : decoded.changes) {
    if (change.op != Op::ddl) {
      const Value value = change.after.get("j").value();
      const auto* json = value.get_if<Json>();
      texts.told.push_back(json == nullptr ? "no JSON" : json->text);
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = "json" + std::to_string(i);
    server.sql(
        "SELECT IFNULL(CAST(j AS CHAR), 'no JSON') FROM d.t WHERE id = " + std::to_string(i) +
        " INTO OUTFILE '" + server.path(name) + "' FIELDS ESCAPED BY ''");
    std::string line = server.file(name);
    line.pop_back();
    texts.printed.push_back(line);
  }
  return texts;
}

TEST_F(Mysql97Decode, TellsJsonAsTheServerPrintsIt) {
  const JsonTexts texts = json_texts({
      R"('{"b": [1, -2.5, true, null, "ä\\n😀"], "a": {}}')",
      "'[18446744073709551615, -9223372036854775808, 70000, -70000, 32767, -32768]'",
      "JSON_ARRAY(CAST(0.1 AS DECIMAL(5,2)), CAST(-12345.6789 AS DECIMAL(20,10)))",
      "JSON_OBJECT('d', DATE'2024-02-29', 'ts', TIMESTAMP'2024-02-29 01:02:03.000004')",
      "JSON_ARRAY(TIME'-12:34:56.5', TIME'838:59:59')",
      "JSON_ARRAY(x'00ff', b'101')",
      "'null'",
      "NULL",
      "'\"\"'",
      "'[]'",
      "JSON_OBJECT('big', REPEAT('x', 70000), 'after', JSON_ARRAY(1, 2))",
  });
  EXPECT_EQ(texts.told, texts.printed);
}

TEST_F(Mysql97Decode, TellsTheDoublesInJsonAsTheServerPrintsThem) {
  const JsonTexts texts =
      json_texts({"JSON_ARRAY(1.0, 1e0, 0.1e0, -0e0, 1e-7, 1e-14, 1e-15, 1e300, -1.5e-300)",
                  "JSON_ARRAY(123456789012345680000e0, 123456789012345e0, 1234567890123456e0)"});
  EXPECT_EQ(texts.told, texts.printed);
}

constexpr const char* kTransactions =
    "CREATE TABLE t(id INT PRIMARY KEY, v INT); CREATE TABLE n(a INT);"
    "INSERT INTO t VALUES(1, 1), (2, 2);"
    "BEGIN; UPDATE t SET v = 5; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s;"
    "DELETE FROM t WHERE id = 1; INSERT INTO n VALUES(7); COMMIT;"
    "BEGIN; INSERT INTO t VALUES(3, 3); ROLLBACK;"
    "TRUNCATE t; ALTER TABLE n ADD b INT; CREATE TEMPORARY TABLE tmp(a INT); RENAME TABLE n TO m;"
    "CREATE USER someone; GRANT SELECT ON d.* TO someone; CREATE VIEW w AS SELECT * FROM t;"
    "CREATE TABLE s AS SELECT 1 AS a; DROP TABLE m;"
    "REPLACE INTO t VALUES(4, 0), (4, 1); INSERT INTO t VALUES(4, 2) ON DUPLICATE KEY UPDATE v = 9;"
    "XA START 'a'; INSERT INTO t VALUES(10, 0); XA END 'a'; XA PREPARE 'a'; XA ROLLBACK 'a';"
    "XA START 'b','q',3; INSERT INTO t VALUES(11, 0); XA END 'b','q',3; XA PREPARE 'b','q',3;"
    "XA COMMIT 'b','q',3;"
    "XA START 'c'; INSERT INTO t VALUES(12, 0); XA END 'c'; XA COMMIT 'c' ONE PHASE";

Lines told_of_transactions() {
  return {
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
      "ddl d.n (1)",  // RENAME: the old name and the new
      "ddl d.m (2, last)",
      "ddl d.s (1)",  // CREATE … AS SELECT is one transaction
      R"(c d.s {"a":1} (2, last))",
      "ddl d.m (1, last)",
      R"(c d.t 4 {"id":4,"v":0} (1))",
      R"(u d.t 4 {"id":4,"v":1} <- {"id":4,"v":0} (2, last))",
      R"(u d.t 4 {"id":4,"v":9} <- {"id":4,"v":1} (1, last))",
      R"(c d.t 11 {"id":11,"v":0} (1, last))",
      R"(c d.t 12 {"id":12,"v":0} (1, last))",
  };
}

TEST_F(Mysql97Decode, TellsTransactionsDefinitionsAndXa) {
  const DecodedBinlog decoded = told_of(kTransactions);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines, told_of_transactions());
}

TEST_F(Mysql97Decode, TellsCompressedTransactionsAsIfTheyWereNot) {
  const DecodedBinlog decoded = told_of(kTransactions, {"--binlog-transaction-compression=ON"});
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines, told_of_transactions());
}

TEST_F(Mysql97Decode, TellsACompressedTransactionOfManyEvents) {
  constexpr std::size_t kRows = 30'000;
  const DecodedBinlog decoded = told_of(
      "CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(200));"
      "SET SESSION cte_max_recursion_depth = 100000; SET SESSION "
      "binlog_transaction_compression = ON;"
      "BEGIN; INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 30000) SELECT i, REPEAT('x', 150) FROM n; DELETE FROM t WHERE id = 7; "
      "COMMIT; INSERT INTO t VALUES(7, 'y')");
  EXPECT_EQ(decoded.error, "");
  ASSERT_EQ(decoded.lines.size(), kRows + 3);  // the table, its rows, one deleted, one again
  const std::string row = ",\"v\":\"" + std::string(150, 'x') + "\"}";
  EXPECT_EQ(decoded.lines[kRows], "c d.t 30000 {\"id\":30000" + row + " (30000)");
  EXPECT_EQ(decoded.lines[kRows + 1], "d d.t 7 <- {\"id\":7" + row + " (30001, last)");
  EXPECT_EQ(decoded.lines[kRows + 2], R"(c d.t 7 {"id":7,"v":"y"} (1, last))");
}

TEST_F(Mysql97Decode, AppliesPartialUpdatesOfJson) {
  constexpr const char* kStatements =
      "CREATE TABLE t(id INT PRIMARY KEY, j JSON, k JSON, v INT);"
      R"(INSERT INTO t VALUES(1, '{"a": 1, "b": [1, 2, {"c": "x"}], "long": "yyyyyyyyyyyyyyyy"}')"
      R"(, '[1, 2, 3, "zzzzzzzzzzzzzzzzzzzzzzzz"]', 1);)"
      "UPDATE t SET j = JSON_SET(j, '$.a', 'now text'), v = 2;"
      "UPDATE t SET j = JSON_REPLACE(j, '$.b[2].c', JSON_OBJECT('d', 1)),"
      "             k = JSON_REMOVE(k, '$[1]');"
      "UPDATE t SET j = JSON_SET(j, '$.new', 1.5, '$.b[3]', NULL), k = NULL;"
      "UPDATE t SET j = JSON_REMOVE(j, '$.a', '$.b[0]'), v = 3;"
      "UPDATE t SET k = '[]'; UPDATE t SET v = 4; DELETE FROM t";
  const DecodedBinlog whole = told_of(kStatements);
  ASSERT_EQ(whole.lines.size(), 9U);
  EXPECT_EQ(whole.error, "");
  const DecodedBinlog partial = told_of(kStatements, {"--binlog-row-value-options=PARTIAL_JSON"});
  EXPECT_EQ(partial.error, "");
  EXPECT_EQ(partial.lines, whole.lines);
}

TEST_F(Mysql97Decode, NamesTheTransactionByItsGtid) {
  MysqlServer server;
  const DecodedBinlog decoded =
      decode_binlog(binlog_of(server,
                              "CREATE TABLE t(id INT PRIMARY KEY); INSERT INTO t VALUES(1);"
                              "SET gtid_next = 'AUTOMATIC:tag'; INSERT INTO t VALUES(2)"));
  ASSERT_EQ(decoded.lines, (Lines{"ddl d.t (1, last)", R"(c d.t 1 {"id":1} (1, last))",
                                  R"(c d.t 2 {"id":2} (1, last))"}));
  const std::string uuid = server.line_of("SELECT @@server_uuid");
  const auto names = [&](std::size_t change, const std::string& gtid) {
    return decoded.changes[change].to_json().find("\"gtid\":\"" + gtid + "\"") != std::string::npos;
  };
  // The first transaction made the database.
  EXPECT_TRUE(names(1, uuid + ":3")) << decoded.changes[1].to_json();
  EXPECT_TRUE(names(2, uuid + ":tag:1")) << decoded.changes[2].to_json();
}

TEST_F(Mysql97Decode, TellsWhatColumnsAreHiddenGeneratedOrAbsent) {
  const DecodedBinlog decoded = told_of(
      "CREATE TABLE g(a INT PRIMARY KEY, s INT AS (a + 1) STORED, v INT AS (a + 2) VIRTUAL,"
      "               hidden INT DEFAULT 9 INVISIBLE);"
      "INSERT INTO g(a) VALUES(1); UPDATE g SET a = 2;"
      "SET SESSION sql_generate_invisible_primary_key = ON; CREATE TABLE p(x INT);"
      "INSERT INTO p VALUES(5);"
      "CREATE TABLE c(b VARCHAR(5), x BLOB, a INT, PRIMARY KEY(a, b));"
      "INSERT INTO c VALUES('k', 'blob', 1);"
      "SET SESSION binlog_row_image = NOBLOB; UPDATE c SET a = 2;"
      "SET SESSION binlog_row_image = MINIMAL; UPDATE c SET x = ''; DELETE FROM c");
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines,
            (Lines{
                "ddl d.g (1, last)",
                R"(c d.g 1 {"a":1,"s":2,"v":3,"hidden":9} (1, last))",
                (R"(u d.g 2 {"a":2,"s":3,"v":4,"hidden":9} <- {"a":1,"s":2,"v":3,"hidden":9} )"
                 "(1, last)"),
                "ddl d.p (1, last)",
                R"(c d.p 1 {"my_row_id":1,"x":5} (1, last))",
                "ddl d.c (1, last)",
                R"(c d.c [1,"k"] {"b":"k","x":"YmxvYg==","a":1} (1, last))",
                R"(u d.c [2,"k"] {"b":"k","a":2} <- {"b":"k","a":1} (1, last))",
                R"(u d.c [2,"k"] {"x":""} <- {"b":"k","a":2} (1, last))",
                R"(d d.c [2,"k"] <- {"b":"k","a":2} (1, last))",
            }));
}

TEST_F(Mysql97Decode, TellsValuesWithoutNamesChecksumsOrRows) {
  const DecodedBinlog decoded = told_of(
      "CREATE TABLE t(id BIGINT UNSIGNED PRIMARY KEY, v VARCHAR(10), e ENUM('a', 'b'));"
      "INSERT INTO t VALUES(18446744073709551615, 'ä', 'b');"
      "SET SESSION binlog_format = STATEMENT; INSERT INTO t VALUES(4, 'b', 'a')",
      {"--binlog-row-metadata=MINIMAL", "--binlog-checksum=NONE"});
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.lines,
            (Lines{
                "ddl d.t (1, last)",
                R"(c d.t {"@1":18446744073709551615,"@2":"ä","@3":2} (1, last))",
                "quarantine d: a change that was logged as a statement, not as rows: set "
                "binlog_format=ROW",
            }));
  EXPECT_TRUE(decoded.report.unnamed_columns);
}

}  // namespace
}  // namespace ustream::test
