// What the decoder tells of random changes is, row by row and column by column, what the servers'
// own dump tools print of the same binlog. USTREAM_PROPERTY_SEED repeats a run.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/json.hpp"

#include "decoded_binlog.hpp"
#include "mariadb_server.hpp"
#include "mysql_server.hpp"

namespace ustream::test {
namespace {

constexpr int kStatements = 250;
constexpr int kIds = 120;

/// How the dump tools print a column's values.
enum class Print : std::uint8_t { plain, is_unsigned, real, quoted, date, enumeration, set, bits };

struct Column {
  const char* name;
  const char* type;
  Print print;
};

constexpr std::array<Column, 20> kColumns{{
    {"id", "BIGINT UNSIGNED PRIMARY KEY", Print::is_unsigned},
    {"i", "INT", Print::plain},
    {"u", "BIGINT UNSIGNED", Print::is_unsigned},
    {"s", "SMALLINT UNSIGNED", Print::is_unsigned},
    {"t", "TINYINT", Print::plain},
    {"m", "MEDIUMINT", Print::plain},
    {"d", "DECIMAL(30,7)", Print::plain},
    {"f", "FLOAT", Print::real},
    {"g", "DOUBLE", Print::real},
    {"v", "VARCHAR(300)", Print::quoted},
    {"x", "TEXT", Print::quoted},
    {"b", "VARBINARY(30)", Print::quoted},
    {"e", "ENUM('new','paid','shipped')", Print::enumeration},
    {"k", "SET('a','b','c','d','e','f','g','h','i')", Print::set},
    {"o", "BIT(10)", Print::bits},
    {"y", "YEAR", Print::plain},
    {"dt", "DATE", Print::date},
    {"ti", "TIME(3)", Print::quoted},
    {"da", "DATETIME(3)", Print::quoted},
    {"ts", "TIMESTAMP(6) NULL", Print::plain},
}};

constexpr std::array<std::string_view, 3> kLabels{"new", "paid", "shipped"};
constexpr std::string_view kMembers = "abcdefghi";

/// A row change: "INSERT", "UPDATE" or "DELETE" and the printed values of its images.
struct Row {
  std::string op;
  std::vector<std::string> before;
  std::vector<std::string> after;
};

// What the dump tool says.

/// `text` is what stands behind "@5=".
std::string printed(std::string text, const Column& column) {
  text = text.substr(0, text.rfind(" /* "));
  if (text == "NULL") {
    return text;
  }
  if (text == "1900" && std::string_view(column.type) == "YEAR") {
    return "0";  // which the server says; the tools add 1900 to it too
  }
  if (column.print == Print::real) {
    std::array<char, 40> number{};
    const double value = std::strtod(text.c_str(), nullptr);
    (void)std::snprintf(number.data(), number.size(),
                        std::string_view(column.type) == "FLOAT" ? "%.5g" : "%.17g", value);
    return number.data();
  }
  // A negative number, or what would be one: "-1 (255)".
  const std::size_t both = text.find(" (");
  if (both != std::string::npos && text.front() != '\'') {
    return column.print == Print::is_unsigned ? text.substr(both + 2, text.size() - both - 3)
                                              : text.substr(0, both);
  }
  return text;
}

std::vector<Row> rows_of_dump(const std::string& dump) {
  std::vector<Row> rows;
  std::vector<std::string>* image = nullptr;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("### ")) {
      continue;
    }
    line.erase(0, 4);
    if (line == "WHERE") {
      image = &rows.back().before;
    } else if (line == "SET") {
      image = &rows.back().after;
    } else if (line.starts_with("  @")) {
      image->push_back(printed(line.substr(line.find('=') + 1), kColumns.at(image->size())));
    } else {
      rows.push_back({line.substr(0, line.find(' ')), {}, {}});
    }
  }
  return rows;
}

// What the decoder says, in the dump tool's words.

/// MySQL's tool escapes as in SQL, MariaDB's only what is no printable character.
enum class Dialect : std::uint8_t { mariadb, mysql };

std::string in_quotes(std::string_view bytes, Dialect dialect) {
  constexpr std::string_view kPlain = "\\'\n\r\t\b\f";
  constexpr std::string_view kEscaped = "\\'nrtbf";
  std::string text = "'";
  for (const char c : bytes) {
    const std::size_t known = kPlain.find(c);
    if (dialect == Dialect::mysql && known != std::string_view::npos) {
      text += {'\\', kEscaped[known]};
    } else if (static_cast<unsigned char>(c) <= 0x1f) {
      std::array<char, 8> escaped{};
      (void)std::snprintf(escaped.data(), escaped.size(), "\\x%02x",
                          static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += escaped.data();
    } else {
      text += c;
    }
  }
  return text + "'";
}

std::string bits(std::uint64_t number, int count) {
  std::string text = "b'";
  for (int i = count - 1; i >= 0; --i) {
    text += ((number >> static_cast<unsigned>(i)) & 1U) != 0 ? '1' : '0';
  }
  return text + "'";
}

/// A value's JSON without the quotes of a string.
std::string bare(const Value& value) {
  std::string json;
  write_json(json, ValueView(value));
  return json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

std::string told(const Value& value, const Column& column, Dialect dialect) {
  if (value.is_null()) {
    return "NULL";
  }
  if (const auto* text = value.get_if<std::string>(); text && column.print == Print::quoted) {
    return in_quotes(*text, dialect);
  }
  if (const auto* bytes = value.get_if<Bytes>()) {
    return in_quotes(bytes->data, dialect);
  }
  if (const auto* instant = value.get_if<Timestamp>()) {
    std::array<char, 40> number{};
    (void)std::snprintf(number.data(), number.size(), "%lld.%06lld",
                        static_cast<long long>(instant->micros / 1'000'000),
                        static_cast<long long>(instant->micros % 1'000'000));
    return number.data();
  }
  switch (column.print) {
    case Print::real:
      return printed(bare(value), column);
    case Print::date: {
      std::string date = bare(value);
      date[4] = date[7] = ':';
      return "'" + date + "'";
    }
    case Print::quoted: {
      std::string time = bare(value);
      if (const std::size_t between = time.find('T'); between != std::string::npos) {
        time[between] = ' ';
      }
      return "'" + time + "'";
    }
    case Print::enumeration: {
      const auto label = std::find(kLabels.begin(), kLabels.end(), value.as_string());
      return std::to_string(label == kLabels.end() ? 0 : label - kLabels.begin() + 1);
    }
    case Print::set: {
      std::uint64_t number = 0;
      for (const Value& member : value.as_array()) {
        number |= std::uint64_t{1} << kMembers.find(member.as_string());
      }
      return bits((number & 0xffU) << 8U | number >> 8U, 16);  // they print the lowest byte first
    }
    case Print::bits:
      return bits(static_cast<std::uint64_t>(value.as_int64()), 10);
    default:
      return bare(value);
  }
}

std::vector<std::string> image_of(const Document& document, Dialect dialect) {
  std::vector<std::string> values;
  for (const Column& column : kColumns) {
    if (document) {
      const auto value = document.get(column.name);
      values.push_back(value ? told(*value, column, dialect) : "absent");
    }
  }
  return values;
}

std::vector<Row> rows_of(const std::vector<Change>& changes, Dialect dialect) {
  std::vector<Row> rows;
  for (const Change& change : changes) {
    if (change.op != Op::ddl) {
      rows.push_back({change.op == Op::create   ? "INSERT"
                      : change.op == Op::update ? "UPDATE"
                                                : "DELETE",
                      image_of(change.before, dialect), image_of(change.after, dialect)});
    }
  }
  return rows;
}

// Random changes.

class Workload {
 public:
  explicit Workload(std::uint64_t seed) : random_(seed) {}

  std::string statements() {
    std::string text;
    bool open = false;
    for (int i = 0; i < kStatements; ++i) {
      if (!open && below(3) == 0) {
        text += "BEGIN;\n";
        open = true;
      }
      text += statement() + ";\n";
      if (open && below(4) == 0) {
        text += below(4) == 0 ? "ROLLBACK;\n" : "COMMIT;\n";
        open = false;
      }
    }
    return text + "COMMIT;\n";
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::string statement() {
    switch (below(4)) {
      case 0:
      case 1: {
        std::string text = below(3) == 0 ? "REPLACE INTO t VALUES" : "INSERT IGNORE INTO t VALUES";
        for (std::uint64_t i = 0, rows = 1 + below(20); i < rows; ++i) {
          text += (i == 0 ? "(" : ",(") + std::to_string(below(kIds));
          for (std::size_t column = 1; column < kColumns.size(); ++column) {
            text += "," + literal(column);
          }
          text += ")";
        }
        return text;
      }
      case 2: {
        std::string text = "UPDATE t SET ";
        for (std::uint64_t i = 0, columns = 1 + below(3); i < columns; ++i) {
          const std::size_t column = 1 + below(kColumns.size() - 1);
          text +=
              (i == 0 ? "" : ",") + std::string(kColumns.at(column).name) + "=" + literal(column);
        }
        return text + which();
      }
      default:
        return "DELETE FROM t" + which();
    }
  }

  std::string which() {
    return " WHERE id % 7 = " + std::to_string(below(7)) + " ORDER BY id LIMIT " +
           std::to_string(1 + below(9));
  }

  std::string whole(std::int64_t low, std::int64_t high) {
    // Often what stands at the edge of the type.
    const auto range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t step = below(6) == 0 ? 0 : below(6) == 0 ? range : random_() % range;
    return std::to_string(static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + step));
  }

  std::string hex(std::uint64_t most, bool ascii) {
    std::string text = "x'";
    for (std::uint64_t i = 0, count = below(most + 1); i < count; ++i) {
      std::array<char, 4> byte{};
      (void)std::snprintf(byte.data(), byte.size(), "%02x",
                          static_cast<unsigned>(below(ascii ? 128 : 256)));
      text += byte.data();
    }
    return text + "'";
  }

  std::string date() {
    std::array<char, 40> text{};
    (void)std::snprintf(text.data(), text.size(), "%04u-%02u-%02u",
                        static_cast<unsigned>(1000 + below(9000)),
                        static_cast<unsigned>(1 + below(12)), static_cast<unsigned>(1 + below(28)));
    return below(12) == 0 ? "0000-00-00" : text.data();
  }

  std::string clock(std::uint64_t hours) {
    std::array<char, 40> text{};
    (void)std::snprintf(text.data(), text.size(), "%02u:%02u:%02u.%06u",
                        static_cast<unsigned>(below(hours)), static_cast<unsigned>(below(60)),
                        static_cast<unsigned>(below(60)),
                        static_cast<unsigned>(below(3) == 0 ? 0 : below(1'000'000)));
    return text.data();
  }

  std::string literal(std::size_t column) {
    if (below(8) == 0) {
      return "NULL";
    }
    const std::string_view name = kColumns.at(column).name;
    if (name == "i") {
      return whole(INT32_MIN, INT32_MAX);
    }
    if (name == "u") {
      return std::to_string(below(4) == 0 ? UINT64_MAX : random_());
    }
    if (name == "s") {
      return whole(0, 65535);
    }
    if (name == "t") {
      return whole(-128, 127);
    }
    if (name == "m") {
      return whole(-8388608, 8388607);
    }
    if (name == "d") {
      return whole(-(std::int64_t{1} << 62), std::int64_t{1} << 62) + "." + whole(0, 9999999);
    }
    if (name == "f") {
      return whole(-100000, 100000) + "e" + whole(-20, 20);
    }
    if (name == "g") {
      return whole(INT64_MIN, INT64_MAX) + "e" + whole(-200, 200);
    }
    if (name == "v") {
      return below(3) == 0 ? "'zoë€😀\\n\\'\\\\'" : hex(200, true);
    }
    if (name == "x") {
      return below(5) == 0 ? "REPEAT('ä', 30000)" : hex(300, true);
    }
    if (name == "b") {
      return hex(30, false);
    }
    if (name == "e") {
      return "'" + std::string(kLabels.at(below(3))) + "'";
    }
    if (name == "k") {
      return std::to_string(below(512));
    }
    if (name == "o") {
      return std::to_string(below(1024));
    }
    if (name == "y") {
      return below(6) == 0 ? "0" : whole(1901, 2155);
    }
    if (name == "dt") {
      return "'" + date() + "'";
    }
    if (name == "ti") {
      return "'" + std::string(below(2) == 0 ? "-" : "") + clock(838) + "'";
    }
    if (name == "da") {
      const std::string day = date();
      return "'" + (day == "0000-00-00" ? day : day + " " + clock(24)) + "'";
    }
    return "'20" + std::to_string(10 + below(28)) + "-0" + std::to_string(1 + below(9)) + "-1" +
           std::to_string(below(10)) + " " + clock(24) + "'";
  }

  std::mt19937_64 random_;
};

void expect_same(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    constexpr std::size_t kShown = 300;
    ASSERT_TRUE(ours[i] == theirs[i])
        << "column " << kColumns.at(i).name << ": " << ours[i].substr(0, kShown) << " here, "
        << theirs[i].substr(0, kShown) << " in the dump";
  }
}

void compare(const SqlServer& server, Dialect dialect, std::uint64_t seed) {
  SCOPED_TRACE("USTREAM_PROPERTY_SEED=" + std::to_string(seed));
  std::string table = "CREATE TABLE t(";
  for (const Column& column : kColumns) {
    table += (table.back() == '(' ? "" : ", ") + std::string(column.name) + " " + column.type;
  }
  const auto files = binlog_of(server, "SET sql_mode = 'ALLOW_INVALID_DATES'; " + table + ");\n" +
                                           Workload(seed).statements());
  const DecodedBinlog decoded = decode_binlog(files);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.report.quarantined, 0U);
  const std::vector<Row> ours = rows_of(decoded.changes, dialect);
  const std::vector<Row> theirs = rows_of_dump(server.dump(files));
  ASSERT_GT(theirs.size(), 500U);
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    SCOPED_TRACE("row change " + std::to_string(i));
    ASSERT_EQ(ours[i].op, theirs[i].op);
    ASSERT_NO_FATAL_FAILURE(expect_same(ours[i].before, theirs[i].before));
    ASSERT_NO_FATAL_FAILURE(expect_same(ours[i].after, theirs[i].after));
  }
  EXPECT_EQ(ours.size(), theirs.size());
  server.sql("DROP DATABASE d");
}

/// The seeds of a run: the one asked for, or some.
std::vector<std::uint64_t> seeds() {
  if (const char* wish = std::getenv("USTREAM_PROPERTY_SEED")) {  // NOLINT(concurrency-mt-unsafe)
    return {std::strtoull(wish, nullptr, 10)};
  }
  std::random_device device;
  return {1, 2, device()};
}

TEST(MysqlDump, OfMariadbAgreesWithTheDecoder) {
  if (const std::string why = MariadbServer::missing(); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const MariadbServer server;
  for (const std::uint64_t seed : seeds()) {
    ASSERT_NO_FATAL_FAILURE(compare(server, Dialect::mariadb, seed));
  }
}

TEST(MysqlDump, OfMysqlAgreesWithTheDecoder) {
  if (const std::string why = MysqlServer::missing(); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const MysqlServer server;
  for (const std::uint64_t seed : seeds()) {
    ASSERT_NO_FATAL_FAILURE(compare(server, Dialect::mysql, seed));
  }
}

}  // namespace
}  // namespace ustream::test
