// JSON columns of binlog rows, whole and as differences, against the text that a real MySQL prints.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "connectors/mysql/binlog_decoder.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/partial_image.hpp"
#include "mysql_rows.hpp"
#include "mysql_server.hpp"

namespace ustream::test {
namespace {

class MysqlJson : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MysqlServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

/// A JSON text of `depth` arrays, one in the other.
std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST_F(MysqlJson, IsTheTextThatTheServerPrints) {
  std::vector<std::string> values;
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-1",
                           "32767",
                           "-32768",
                           "32768",
                           "65535",
                           "65536",
                           "-32769",
                           "2147483647",
                           "-2147483648",
                           "2147483648",
                           "4294967295",
                           "4294967296",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "18446744073709551616",
                           "1.0",
                           "0.1",
                           "-0.0",
                           "1e14",
                           "1e15",
                           "1e16",
                           "123456789012345680",
                           "999999999999999.9",
                           "1e300",
                           "-1.5e-10",
                           "1.23e-15",
                           "1.23e-14",
                           "1e-15",
                           "1e-16",
                           "5e-324",
                           "1.7976931348623157e308",
                           "0.30000000000000004",
                           "100.5",
                           "1e21",
                           "1.5e22",
                           "[]",
                           "{}",
                           R"({"b": 1, "a": 2, "aa": 3})",
                           R"(["a\"b\\c\/d\b\f\n\r\t\u0001\u001f"])",
                           R"(["é€😀", "\u00e9\ud83d\ude00", ""])",
                           R"({"": {"": []}})",
                           R"({"ключ": "значение"})",
                           R"([1, [2, [3, {"x": [null, true, false]}]]])"}) {
    std::string quoted;
    for (const char* c = text; *c != '\0'; ++c) {
      quoted += *c == '\\' || *c == '\'' ? std::string("\\") + *c : std::string(1, *c);
    }
    values.push_back("'" + quoted + "'");
  }
  values.push_back("'" + nested(100) + "'");
  values.push_back("CONCAT('[', REPEAT('\"abcdefgh\",', 20000), '1]')");
  values.push_back("CONCAT('[', REPEAT('123456,', 30000), '70000, 3]')");
  values.push_back("CONCAT('{\"a\": [', REPEAT('{\"k\": \"v\"},', 9000), '{}], \"b\": 70000}')");
  for (const char* length : {"127", "128", "16383", "16384", "2097151", "2097152"}) {
    values.push_back(std::string("JSON_QUOTE(REPEAT('x', ") + length + "))");
  }
  values.insert(
      values.end(),
      {"JSON_ARRAY(CAST(0.1 AS DECIMAL(10,2)), CAST(-12.50 AS DECIMAL(65,30)), 1.5, -0.001)",
       "JSON_ARRAY(CAST(99999999999999999999 AS DECIMAL(65,0)), 0.0)",
       "JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('-838:59:58.999999' AS TIME(6)), "
       "CAST('12:34:56' AS TIME))",
       "JSON_ARRAY(CAST('2024-02-29 12:34:56.789012' AS DATETIME(6)), CAST('1000-01-01' AS "
       "DATETIME), TIMESTAMP('2038-01-19 03:14:07'))",
       "JSON_ARRAY(x'00ff10', b'101', CAST('abc' AS BINARY), CAST(REPEAT('z', 200) AS BINARY))",
       "JSON_OBJECT('blob', CAST(REPEAT(x'00', 100) AS BINARY), 'year', CAST(2024 AS YEAR))",
       "JSON_OBJECT('f', CAST(0.1 AS FLOAT), 'd', CAST(1e100 AS DOUBLE))",
       "CAST(ST_GeomFromText('POINT(1 2)') AS JSON)", "NULL"});
  std::string statements = "CREATE TABLE j(id INT PRIMARY KEY, v JSON);\n";
  for (std::size_t i = 0; i < values.size(); ++i) {
    statements += "INSERT INTO j VALUES(" + std::to_string(i) + ", " + values[i] + ");\n";
  }
  MysqlServer server;
  const BinlogRows rows = read_rows(log_of(server, statements));
  EXPECT_EQ(rows.error, "");
  EXPECT_EQ(rows.quarantined, std::vector<std::string>());
  const auto decoded = rows.of("d.j");
  const auto selected =
      lines_of(server.sql("SELECT IFNULL(HEX(CAST(v AS CHAR)), HEX('null')) FROM d.j ORDER BY id"));
  ASSERT_EQ(decoded.size(), values.size());
  ASSERT_EQ(selected.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string expected =
        R"({"id":)" + std::to_string(i) + R"(,"v":)" + from_hex(selected[i]) + "}";
    EXPECT_TRUE(decoded[i].to_json() == expected)
        << values[i].substr(0, 200) << ": " << decoded[i].to_json().substr(0, 300)
        << " and selected " << expected.substr(0, 300);
  }
}

/// The after-images of partial updates in a file, completed.
class PartialUpdates {
 public:
  std::vector<std::string> json;
  std::size_t partial_events = 0;

  void read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    std::string_view rest = std::string_view(file).substr(4);
    while (rest.size() >= mysql::EventHeader::kSize) {
      const auto header = mysql::EventHeader::parse(rest);
      const std::string_view body =
          rest.substr(mysql::EventHeader::kSize, header.size - mysql::EventHeader::kSize - 4);
      if (header.type == mysql::EventType::table_map) {
        std::string reason;
        table_ = mysql::parse_table_map(body, mysql::Flavor::mysql, reason);
      } else if (header.type == mysql::EventType::partial_update_rows) {
        ++partial_events;
        read_rows(body);
      }
      rest.remove_prefix(header.size);
    }
  }

 private:
  void read_rows(std::string_view body) {
    mysql::ByteReader reader(body);
    reader.skip(8);
    reader.skip(reader.u16() - 2U);
    const auto width = static_cast<std::size_t>(reader.packed());
    const mysql::BinlogRowCodec before_codec(table_, reader.take((width + 7) / 8));
    const mysql::BinlogRowCodec after_codec(table_, reader.take((width + 7) / 8));
    std::string_view rows = reader.rest();
    while (!rows.empty()) {
      const auto before = before_codec.image(rows);
      ASSERT_TRUE(before);
      rows.remove_prefix(before->size());
      const auto after = mysql::partial_image(after_codec, rows);
      ASSERT_TRUE(after);
      rows.remove_prefix(after->bytes.size());
      std::string whole;
      ASSERT_EQ(mysql::complete_image(whole, before_codec, *before, after_codec, *after), "");
      const auto checked = after_codec.image_and_check(whole);
      ASSERT_TRUE(checked);
      ASSERT_EQ(checked->undecodable(), "");
      ASSERT_EQ(checked->bytes.size(), whole.size());
      json.push_back(
          Document(nullptr, &after_codec, std::as_bytes(std::span<const char>(whole))).to_json());
    }
  }

  mysql::TableMapPtr table_;
};

TEST_F(MysqlJson, BecomesWholeAgainFromPartialUpdates) {
  const std::vector<std::string> updates{
      "a = JSON_SET(a, '$.name', 'long long long long long name')",
      "a = JSON_SET(a, '$.added', JSON_OBJECT('x', 1, 'y', JSON_ARRAY(1, 2)))",
      "a = JSON_REPLACE(a, '$.list[1]', 'two')",
      "a = JSON_SET(a, '$.list[10]', 'appended')",
      "a = JSON_SET(a, '$.list[last]', CAST('2024-02-29' AS DATE))",
      "a = JSON_REMOVE(a, '$.list[0]')",
      "a = JSON_REMOVE(a, '$.name')",
      R"(a = JSON_SET(a, '$."a b"', 1, '$."q\\"uote"', 2, '$."ключ"', 3, '$.k4', 4, '$."."', 5))",
      R"(a = JSON_SET(a, '$."q\\"uote"', CAST(0.10 AS DECIMAL(5,2)), '$."ключ"', 'значение'))",
      "a = JSON_SET(a, '$.deep.er.still', 18446744073709551615)",
      "a = JSON_SET(a, '$.text', REPEAT('x', 70000))",  // past what a small container holds
      "a = JSON_SET(a, '$.text2', REPEAT('y', 300), '$.list[0]', 70000)",
      "a = JSON_REMOVE(a, '$.text')",
      "a = JSON_SET(a, '$.deep.er.i', 70000), b = JSON_SET(b, '$[0]', 1.5)",
      "b = JSON_SET(b, '$[1]', 'b alone')",
      "b = JSON_SET(b, '$[0]', NULL), n = n + 1",
      "b = JSON_REMOVE(b, '$[0]', '$[0]')",
      "a = JSON_SET(a, '$.deep', JSON_OBJECT())",
      "a = JSON_SET(a, '$.n', NULL, '$.t', TRUE, '$.big', -9223372036854775808)",
  };
  std::string statements =
      "CREATE TABLE p(id INT PRIMARY KEY, a JSON, n INT, b JSON);"
      "CREATE TABLE seen(seq INT AUTO_INCREMENT PRIMARY KEY, line LONGTEXT);"
      "INSERT INTO p VALUES(1, '{\"name\": \"short\", \"list\": [1, 2, {\"three\": 3}], \"deep\": "
      "{\"er\": {\"still\": 1}}, \"i\": 40000}', 0, '[0, \"x\"]'), (2, '{\"list\": [[], []], "
      "\"name\": \"other name that is longer\"}', NULL, NULL);";
  for (const std::string& update : updates) {
    statements +=
        "UPDATE p SET " + update +
        ";INSERT INTO seen(line) SELECT CONCAT('{\"id\":', id, ',\"a\":', CAST(a AS CHAR), "
        "',\"n\":', IFNULL(n, 'null'), ',\"b\":', IFNULL(CAST(b AS CHAR), 'null'), '}') "
        "FROM p ORDER BY id;\n";
  }
  MysqlServer server({"--binlog-row-value-options=PARTIAL_JSON"});
  const auto files = log_of(server, statements);
  PartialUpdates read;
  for (const std::string& file : files) {
    read.read(file);
  }
  EXPECT_GE(read.partial_events, updates.size() / 2);
  const auto selected = lines_of(server.sql("SELECT HEX(line) FROM d.seen ORDER BY seq"));
  // A row that an update leaves as it is has no image in the log.
  std::vector<std::string> expected;
  for (const std::string& line : selected) {
    expected.push_back(from_hex(line));
  }
  std::size_t next = 0;
  for (const std::string& row : read.json) {
    while (next < expected.size() && expected[next] != row) {
      ++next;
    }
    ASSERT_LT(next, expected.size()) << row.substr(0, 500);
    ++next;
  }
  EXPECT_GT(read.json.size(), updates.size());
}

TEST(MysqlJsonVector, IsToldAsItsBytes) {
  if (const std::string why = MysqlServer::missing(); !why.empty()) {
    GTEST_SKIP() << why;
  }
  MysqlServer server;
  const BinlogRows rows =
      read_rows(log_of(server,
                       "CREATE TABLE v(id INT PRIMARY KEY, e VECTOR(3)); INSERT INTO v VALUES(1, "
                       "STRING_TO_VECTOR('[1.5,-2,0]')), (2, NULL);"));
  EXPECT_EQ(rows.quarantined, std::vector<std::string>());
  const auto selected = lines_of(server.sql("SELECT TO_BASE64(e) FROM d.v WHERE id = 1"));
  const auto decoded = rows.of("d.v");
  ASSERT_EQ(decoded.size(), 2U);
  EXPECT_EQ(decoded[0].to_json(), R"({"id":1,"e":")" + selected[0] + R"("})");
  EXPECT_EQ(decoded[1].to_json(), R"({"id":2,"e":null})");
}

}  // namespace
}  // namespace ustream::test
