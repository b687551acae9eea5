// What SQLite selects through a translated filter is what the evaluator selects, on random tables,
// values and filters. USTREAM_PROPERTY_SEED repeats a run.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "ustream/json.hpp"
#include "ustream/query.hpp"
#include "ustream/sql_dialect.hpp"

#include "connectors/sqlite/dialect.hpp"
#include "filter_property.hpp"

namespace ustream::test {
namespace {

constexpr int kTables = 40;
constexpr int kFiltersPerTable = 400;
constexpr int kRows = 60;

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using DatabasePtr = std::unique_ptr<sqlite3, CloseDatabase>;
using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalize>;

DatabasePtr open_memory() {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open(":memory:", &raw);
  DatabasePtr database(raw);
  if (status != SQLITE_OK) {
    throw std::runtime_error("cannot open a database in memory");
  }
  return database;
}

StatementPtr prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sqlite3_errmsg(database)) + "\n  " + sql);
  }
  return StatementPtr(raw);
}

void execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sqlite3_errmsg(database)) + "\n  " + sql);
  }
}

void bind(sqlite3_stmt* statement, int at, const Value& value) {
  int status = SQLITE_OK;
  if (const auto* integer = value.get_if<std::int64_t>()) {
    status = sqlite3_bind_int64(statement, at, *integer);
  } else if (const auto* real = value.get_if<double>()) {
    status = sqlite3_bind_double(statement, at, *real);
  } else if (const auto* text = value.get_if<std::string>()) {
    status = sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8);
  } else if (const auto* bytes = value.get_if<Bytes>()) {
    status = bytes->data.empty() ? sqlite3_bind_zeroblob(statement, at, 0)
                                 : sqlite3_bind_blob64(statement, at, bytes->data.data(),
                                                       bytes->data.size(), SQLITE_TRANSIENT);
  } else if (value.is_null()) {
    status = sqlite3_bind_null(statement, at);
  } else {
    throw std::runtime_error("a parameter that SQLite has no storage class for");
  }
  if (status != SQLITE_OK) {
    throw std::runtime_error("a parameter cannot be bound");
  }
}

Value column_value(sqlite3_stmt* statement, int at) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, at)); };
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, at));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, at);
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(statement, at);
      return std::string(text, text + size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, at));
      return bytes == nullptr ? Bytes{} : Bytes{std::string(bytes, size())};
    }
    default:
      return {};
  }
}

/// Filters over the columns below, and what their rows may hold.
class Generator : public FilterGenerator {
 public:
  explicit Generator(std::uint64_t seed)
      : FilterGenerator(seed, {"i", "r", "t", "b", "n", "x", "c", "o?d\"d", "i", "r", "t", "b", "n",
                               "x", "c", "missing", "t.a", "missing.a"}) {}

  /// What a row may hold.
  Value stored() {
    switch (below(10)) {
      case 0:
      case 1:
        return {};
      case 2:
      case 3:
      case 4:
        return integer();
      case 5:
      case 6:
        return real();
      case 7:
        return Bytes{bytes()};
      default:
        // SQLite keeps text that is not valid UTF-8 as it is.
        return chance(10) ? "a" + bytes() + "\xa9" : text();
    }
  }
};

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns{{"id", "INTEGER", KeyAffinity::number, false},
                                            {"i", "INTEGER", KeyAffinity::number, true},
                                            {"r", "REAL", KeyAffinity::number, true},
                                            {"t", "TEXT", KeyAffinity::text, true},
                                            {"b", "BLOB", KeyAffinity::bytes, true},
                                            {"n", "NUMERIC", KeyAffinity::number, true},
                                            {"x", "", KeyAffinity::any, true},
                                            {"c", "VARCHAR(9)", KeyAffinity::text, true},
                                            {"o?d\"d", "DOUBLE", KeyAffinity::number, true}};
  return kColumns;
}

/// A table of every affinity, filled at random, with an index on some of its columns.
class RandomTable {
 public:
  explicit RandomTable(Generator& generator)
      : database_(open_memory()), schema_("t", columns(), {0}) {
    create(generator);
    fill(generator);
    read();
  }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] const Schema& schema() const { return schema_; }

  [[nodiscard]] std::vector<std::int64_t> select(const SqlWhere& where,
                                                 const std::string& order = {}) const {
    std::string sql = "SELECT id FROM t";
    if (!where.where.text.empty()) {
      sql += " WHERE " + where.where.text;
    }
    if (!order.empty()) {
      sql += " ORDER BY " + order;
    }
    const StatementPtr statement = prepare(database_.get(), sql);
    int at = 0;
    for (const Value& parameter : where.where.parameters) {
      bind(statement.get(), ++at, parameter);
    }
    if (sqlite3_bind_parameter_count(statement.get()) != at) {
      throw std::runtime_error("parameters do not fit the text: " + sql);
    }
    std::vector<std::int64_t> ids;
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
      ids.push_back(sqlite3_column_int64(statement.get(), 0));
    }
    return ids;
  }

  /// Whether the clause is NULL for some row.
  [[nodiscard]] bool has_null(const SqlWhere& where) const {
    if (where.where.text.empty()) {
      return false;
    }
    SqlWhere nulls = where;
    nulls.where.text = '(' + where.where.text + ") IS NULL";
    return !select(nulls).empty();
  }

 private:
  void create(Generator& generator) {
    const sqlite::SqliteDialect dialect;
    std::string sql = "CREATE TABLE t(";
    for (const Column& column : columns()) {
      sql += (column.name == "id" ? "" : ", ") + dialect.quote(column.name) + ' ' +
             column.declared_type;
      sql += column.name == "id" ? " PRIMARY KEY" : column.name == "c" ? " COLLATE NOCASE" : "";
    }
    execute(database_.get(), sql + ")");
    for (const Column& column : columns()) {
      if (generator.chance(2)) {
        const std::string name = dialect.quote(column.name);
        execute(database_.get(), "CREATE INDEX " + dialect.quote("index of " + column.name) +
                                     " ON t(" + name +
                                     (generator.chance(2) ? " COLLATE BINARY)" : ")"));
      }
    }
  }

  void fill(Generator& generator) {
    const StatementPtr insert = prepare(database_.get(), "INSERT INTO t VALUES(?,?,?,?,?,?,?,?,?)");
    for (int id = 1; id <= kRows; ++id) {
      bind(insert.get(), 1, Value(id));
      for (int at = 2; at <= 9; ++at) {
        bind(insert.get(), at, generator.stored());
      }
      if (sqlite3_step(insert.get()) != SQLITE_DONE) {
        throw std::runtime_error(sqlite3_errmsg(database_.get()));
      }
      sqlite3_reset(insert.get());
    }
    execute(database_.get(), "ANALYZE");
  }

  void read() {
    const StatementPtr all = prepare(database_.get(), "SELECT * FROM t ORDER BY id");
    while (sqlite3_step(all.get()) == SQLITE_ROW) {
      Value::Object fields;
      int at = 0;
      for (const Column& column : columns()) {
        fields.push_back({column.name, column_value(all.get(), at++)});
      }
      rows_.push_back({sqlite3_column_int64(all.get(), 0), Document(std::move(fields))});
    }
  }

  DatabasePtr database_;
  Schema schema_;
  std::vector<Row> rows_;
};

TEST(SqliteFilterProperty, SqlSelectsWhatTheEvaluatorSelects) {
  Generator generator(seed());
  Outcome outcome;
  for (int t = 0; t < kTables; ++t) {
    const RandomTable table(generator);
    for (int f = 0; f < kFiltersPerTable; ++f) {
      const Filter filter = Filter::parse(Value(generator.filter(2)));
      check_filter(table, sqlite::SqliteDialect(), filter, outcome);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  // The test must not pass by translating nothing or matching nothing.
  constexpr std::size_t kFilters = std::size_t{kTables} * kFiltersPerTable;
  EXPECT_GT(outcome.exact, kFilters / 2);
  EXPECT_GT(outcome.pushed, kFilters / 3);
  EXPECT_GT(outcome.matched, kFilters * kRows / 20);
}

TEST(SqliteFilterProperty, CanonicalTextParsesToTheSameFilter) {
  Generator generator(seed());
  const RandomTable table(generator);
  for (int f = 0; f < 1000; ++f) {
    const Filter filter = Filter::parse(Value(generator.filter(3)));
    SCOPED_TRACE(filter.canonical());
    const Filter again = Filter::parse(filter.canonical());
    ASSERT_EQ(again.canonical(), filter.canonical());
    for (const Row& row : table.rows()) {
      ASSERT_EQ(again.matches(row.document), filter.matches(row.document));
    }
  }
}

TEST(SqliteFilterProperty, IndexableEqualityHoldsForEveryMatchAndHashesAlike) {
  Generator generator(seed());
  const RandomTable table(generator);
  Scratch scratch;
  for (int f = 0; f < 4000; ++f) {
    const Filter filter = Filter::parse(Value(generator.filter(1)));
    const auto equality = filter.indexable_equality();
    for (const Row& row : table.rows()) {
      if (!equality || !filter.matches(row.document)) {
        continue;
      }
      const auto value = row.document.view(equality->field, scratch);
      ASSERT_TRUE(value.has_value()) << filter.canonical();
      ASSERT_TRUE(values_equal(*value, equality->value)) << filter.canonical();
      ASSERT_EQ(hash_value(*value), hash_value(equality->value)) << filter.canonical();
    }
  }
}

TEST(SqliteFilterProperty, SqlSortsAsCompareValues) {
  Generator generator(seed());
  for (int t = 0; t < kTables; ++t) {
    const RandomTable table(generator);
    for (int s = 0; s < 20; ++s) {
      std::vector<SortField> sort;
      for (std::size_t n = 1 + generator.below(3); n > 0; --n) {
        sort.push_back({generator.pick(columns()).name, generator.chance(2)});
      }
      ASSERT_TRUE(check_sort(table, sqlite::SqliteDialect(), sort));
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST(CompareProperty, DecimalsCompareWithDoublesByEveryDigit) {
  Generator generator(seed());
  for (int i = 0; i < 20'000; ++i) {
    // The digits of a double, all of them or cut, and with the last one moved: the reference says
    // them all and compares as decimals do.
    const double number = generator.ordinary_double();
    std::array<char, 1200> buffer{};
    const auto print = [&](double value, int digits) {
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::scientific, digits);
      return std::string(buffer.data(), end.ptr);
    };
    const std::string exact = print(number, 766);
    std::string near = print(number, static_cast<int>(generator.below(25)));
    if (generator.chance(3)) {
      near[near.find('e') - 1] = static_cast<char>('0' + generator.below(10));
    }
    const Value decimal = Decimal{near};
    ASSERT_EQ(compare_values(decimal, Value(number)),
              compare_values(decimal, Value(Decimal{exact})))
        << near << " and " << exact;
    ASSERT_EQ(compare_values(Value(Decimal{exact}), Value(number)), 0) << exact;
  }
}

TEST(CompareProperty, OrderIsTotalAndEqualValuesHashAlike) {
  Generator generator(seed());
  std::vector<Value> values;
  values.reserve(120);
  for (int i = 0; i < 120; ++i) {
    values.push_back(generator.chance(3) ? generator.odd_number() : generator.constant());
  }
  for (const Value& a : values) {
    ASSERT_EQ(compare_values(a, a), 0);
    for (const Value& b : values) {
      const int order = compare_values(a, b);
      ASSERT_EQ(order, -compare_values(b, a));
      if (order == 0) {
        ASSERT_EQ(hash_value(a), hash_value(b));
      }
      for (const Value& c : values) {
        if (order <= 0 && compare_values(b, c) <= 0) {
          ASSERT_LE(compare_values(a, c), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace ustream::test
