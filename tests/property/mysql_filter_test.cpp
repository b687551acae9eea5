// What a real MariaDB server selects through a translated filter is what the evaluator selects, on
// random tables, values and filters. USTREAM_PROPERTY_SEED repeats a run.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/config.hpp"

#include "connectors/mysql/binding.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/crud.hpp"
#include "connectors/mysql/dialect.hpp"
#include "connectors/mysql/pool.hpp"
#include "filter_property.hpp"
#include "mariadb_database.hpp"

namespace ustream::test {
namespace {

constexpr int kTables = 6;
constexpr int kFiltersPerTable = 500;
constexpr int kRows = 60;

/// One column of each kind, and of text one of each kind of collation.
struct ColumnOf {
  const char* name;
  const char* type;
};
constexpr ColumnOf kColumns[] = {{"i", "BIGINT"},
                                 {"u", "BIGINT UNSIGNED"},
                                 {"s", "TINYINT"},
                                 {"r", "DOUBLE"},
                                 {"f", "FLOAT"},
                                 {"d", "DECIMAL(30,10)"},
                                 {"t", "VARCHAR(40)"},
                                 {"c", "VARCHAR(40) COLLATE utf8mb4_bin"},
                                 {"x", "VARCHAR(40) COLLATE utf8mb4_nopad_bin"},
                                 {"l", "VARCHAR(40) CHARACTER SET latin1"},
                                 {"b", "VARBINARY(40)"},
                                 {"dt", "DATE"},
                                 {"dm", "DATETIME(6)"},
                                 {"ts", "TIMESTAMP(6) NULL"},
                                 {"tm", "TIME(3)"},
                                 {"y", "YEAR"},
                                 {"bi", "BIT(64)"},
                                 {"e", "ENUM('b','a','5','é')"},
                                 {"st", "SET('a','b','5')"},
                                 {"j", "JSON"},
                                 {"uu", "UUID"},
                                 {"o`d", "VARCHAR(40)"}};

class Generator : public FilterGenerator {
 public:
  explicit Generator(std::uint64_t seed) : FilterGenerator(seed, fields()) {}

  std::string temporal() {
    static const std::vector<std::string> kDates{
        "2026-01-01 00:00:00", "2026-01-31 10:00:00.123456", "0000-00-00 00:00:00",
        "2026-00-10 01:02:03", "2026-02-00 00:00:00",        "1970-01-01 00:00:01",
        "2038-01-19 03:14:06", "2025-12-31 23:59:59.999999"};
    return pick(kDates);
  }

  /// What the column may hold, as an SQL value.
  Value stored(const std::string& name) {
    if (chance(6)) {
      return {};
    }
    if (name == "i") {
      return integer();
    }
    if (name == "u") {
      const std::int64_t n = integer();
      return n < 0 ? Value(static_cast<std::uint64_t>(n)) : Value(n);
    }
    if (name == "s") {
      return static_cast<std::int64_t>(below(256)) - 128;
    }
    if (name == "r" || name == "f") {
      const double number = real();
      const bool fits = std::isfinite(number) && (name == "r" || std::abs(number) < 1e38);
      return fits ? Value(number) : Value(0.1);
    }
    if (name == "d") {
      static const std::vector<Value> kDecimals{Decimal{"0.1"},
                                                Decimal{"5"},
                                                Decimal{"5.5"},
                                                Decimal{"-1.5"},
                                                Decimal{"9007199254740992.5"},
                                                Decimal{"9223372036854775807.5"},
                                                Decimal{"0"},
                                                Decimal{"99999999999999999999.9999999999"}};
      return pick(kDecimals);
    }
    if (name == "b") {
      return Bytes{bytes()};
    }
    if (name == "dt") {
      return temporal().substr(0, 10);
    }
    if (name == "dm" || name == "ts") {
      const std::string text = temporal();
      const bool impossible = text.find("-00") != std::string::npos && text[0] != '0';
      return name == "ts" && impossible ? "2026-01-01 00:00:00" : text;
    }
    if (name == "tm") {
      static const std::vector<std::string> kTimes{"10:00:00", "-838:59:59", "00:00:00.5"};
      return pick(kTimes);
    }
    if (name == "y") {
      static const std::vector<std::string> kYears{"0000", "1901", "2005", "2026"};
      return pick(kYears);
    }
    if (name == "bi") {
      return static_cast<std::uint64_t>(integer());
    }
    if (name == "e" || name == "st") {
      static const std::vector<std::string> kLabels{"a", "b", "5"};
      return pick(kLabels);
    }
    if (name == "j") {
      static const std::vector<std::string> kJson{"null",      "5",         "\"a\"",
                                                  "[1,\"a\"]", "{\"a\":5}", "true"};
      return pick(kJson);
    }
    if (name == "uu") {
      static const std::vector<std::string> kUuids{"00112233-4455-6677-8899-aabbccddeeff",
                                                   "ff112233-4455-1677-8899-0abbccddeeff",
                                                   "00000000-0000-0000-0000-000000000000"};
      return pick(kUuids);
    }
    std::string held = text();
    // MariaDB's own check, and what latin1 has letters for.
    if (name == "l" && std::any_of(held.begin(), held.end(), [](char c) { return c < 0; })) {
      held = "\xc3\xa9";
    }
    return held;
  }

  /// More of what these columns may match than the common constants are.
  Value::Object filter_here() {
    if (chance(3)) {
      static const std::vector<std::string> kComparisons{"$eq",  "$ne", "$gt",
                                                         "$gte", "$lt", "$lte"};
      static const std::vector<Value> kConstants{
          "2026-01-01",
          Date{2026, 1, 31},
          "2026-01-01T00:00:00Z",
          "2026-01-31T10:00:00.123456Z",
          Timestamp{1'767'225'600'000'000},
          "2026-01-01T00:00:00",
          "2026-01-31T10:00:00.123456",
          DateTime{1'767'225'600'000'000, 6},
          "0000-00-00 00:00:00",
          "2026-00-10 01:02:03.000000",
          Uuid{{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                0xee, 0xff}},
          2026,
          5,
          5.0,
          0.1,
          0.1F,
          Decimal{"5.50"},
          "a",
          "A "};
      return {{field(), Value::Object{{pick(kComparisons), pick(kConstants)}}}};
    }
    return filter(2);
  }

 private:
  static std::vector<std::string> fields() {
    std::vector<std::string> names{"missing", "t.a", "j.a"};
    for (const ColumnOf& column : kColumns) {
      names.emplace_back(column.name);
    }
    return names;
  }
};

class RandomTable {
 public:
  RandomTable(MariadbDatabase& database, mysql::Connection& connection, Generator& generator)
      : connection_(connection) {
    std::string sql = "DROP TABLE IF EXISTS t; CREATE TABLE t(id BIGINT PRIMARY KEY";
    for (const ColumnOf& column : kColumns) {
      sql += "," + mysql::quote_identifier(column.name) + " " + column.type;
    }
    for (const ColumnOf& column : kColumns) {
      if (generator.chance(2)) {
        sql += ",KEY(" + mysql::quote_identifier(column.name) +
               (std::string(column.name) == "j" ? "(10))" : ")");
      }
    }
    database.sql(sql + ")");
    connection.statements.clear();
    table_ = connection.catalog.reload(connection.client, "t");
    fill(generator);
    mysql::RowAccess(connection).query("t", {}, [&](const Document& row) {
      rows_.push_back({row.get("id")->as_int64(), row});
      return true;
    });
  }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] const Schema& schema() const { return *table_->schema; }
  [[nodiscard]] const mysql::TablePtr& table() const { return table_; }

  [[nodiscard]] std::vector<std::int64_t> select(const SqlWhere& where,
                                                 const std::string& order = {}) {
    std::string sql = "SELECT id FROM t";
    sql += where.where.text.empty() ? "" : " WHERE " + where.where.text;
    sql += order.empty() ? "" : " ORDER BY " + order;
    mysql::Parameters parameters;
    for (const Value& parameter : where.where.parameters) {
      mysql::bind_plain(parameters, parameter);
    }
    mysql::Statement& statement = connection_.statements.get(sql);
    const mysql::RowsGuard guard(statement);
    statement.open(parameters);
    std::vector<std::int64_t> ids;
    for (auto row = statement.fetch(); !row.empty(); row = statement.fetch()) {
      ids.push_back(static_cast<std::int64_t>(mysql::ByteReader(row.substr(1)).u64()));
    }
    return ids;
  }

  [[nodiscard]] bool has_null(const SqlWhere& where) {
    if (where.where.text.empty()) {
      return false;
    }
    SqlWhere nulls = where;
    nulls.where.text = '(' + where.where.text + ") IS NULL";
    return !select(nulls).empty();
  }

 private:
  void fill(Generator& generator) {
    std::string names = "id";
    std::string marks = "?";
    for (const ColumnOf& column : kColumns) {
      names += "," + mysql::quote_identifier(column.name);
      marks += ",?";
    }
    mysql::Statement& insert =
        connection_.statements.get("INSERT INTO t(" + names + ")VALUES(" + marks + ")");
    for (int id = 1; id <= kRows; ++id) {
      mysql::Parameters parameters;
      parameters.add(std::int64_t{id});
      for (const ColumnOf& column : kColumns) {
        const Value value = generator.stored(column.name);
        if (value.is_null()) {
          parameters.add_null();
        } else {
          mysql::bind_plain(parameters, value);
        }
      }
      insert.run(parameters);
    }
  }

  mysql::Connection& connection_;
  mysql::TablePtr table_;
  std::vector<Row> rows_;
};

class MysqlFilterProperty : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    database_ = std::make_unique<MariadbDatabase>();
    connection_ = std::make_unique<mysql::Connection>(
        mysql::Options::from(SourceConfig::from_url(database_->url())), catalog_);
  }

  mysql::Catalog catalog_;
  std::unique_ptr<MariadbDatabase> database_;
  std::unique_ptr<mysql::Connection> connection_;
};

TEST_F(MysqlFilterProperty, SqlSelectsWhatTheEvaluatorSelects) {
  Generator generator(seed());
  Outcome outcome;
  for (int t = 0; t < kTables; ++t) {
    RandomTable table(*database_, *connection_, generator);
    ASSERT_EQ(table.rows().size(), std::size_t{kRows});
    const mysql::MySqlDialect dialect(table.table());
    for (int f = 0; f < kFiltersPerTable; ++f) {
      const Filter filter = Filter::parse(Value(generator.filter_here()));
      check_filter(table, dialect, filter, outcome);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  // The test must not pass by translating nothing or matching nothing.
  constexpr std::size_t kFilters = std::size_t{kTables} * kFiltersPerTable;
  EXPECT_GT(outcome.exact, kFilters / 3);
  EXPECT_GT(outcome.pushed, kFilters / 4);
  EXPECT_GT(outcome.matched, kFilters * kRows / 20);
}

TEST_F(MysqlFilterProperty, SqlSortsAsCompareValues) {
  Generator generator(seed());
  int sorted = 0;
  for (int t = 0; t < 2; ++t) {
    RandomTable table(*database_, *connection_, generator);
    const mysql::MySqlDialect dialect(table.table());
    for (const ColumnOf& column : kColumns) {
      for (const bool descending : {false, true}) {
        SCOPED_TRACE(column.name);
        sorted += check_sort(table, dialect, {{column.name, descending}, {"i", false}}) ? 1 : 0;
      }
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(sorted, 50);
}

TEST_F(MysqlFilterProperty, IndexesServePlainConditions) {
  database_->sql(
      "CREATE TABLE big(id BIGINT PRIMARY KEY, n INT, t VARCHAR(20), b VARBINARY(20), dm DATETIME, "
      "KEY(n), KEY(t), KEY(b), KEY(dm)); INSERT INTO big SELECT seq, seq, CONCAT('t', seq), "
      "CONCAT('b', seq), '2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_2000; ANALYZE TABLE big");
  const mysql::TablePtr table = catalog_.get(connection_->client, "big");
  const mysql::MySqlDialect dialect(table);
  for (const char* filter : {R"({"n":5})", R"({"n":{"$gt":1990}})", R"({"n":{"$in":[1,2,3]}})",
                             R"({"t":"t77"})", R"({"b":{"$eq":{"$type":"bytes","text":"Yjc3"}}})",
                             R"({"id":{"$lte":3}})", R"({"dm":{"$lt":"2026-01-01T00:00:09"}})"}) {
    const SqlWhere where = translate_filter(Filter::parse(filter), *table->schema, dialect);
    EXPECT_TRUE(where.exact) << filter;
    mysql::Parameters parameters;
    for (const Value& parameter : where.where.parameters) {
      mysql::bind_plain(parameters, parameter);
    }
    connection_->client.execute("FLUSH STATUS");
    mysql::Statement& select =
        connection_->statements.get("SELECT id FROM big WHERE " + where.where.text);
    select.run(parameters);
    const mysql::TextRows rows = connection_->client.query(
        "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%next'");
    int read = 0;
    for (const auto& row : rows) {
      read += std::stoi(row.at(1).value_or("0"));
    }
    EXPECT_LT(read, 100) << filter << ": " << where.where.text;
  }
}

}  // namespace
}  // namespace ustream::test
