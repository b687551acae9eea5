// Values of binlog rows against what SELECT says of the same rows, type by type, on a real MariaDB.
#include <gtest/gtest.h>

#include "mariadb_server.hpp"
#include "mysql_rows.hpp"

namespace ustream::test {
namespace {

/// A column type, literals for it, and the SQL that makes of a value `v` the JSON it is to have.
struct Kind {
  std::string type;
  std::vector<std::string> literals;
  std::string json = "v";
};

const char* const kQuoted = R"(CONCAT('"', v, '"'))";
const char* const kText = "JSON_QUOTE(CONVERT(v USING utf8mb4))";
const char* const kBase64 = R"(CONCAT('"', REPLACE(TO_BASE64(v), '\n', ''), '"'))";
const char* const kLocalTime = R"(CONCAT('"', REPLACE(v, ' ', 'T'), '"'))";
const char* const kInstant = R"(CONCAT('"', DATE_FORMAT(v, '%Y-%m-%dT%H:%i:%s.%f'), 'Z"'))";
const char* const kList = R"(IF(v = '', '[]', CONCAT('["', REPLACE(v, ',', '","'), '"]')))";

class MysqlValues : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }

  /// Each kind has a table of its own; each literal a row.
  static void expect_as_selected(const SqlServer& server, const std::vector<Kind>& kinds,
                                 const std::string& before = {}) {
    std::string statements = before;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::string table = "t" + std::to_string(i);
      statements += "CREATE TABLE " + table + "(v " + kinds[i].type + ");\n";
      for (const std::string& literal : kinds[i].literals) {
        statements += "INSERT INTO " + table + " VALUES(" + literal + ");\n";
      }
    }
    const BinlogRows rows = read_rows(log_of(server, statements));
    EXPECT_EQ(rows.error, "");
    EXPECT_EQ(rows.quarantined, std::vector<std::string>());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::string table = "t" + std::to_string(i);
      const auto decoded = rows.of("d." + table);
      const auto selected =
          lines_of(server.sql("USE d; SELECT IF(v IS NULL, HEX('null'), HEX(CONVERT(CONCAT(" +
                              kinds[i].json + ") USING utf8mb4))) FROM " + table));
      ASSERT_EQ(decoded.size(), selected.size()) << kinds[i].type;
      for (std::size_t row = 0; row < decoded.size(); ++row) {
        const std::string expected = R"({"v":)" + from_hex(selected[row]) + "}";
        EXPECT_TRUE(decoded[row].to_json() == expected)
            << kinds[i].type << ", row " << row << ": " << decoded[row].to_json().substr(0, 200)
            << " and selected " << expected.substr(0, 200);
      }
    }
  }
};

TEST_F(MysqlValues, TellsNumbersAsSelected) {
  std::vector<Kind> kinds;
  const auto integer = [&](const std::string& type, const std::string& low, const std::string& high,
                           const std::string& unsigned_high) {
    kinds.push_back({type, {low, "-1", "0", "1", high, "NULL"}});
    kinds.push_back({type + " UNSIGNED", {"0", "1", high, unsigned_high, "NULL"}});
  };
  integer("TINYINT", "-128", "127", "255");
  integer("SMALLINT", "-32768", "32767", "65535");
  integer("MEDIUMINT", "-8388608", "8388607", "16777215");
  integer("INT", "-2147483648", "2147483647", "4294967295");
  integer("BIGINT", "-9223372036854775808", "9223372036854775807", "18446744073709551615");
  kinds.push_back({"YEAR", {"0", "1901", "2024", "2155"}, "v+0"});
  for (int bits = 1; bits <= 64; ++bits) {
    const std::string ones(static_cast<std::size_t>(bits), '1');
    kinds.push_back({"BIT(" + std::to_string(bits) + ")",
                     {"b'0'", "b'1'", "b'" + ones + "'", "b'1" + ones.substr(1) + "'"},
                     "CAST(v AS UNSIGNED)"});
  }
  kinds.push_back({"DOUBLE", {"0.1", "-2.5e-3", "123456.789"}});
  kinds.push_back({"FLOAT", {"0.1", "-2.5", "1677.25"}});
  MariadbServer server;
  expect_as_selected(server, kinds);
}

TEST_F(MysqlValues, TellsDecimalsWithAllDigits) {
  std::vector<Kind> kinds;
  for (const auto& [precision, scale] : std::vector<std::pair<int, int>>{{1, 0},
                                                                         {1, 1},
                                                                         {4, 2},
                                                                         {5, 0},
                                                                         {9, 0},
                                                                         {9, 9},
                                                                         {10, 9},
                                                                         {12, 2},
                                                                         {18, 9},
                                                                         {19, 9},
                                                                         {20, 10},
                                                                         {30, 30},
                                                                         {38, 38},
                                                                         {65, 0},
                                                                         {65, 30},
                                                                         {65, 38},
                                                                         {40, 5}}) {
    std::vector<std::string> literals{"0", "NULL"};
    for (const char* sign : {"", "-"}) {
      // All nines, a one at the very end, and digits that tell their place.
      const auto whole = static_cast<std::size_t>(precision - scale);
      const auto part = static_cast<std::size_t>(scale);
      std::string digits;
      for (std::size_t i = 0; i < whole + part; ++i) {
        digits += static_cast<char>('0' + (i + 1) % 10);
      }
      const auto with_point = [&](const std::string& all) {
        return sign + (whole == 0 ? "0" : all.substr(0, whole)) +
               (part == 0 ? "" : "." + all.substr(whole));
      };
      literals.push_back(with_point(std::string(whole + part, '9')));
      literals.push_back(with_point(std::string(whole + part - 1, '0') + "1"));
      literals.push_back(with_point("1" + std::string(whole + part - 1, '0')));
      literals.push_back(with_point(digits));
    }
    kinds.push_back({"DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")",
                     literals, kQuoted});
  }
  MariadbServer server;
  expect_as_selected(server, kinds);
}

TEST_F(MysqlValues, TellsTimesAsSelected) {
  std::vector<Kind> kinds;
  kinds.push_back({"DATE",
                   {"'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0000-00-00'", "'2024-00-10'",
                    "'2024-05-00'", "'0001-01-01'", "NULL"},
                   kQuoted});
  for (int digits = 0; digits <= 6; ++digits) {
    const std::string size = "(" + std::to_string(digits) + ")";
    kinds.push_back({"TIME" + size,
                     {"'-838:59:59.999999'", "'838:59:59.999999'", "'-00:00:00.900009'",
                      "'00:00:00'", "'-12:34:56.789012'", "'-00:00:01'", "'100:00:00.5'"},
                     kQuoted});
    kinds.push_back({"DATETIME" + size,
                     {"'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'2024-02-29 12:34:56.789'",
                      "'1969-12-31 23:59:59.999999'", "'0001-01-01 00:00:00.000001'"},
                     kLocalTime});
    kinds.push_back({"DATETIME" + size,
                     {"'0000-00-00 00:00:00'", "'2024-00-00 01:02:03.456789'",
                      "'2024-02-31 10:00:00.5'", "'0000-05-00 00:00:00'"},
                     kQuoted});
    kinds.push_back(
        {"TIMESTAMP" + size + " NULL",
         {"'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-02-29 12:34:56.789012'", "NULL"},
         kInstant});
    kinds.push_back({"TIMESTAMP" + size + " NULL", {"'0000-00-00 00:00:00'"}, kQuoted});
  }
  MariadbServer server;
  expect_as_selected(server, kinds,
                     "SET sql_mode = 'ALLOW_INVALID_DATES,TIME_ROUND_FRACTIONAL';\n");
}

TEST_F(MysqlValues, TellsBytesAndTextsAsSelected) {
  std::vector<Kind> kinds{
      {"BINARY(10)", {"'a'", "'a\\0\\0'", "''", "'0123456789'", "'a  '", "'\\0'"}, kBase64},
      {"BINARY(255)", {"'a'", "REPEAT('x', 255)"}, kBase64},
      {"VARBINARY(300)", {"''", "'a\\0\\0'", "REPEAT('\\0', 300)", "' '"}, kBase64},
      {"TINYBLOB", {"''", "REPEAT(x'ff', 255)"}, kBase64},
      {"BLOB", {"REPEAT(x'00', 65535)", "REPEAT('ab', 200)"}, kBase64},
      {"MEDIUMBLOB", {"REPEAT(x'fe', 65536)", "REPEAT('abc', 1000000)"}, kBase64},
      {"LONGBLOB", {"REPEAT(x'80', 70000)"}, kBase64},
      {"CHAR(10)", {"'ab  '", "''", "'ä€😀'", "'  a'"}, kText},
      {"CHAR(255)", {"REPEAT('😀', 255)"}, kText},
      {"VARCHAR(63)", {"'ab  '", "REPEAT('é', 63)"}, kText},
      {"VARCHAR(64)", {"'a'", "REPEAT('😀', 64)"}, kText},
      {"VARCHAR(16000)", {"REPEAT('€', 16000)", "''"}, kText},
      {"TINYTEXT", {"REPEAT('a', 255)", "'\"\\\\/\\b\\n\\r\\t'"}, kText},
      {"TEXT", {"REPEAT('a', 65535)", "''"}, kText},
      {"MEDIUMTEXT", {"REPEAT('é', 40000)"}, kText},
      {"LONGTEXT", {"REPEAT('ä', 1000000)"}, kText},
      {"LONGTEXT COMPRESSED", {"REPEAT('é', 100000)", "'short'", "''"}, kText},
      {"VARCHAR(1000) COMPRESSED", {"REPEAT('€', 500)", "'short'", "''", "NULL"}, kText},
      {"VARCHAR(1000) CHARACTER SET utf16 COMPRESSED", {"REPEAT('€', 500)", "'s'"}, kText},
      {"VARBINARY(1000) COMPRESSED", {"REPEAT(x'00', 500)", "'s'"}, kBase64},
      {"BLOB COMPRESSED", {"REPEAT(x'00', 5000)", "x'00'"}, kBase64},
      {"JSON", {R"('{"a": [1, 2.50, "x\\"y"]}')"}, kText},
      {"POINT", {"ST_GeomFromText('POINT(1 2)')"}, kBase64},
      {"GEOMETRY", {"ST_GeomFromText('LINESTRING(0 0, 1 1, 2 2)', 4326)"}, kBase64},
  };
  MariadbServer server;
  expect_as_selected(server, kinds);
}

TEST_F(MysqlValues, TellsTextsOfManyMegabytes) {
  MariadbServer server({"--max-allowed-packet=64M"});
  const BinlogRows rows = read_rows(
      log_of(server,
             "CREATE TABLE big(v LONGTEXT, b LONGBLOB); INSERT INTO big VALUES(REPEAT('ä', "
             "8000000), REPEAT(x'00ff', 8000000));"));
  const auto decoded = rows.of("d.big");
  ASSERT_EQ(decoded.size(), 1U) << rows.error;
  const auto text = decoded[0].get("v");
  const auto bytes = decoded[0].get("b");
  ASSERT_TRUE(text && bytes);
  ASSERT_EQ(text->as_string().size(), 16'000'000U);
  EXPECT_TRUE(text->as_string().starts_with("ää") && text->as_string().ends_with("ää"));
  ASSERT_EQ(bytes->get_if<Bytes>()->data.size(), 16'000'000U);
  EXPECT_TRUE(bytes->get_if<Bytes>()->data.ends_with(std::string("\0\xff", 2)));
}

TEST_F(MysqlValues, TellsLabelsInEveryCharacterSet) {
  std::vector<Kind> kinds;
  for (const char* charset : {"latin1", "ucs2", "utf16", "utf16le", "utf32", "gbk", "sjis", "koi8r",
                              "utf8mb4", "cp1251", "big5", "euckr"}) {
    const bool is_cyrillic = std::string_view("koi8r cp1251").find(charset) != std::string::npos;
    const bool is_latin = std::string_view("latin1") == charset;
    const std::string one = is_cyrillic ? "мир" : is_latin ? "ü" : "中";
    const std::string two = is_cyrillic ? "Я" : is_latin ? "ß€" : "日";
    const std::string labels = "('a','" + one + "','" + two + "') CHARACTER SET " + charset;
    kinds.push_back({"ENUM" + labels,
                     {"'" + one + "'", "'" + two + "'", "1", "0", "NULL"},
                     "JSON_QUOTE(CONVERT(v USING utf8mb4))"});
    kinds.push_back(
        {"SET" + labels, {"'" + two + ",a'", "''", "'" + two + "," + one + ",a'", "NULL"}, kList});
  }
  std::string many;
  std::string sixty_four;
  for (int i = 1; i <= 300; ++i) {
    const std::string label = (i == 1 ? "'l" : ",'l") + std::to_string(i) + "'";
    many += label;
    sixty_four += i <= 64 ? label : "";
  }
  kinds.push_back({"ENUM(" + many + ")", {"'l1'", "'l255'", "'l256'", "'l300'", "0"}, kText});
  kinds.push_back({"SET(" + sixty_four + ")",
                   {"'l64,l1'", "18446744073709551615", "'l33,l32,l9,l8'", "0"},
                   kList});
  MariadbServer server;
  expect_as_selected(server, kinds, "SET sql_mode = '';\n");
}

TEST_F(MysqlValues, ReadsEveryCharacterOfEveryCharacterSet) {
  MariadbServer server;
  const auto charsets =
      lines_of(server.sql("SELECT character_set_name FROM information_schema.character_sets "
                          "WHERE character_set_name NOT IN ('binary', 'filename')"));
  ASSERT_GT(charsets.size(), 30U);
  std::string statements =
      "SET sql_mode = '';"  // what a set does not have is a question mark, and no error
      "CREATE TABLE numbers(n INT PRIMARY KEY) SELECT seq AS n FROM seq_1_to_65535 WHERE seq < "
      "55296 OR seq > 57343; INSERT INTO numbers SELECT seq FROM seq_65536_to_1114111_step_997;\n";
  for (const std::string& charset : charsets) {
    // Of Unicode's own sets a part will do.
    const bool is_whole = !charset.starts_with("u") || charset == "ujis";
    statements += "CREATE TABLE c_" + charset + "(v VARCHAR(4) CHARACTER SET " + charset +
                  ") SELECT CONVERT(CHAR(n USING utf32) USING " + charset +
                  ") AS v FROM numbers WHERE CONVERT(CONVERT(CHAR(n USING utf32) USING " + charset +
                  ") USING utf32) = CHAR(n USING utf32) COLLATE utf32_bin" +
                  (is_whole ? "" : " AND n % 37 = 0") + " ORDER BY n;\n";
  }
  const BinlogRows rows = read_rows(log_of(server, statements));
  EXPECT_EQ(rows.error, "");
  EXPECT_EQ(rows.quarantined, std::vector<std::string>());
  for (const std::string& charset : charsets) {
    const auto decoded = rows.of("d.c_" + charset);
    const auto selected =
        lines_of(server.sql("USE d; SELECT HEX(CONVERT(v USING utf8mb4)) FROM c_" + charset));
    ASSERT_EQ(decoded.size(), selected.size()) << charset;
    ASSERT_GT(decoded.size(), 100U) << charset;
    std::size_t different = 0;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      const auto value = decoded[i].get("v");
      const bool is_same = value && *value == Value(from_hex(selected[i]));
      different += is_same ? 0 : 1;
      EXPECT_TRUE(is_same || different > 3)
          << charset << " " << decoded[i].to_json() << " and " << selected[i];
    }
    EXPECT_EQ(different, 0U) << charset;
  }
}

TEST_F(MysqlValues, ReadsEveryByteOfTheSingleByteSets) {
  MariadbServer server;
  const auto charsets =
      lines_of(server.sql("SELECT character_set_name FROM information_schema.character_sets "
                          "WHERE maxlen = 1 AND character_set_name <> 'binary'"));
  std::string statements;
  for (const std::string& charset : charsets) {
    statements += "CREATE TABLE b_" + charset + "(n INT, v VARCHAR(1) CHARACTER SET " + charset +
                  ") SELECT seq AS n, CONVERT(CAST(CHAR(seq) AS BINARY) USING " + charset +
                  ") AS v FROM seq_1_to_255 ORDER BY seq;\n";
  }
  const BinlogRows rows = read_rows(log_of(server, statements));
  EXPECT_EQ(rows.error, "");
  for (const std::string& charset : charsets) {
    // Bytes that are no character are printed as question marks; here such rows are quarantined.
    const auto selected =
        lines_of(server.sql("USE d; SELECT n, HEX(CONVERT(v USING utf8mb4)) FROM b_" + charset +
                            " WHERE NOT (HEX(CONVERT(v USING utf8mb4)) = '3F' "
                            "AND HEX(v) <> '3F')"));
    std::vector<std::string> decoded;
    for (const Document& row : rows.of("d.b_" + charset)) {
      std::string line = std::to_string(row.get("n")->as_int64()) + "\t";
      for (const char c : row.get("v")->as_string()) {
        constexpr std::string_view kHex = "0123456789ABCDEF";
        line += kHex[static_cast<unsigned char>(c) >> 4U];
        line += kHex[static_cast<unsigned char>(c) & 15U];
      }
      decoded.push_back(line);
    }
    EXPECT_EQ(decoded, selected) << charset;
  }
}

TEST_F(MysqlValues, TellsKnownTypesOfFixedSizeAsSelected) {
  MariadbServer server;
  const bool has_inet4 = !server.sql("SHOW PLUGINS").empty() &&
                         server.sql("SHOW PLUGINS").find("inet4") != std::string::npos;
  struct Fixed {
    const char* type;
    std::vector<std::string> values;
  };
  std::vector<Fixed> kinds{
      {"uuid",
       {"123e4567-e89b-12d3-a456-426655440000", "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffff00", "01890a5d-ac96-774b-bcce-b302099a8057",
        "123e4567-e89b-42d3-a456-426655442020"}},
      {"inet6",
       {"::", "::1", "2001:db8::ff00:42:8300", "::ffff:192.0.2.128", "::192.0.2.128",
        "1:0:0:2:0:0:0:3", "1:0:2:3:4:5:6:7", "fe80::", "1:2:3:4:5:6:7:0"}},
  };
  if (has_inet4) {
    kinds.push_back({"inet4", {"0.0.0.0", "255.255.255.0", "192.0.2.1", "32.32.32.32"}});
  }
  std::string statements;
  for (const Fixed& kind : kinds) {
    statements += "CREATE TABLE k_" + std::string(kind.type) + "(v " + kind.type + ");";
    for (const std::string& value : kind.values) {
      statements += "INSERT INTO k_" + std::string(kind.type) + " VALUES('" + value + "');";
    }
  }
  const BinlogRows rows = read_rows(log_of(server, statements));
  for (const Fixed& kind : kinds) {
    const auto decoded = rows.of("d.k_" + std::string(kind.type));
    const auto selected = lines_of(server.sql("SELECT v FROM d.k_" + std::string(kind.type)));
    ASSERT_EQ(decoded.size(), selected.size());
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      // What the resolver of schemas does when it has seen DATA_TYPE.
      const auto& as_sent = static_cast<const mysql::BinlogRowCodec&>(*decoded[i].codec());
      auto table = std::make_shared<mysql::TableMap>(as_sent.table());
      table->columns[0].known_as = mysql::known_type(kind.type);
      table->schema = mysql::schema_of(*table, {});
      const mysql::BinlogRowCodec codec(table, std::string_view("\x01"));
      const std::string_view raw(reinterpret_cast<const char*>(decoded[i].raw().data()),
                                 decoded[i].raw().size());
      EXPECT_EQ(codec.undecodable(raw), "");
      const Document known(nullptr, &codec, decoded[i].raw());
      const bool is_uuid = std::string_view(kind.type) == "uuid";
      EXPECT_EQ(known.to_json(), is_uuid ? R"({"v":")" + selected[i] + R"("})"
                                         : R"({"v":{"$type":")" + std::string(kind.type) +
                                               R"(","text":")" + selected[i] + R"("}})");
      EXPECT_EQ(table->schema->columns()[0].affinity, KeyAffinity::text);
    }
  }
}

TEST_F(MysqlValues, TellsGeneratedInvisibleAndVersionedColumns) {
  MariadbServer server;
  const BinlogRows rows = read_rows(log_of(
      server,
      "CREATE TABLE g(id INT PRIMARY KEY, a INT, virt INT AS (a + 1) VIRTUAL, stored INT AS (a * "
      "2) "
      "STORED, hidden VARCHAR(10) INVISIBLE DEFAULT 'h', textual VARCHAR(20) AS (CONCAT('x', a)) "
      "VIRTUAL);"
      "INSERT INTO g(id, a) VALUES(1, 10); INSERT INTO g(id, a, hidden) VALUES(2, NULL, 'é');"
      "CREATE TABLE s(id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING;"
      "INSERT INTO s VALUES(1, 10); UPDATE s SET a = 11;"));
  EXPECT_EQ(rows.quarantined, std::vector<std::string>());
  const auto generated = rows.of("d.g");
  const auto expected = lines_of(server.sql(
      "SELECT JSON_COMPACT(JSON_OBJECT('id', id, 'a', a, 'virt', virt, 'stored', stored, 'hidden', "
      "hidden, 'textual', textual)) FROM d.g ORDER BY id"));
  ASSERT_EQ(generated.size(), 2U);
  ASSERT_EQ(expected.size(), 2U);
  EXPECT_EQ(generated[0].to_json(), expected[0]);
  EXPECT_EQ(generated[1].to_json(), expected[1]);
  const auto versions = rows.of("d.s");
  const auto selected = lines_of(server.sql(
      "SELECT CONCAT('{\"id\":', id, ',\"a\":', a, ',\"row_start\":\"', DATE_FORMAT(row_start, "
      "'%Y-%m-%dT%H:%i:%s.%f'), 'Z\",\"row_end\":\"', DATE_FORMAT(row_end, "
      "'%Y-%m-%dT%H:%i:%s.%f'), 'Z\"}') FROM d.s FOR SYSTEM_TIME ALL ORDER BY row_end DESC"));
  ASSERT_GE(versions.size(), 2U);
  EXPECT_EQ(versions[1].to_json(), selected[0]);
}

}  // namespace
}  // namespace ustream::test
