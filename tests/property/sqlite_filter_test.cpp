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

namespace ustream {
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

struct Row {
  std::int64_t id = 0;
  Document document;
};

/// Random values, tables and filters.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

  double real() {
    static const std::vector<double> kReals{0.0,
                                            -0.0,
                                            0.1,
                                            -1.5,
                                            1.0,
                                            5.0,
                                            5.5,
                                            9007199254740992.0,
                                            9007199254740994.0,
                                            -9007199254740992.0,
                                            9223372036854775808.0,
                                            -9223372036854775808.0,
                                            9223372036854774784.0,
                                            18446744073709551616.0,
                                            18446744073709549568.0,
                                            1e300,
                                            -1e300,
                                            std::numeric_limits<double>::max(),
                                            std::numeric_limits<double>::denorm_min(),
                                            std::numeric_limits<double>::infinity(),
                                            -std::numeric_limits<double>::infinity()};
    return pick(kReals);
  }

  /// A finite double: few digits, an integer, or any bits.
  double ordinary_double() {
    switch (below(3)) {
      case 0:
        return (static_cast<double>(below(2'000'000)) - 1e6) /
               std::pow(10.0, static_cast<double>(below(8)));
      case 1:
        return static_cast<double>(static_cast<std::int64_t>(random_()));
      default: {
        const auto number = std::bit_cast<double>(random_());
        return std::isfinite(number) ? number : 0.25;
      }
    }
  }

  std::int64_t integer() {
    static const std::vector<std::int64_t> kIntegers{0,
                                                     1,
                                                     -1,
                                                     5,
                                                     6,
                                                     42,
                                                     140737488355327,
                                                     140737488355329,
                                                     9007199254740991,
                                                     9007199254740992,
                                                     9007199254740993,
                                                     9007199254740994,
                                                     -9007199254740993,
                                                     std::numeric_limits<std::int64_t>::max(),
                                                     std::numeric_limits<std::int64_t>::max() - 1,
                                                     std::numeric_limits<std::int64_t>::min(),
                                                     std::numeric_limits<std::int64_t>::min() + 1};
    return pick(kIntegers);
  }

  /// Valid UTF-8.
  std::string text() {
    static const std::vector<std::string> kTexts{"",
                                                 "a",
                                                 "A",
                                                 "ab",
                                                 "AB",
                                                 "b",
                                                 "abc",
                                                 "abd",
                                                 "5",
                                                 "5.0",
                                                 " 5 ",
                                                 "-1",
                                                 "1e3",
                                                 "+5",
                                                 ".5",
                                                 "9007199254740993",
                                                 "é",
                                                 "éa",
                                                 "ê",
                                                 "z",
                                                 "{",
                                                 "~",
                                                 "\x7f",
                                                 "\xc3\xbf",
                                                 "日本",
                                                 "日本語",
                                                 "\U0001F600",
                                                 "\U0010FFFF",
                                                 "%",
                                                 "_",
                                                 "a%b",
                                                 "a_b",
                                                 "a*b",
                                                 "[a]",
                                                 "?",
                                                 "\\",
                                                 "/",
                                                 "true",
                                                 "null",
                                                 "2026-01-01",
                                                 "2026-01-01T00:00:00Z",
                                                 "a ",
                                                 "abcab",
                                                 "bab",
                                                 "ab日c",
                                                 "0x10",
                                                 "Infinity"};
    if (chance(12)) {
      static const std::vector<std::string> kWithNul{std::string("a\0b", 3), std::string("\0", 1),
                                                     std::string("ab\0", 3), std::string("5\0", 2)};
      return pick(kWithNul);
    }
    std::string result = pick(kTexts);
    if (chance(6)) {
      result += pick(kTexts);
    }
    return result;
  }

  std::string bytes() {
    static const std::vector<std::string> kBytes{
        "", "a", "ab", "5", std::string("\0", 1), "\xff\xfe", "abc", "\xc3"};
    return pick(kBytes);
  }

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

  /// What a filter may compare with.
  Value constant() {
    switch (below(16)) {
      case 0:
        return {};
      case 1:
        return chance(2);
      case 2:
        return number_unlike_sqlite();
      case 3:
        return Decimal{std::to_string(integer()) + (chance(2) ? ".0" : ".5")};
      case 4:
        return Value::Array{Value(integer()), Value(text())};
      case 5:
        return Value::Object{{"a", Value(integer())}};
      case 6:
        return Bytes{bytes()};
      case 7:
        return Date{2026, 1, 1};
      case 8:
      case 9:
        return real();
      case 10:
      case 11:
      case 12:
        return integer();
      default:
        return text();
    }
  }

  Value number_unlike_sqlite() {
    static const std::vector<Value> kNumbers{
        std::numeric_limits<double>::quiet_NaN(),
        0.1F,
        5.0F,
        std::uint64_t{9223372036854775808U},
        std::uint64_t{9223372036854775809U},
        std::numeric_limits<std::uint64_t>::max(),
        Decimal{"0.1"},
        Decimal{"0.1000000000000000055511151231257827021181583404541015625"},
        Decimal{"9007199254740992.5"},
        Decimal{"9007199254740991.5"},
        Decimal{"-9007199254740993.5"},
        Decimal{"9223372036854775807.5"},
        Decimal{"-9223372036854775808.5"},
        Decimal{"9223372036854775808"},
        Decimal{"1e400"},
        Decimal{"-1e400"},
        Decimal{"1e-400"},
        Decimal{"5.00"},
        Decimal{"NaN"},
        Decimal{"Infinity"},
        Decimal{"-Infinity"}};
    return pick(kNumbers);
  }

  std::string like_pattern() {
    static const std::vector<std::string> kParts{"%",
                                                 "%",
                                                 "_",
                                                 "a",
                                                 "ab",
                                                 "b",
                                                 "5",
                                                 "é",
                                                 "日",
                                                 "\\%",
                                                 "\\_",
                                                 "\\\\",
                                                 "*",
                                                 "[",
                                                 "/",
                                                 "\x7f",
                                                 "A",
                                                 "\U0010FFFF",
                                                 std::string("\0", 1),
                                                 "c"};
    std::string pattern;
    for (std::size_t n = below(4); n > 0; --n) {
      pattern += pick(kParts);
    }
    return pattern;
  }

  std::string field() {
    static const std::vector<std::string> kFields{
        "i", "r", "t", "b", "n", "x", "c",       "o?d\"d", "i",
        "r", "t", "b", "n", "x", "c", "missing", "t.a",    "missing.a"};
    return pick(kFields);
  }

  Value::Array constants() {
    Value::Array result;
    for (std::size_t n = below(5); n > 0; --n) {
      result.push_back(constant());
    }
    return result;
  }

  Member field_operator() {
    static const std::vector<std::string> kComparisons{"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"};
    switch (below(12)) {
      case 0:
        return {"$in", constants()};
      case 1:
        return {"$nin", constants()};
      case 2:
        return {"$exists", chance(2)};
      case 3:
      case 4:
        return {"$like", like_pattern()};
      case 5:
        return {"$between", Value::Array{constant(), constant()}};
      case 6:
        return {"$regex", "^[a-c]+"};
      case 7:
        return {"$not", Value::Object{field_operator()}};
      default:
        return {pick(kComparisons), constant()};
    }
  }

  Value::Object filter(std::size_t depth) {
    if (depth > 0 && chance(2)) {
      static const std::vector<std::string> kLogical{"$and", "$or", "$nor"};
      Value::Array parts;
      for (std::size_t n = 1 + below(3); n > 0; --n) {
        parts.emplace_back(filter(depth - 1));
      }
      return {{pick(kLogical), std::move(parts)}};
    }
    return {{field(), Value::Object{field_operator()}}};
  }

 private:
  std::mt19937_64 random_;
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

std::uint64_t seed() {
  const char* text = std::getenv("USTREAM_PROPERTY_SEED");
  const std::uint64_t value =
      text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
  std::cout << "USTREAM_PROPERTY_SEED=" << value << '\n';
  return value;
}

struct Outcome {
  std::size_t exact = 0;
  std::size_t pushed = 0;
  std::size_t matched = 0;
};

void check_filter(const RandomTable& table, const Filter& filter, Outcome& outcome) {
  SCOPED_TRACE(filter.canonical());
  const SqlWhere where = translate_filter(filter, table.schema(), sqlite::SqliteDialect());
  SCOPED_TRACE(where.where.text);
  const std::vector<std::int64_t> selected = table.select(where);
  const std::set<std::int64_t> found(selected.begin(), selected.end());
  ASSERT_EQ(found.size(), selected.size());
  for (const Row& row : table.rows()) {
    const bool matches = filter.matches(row.document);
    outcome.matched += matches ? 1 : 0;
    if (where.exact) {
      ASSERT_EQ(found.contains(row.id), matches) << row.document.get("id")->as_int64();
    } else if (matches) {
      ASSERT_TRUE(found.contains(row.id)) << "row " << row.id << " is lost";
    }
  }
  ASSERT_FALSE(table.has_null(where));
  outcome.exact += where.exact ? 1 : 0;
  outcome.pushed += where.where.text.empty() ? 0 : 1;
}

TEST(SqliteFilterProperty, SqlSelectsWhatTheEvaluatorSelects) {
  Generator generator(seed());
  Outcome outcome;
  for (int t = 0; t < kTables; ++t) {
    const RandomTable table(generator);
    for (int f = 0; f < kFiltersPerTable; ++f) {
      const Filter filter = Filter::parse(Value(generator.filter(2)));
      check_filter(table, filter, outcome);
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
      const auto order = translate_sort(sort, table.schema(), sqlite::SqliteDialect());
      ASSERT_TRUE(order.has_value());
      SCOPED_TRACE(*order);
      RowSorter sorter(sort, 0, std::nullopt);
      for (const Row& row : table.rows()) {
        sorter.push(row.document);  // by id, which breaks ties as the key does
      }
      std::vector<std::int64_t> sorted;
      for (const Document& row : sorter.finish()) {
        sorted.push_back(row.get("id")->as_int64());
      }
      ASSERT_EQ(table.select({}, *order), sorted);
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
    values.push_back(generator.chance(3) ? generator.number_unlike_sqlite() : generator.constant());
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
}  // namespace ustream
