#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "ustream/query.hpp"
#include "ustream/sql_dialect.hpp"

#include "connectors/sqlite/dialect.hpp"

namespace ustream {
namespace {

const Schema& orders() {
  static const Schema kSchema("orders",
                              {{"id", "INTEGER", KeyAffinity::number, false},
                               {"note", "TEXT", KeyAffinity::text, true},
                               {"total", "NUMERIC", KeyAffinity::number, true},
                               {"a.b", "", KeyAffinity::any, true}},
                              {0});
  return kSchema;
}

SqlWhere translate(std::string_view filter, std::size_t first = 1) {
  return translate_filter(Filter::parse(filter), orders(), sqlite::SqliteDialect(), first);
}

/// A dialect that knows equality only, with numbered dollars.
class TinyDialect final : public SqlDialect {
 public:
  std::string quote(std::string_view name) const override { return "[" + std::string(name) + "]"; }
  std::string placeholder(std::size_t n) const override { return "$" + std::to_string(n); }
  std::optional<SqlFragment> compare_sql(const Column& /*column*/, std::string_view quoted,
                                         Comparison op, const Value& value,
                                         bool& /*exact*/) const override {
    if (op != Comparison::equal) {
      return std::nullopt;
    }
    return SqlFragment{std::string(quoted) + "=" + kParameterMark, {value}};
  }
  std::optional<SqlFragment> null_sql(const Column& /*column*/,
                                      std::string_view quoted) const override {
    return SqlFragment{std::string(quoted) + " IS NULL", {}};
  }
  std::optional<SqlFragment> in_sql(const Column& /*column*/, std::string_view /*quoted*/,
                                    const std::vector<Value>& /*values*/,
                                    bool& /*exact*/) const override {
    return std::nullopt;
  }
  std::optional<SqlFragment> like_sql(const Column& /*column*/, std::string_view quoted,
                                      std::string_view pattern, bool& exact) const override {
    exact = false;
    return SqlFragment{std::string(quoted) + " ~ " + kParameterMark, {Value(pattern)}};
  }
  std::optional<std::string> order_sql(const Column& column, std::string_view quoted,
                                       bool descending) const override {
    if (column.name == "note") {
      return std::nullopt;
    }
    return std::string(quoted) + (descending ? " DESC" : "");
  }
};

std::string tiny(std::string_view filter) {
  const SqlWhere where = translate_filter(Filter::parse(filter), orders(), TinyDialect());
  return where.where.text + (where.exact ? "" : " inexact");
}

TEST(TranslateFilter, PutsValuesInParametersNeverInTheText) {
  const SqlWhere where = translate(R"({"note":"x' OR 1=1 --","id":{"$in":[7,"seven"]}})");
  EXPECT_TRUE(where.exact);
  EXPECT_EQ(where.where.text.find("OR 1=1"), std::string::npos);
  EXPECT_EQ(where.where.text.find("seven"), std::string::npos);
  EXPECT_EQ(where.where.parameters.size(), 3U);
}

TEST(TranslateFilter, NumbersPlaceholdersFromTheFirst) {
  const SqlWhere where = translate(R"({"$and":[{"id":7},{"total":{"$gt":8}}]})", 4);
  EXPECT_EQ(where.where.text, R"(((typeof("id") IN ('integer','real') AND "id" = ?4) AND )"
                              R"((typeof("total") IN ('integer','real') AND "total" > ?5)))");
  EXPECT_EQ(where.where.parameters, (std::vector<Value>{7, 8}));
}

TEST(TranslateFilter, QuotesIdentifiers) {
  EXPECT_EQ(sqlite::SqliteDialect().quote("a\"b?"), "\"a\"\"b?\"");
}

TEST(TranslateFilter, FieldsThatAreNoColumnsAreMissing) {
  EXPECT_EQ(tiny(R"({"ghost":5})"), "1=0");
  EXPECT_EQ(tiny(R"({"ghost":null})"), "");
  EXPECT_EQ(tiny(R"({"ghost":{"$ne":5}})"), "");
  EXPECT_EQ(tiny(R"({"ghost":{"$exists":false},"id":1})"), "([id]=$1)");
  EXPECT_EQ(tiny(R"({"$or":[{"ghost":5},{"id":1}]})"), "([id]=$1)");
  EXPECT_EQ(tiny(R"({"id":{"$exists":true}})"), "");
  EXPECT_EQ(tiny(R"({"id":{"$exists":false}})"), "1=0");
}

TEST(TranslateFilter, LeavesOutWhatTheDialectCannotSay) {
  EXPECT_EQ(tiny(R"({"id":1,"total":{"$gt":5}})"), "([id]=$1) inexact");
  EXPECT_EQ(tiny(R"({"$or":[{"id":1},{"total":{"$gt":5}}]})"), " inexact");
  EXPECT_EQ(tiny(R"({"total":{"$not":{"$gt":5}}})"), " inexact");
  EXPECT_EQ(tiny(R"({"note":{"$like":"a%"}})"), "([note] ~ $1) inexact");
  EXPECT_EQ(tiny(R"({"note":{"$not":{"$like":"a%"}}})"), " inexact");
  EXPECT_EQ(tiny(R"({"note":{"$regex":"a"}})"), " inexact");
  EXPECT_EQ(tiny(R"({"note.x":1})"), " inexact");
  EXPECT_EQ(tiny(R"({"a.b":1})"), "([a.b]=$1)");
  EXPECT_EQ(tiny(R"({"$or":[{"id":{"$exists":true}},{"note":{"$regex":"a"}}]})"), "");
  EXPECT_EQ(tiny("{}"), "");
}

TEST(TranslateFilter, SaysInAsADisjunctionWhereTheDialectHasNone) {
  EXPECT_EQ(tiny(R"({"id":{"$in":[1,null,2]}})"), "(([id] IS NULL) OR (([id]=$1) OR ([id]=$2)))");
  EXPECT_EQ(tiny(R"({"id":{"$nin":[1]}})"), "(NOT ([id]=$1))");
  EXPECT_EQ(tiny(R"({"id":{"$in":[]}})"), "1=0");
}

/// {"$or":[{"note":{"$like":"p…0%x"}},…]}
std::string many_patterns(int count) {
  std::string filter = R"({"$or":[)";
  for (int i = 0; i < count; ++i) {
    filter += R"({"note":{"$like":"p)" + std::to_string(i) + R"(%x"}},)";
  }
  return filter + R"({"id":1}]})";
}

TEST(TranslateFilter, FiltersTooLargeForAStatementAreNotTranslated) {
  const SqlWhere where = translate(many_patterns(4'000));
  EXPECT_TRUE(where.where.text.empty());
  EXPECT_TRUE(where.where.parameters.empty());
  EXPECT_FALSE(where.exact);
}

TEST(TranslateFilter, AColumnNameThatNoSqlCanHoldIsLeftOut) {
  const Schema schema("t", {{std::string("a\0b", 3), "", KeyAffinity::any, true}}, {});
  const Filter filter = Filter::parse(Value(Value::Object{{std::string("a\0b", 3), Value(1)}}));
  const SqlWhere where = translate_filter(filter, schema, sqlite::SqliteDialect());
  EXPECT_EQ(where.where.text, "");
  EXPECT_FALSE(where.exact);
}

TEST(TranslateSort, AppendsTheKeyAndPassesOverMissingFields) {
  const auto order = [](std::string_view sort) {
    return translate_sort(parse_sort(sort), orders(), TinyDialect());
  };
  EXPECT_EQ(order(R"({"total":-1})"), "[total] DESC, [id]");
  EXPECT_EQ(order(R"({"id":-1,"total":1})"), "[id] DESC, [total]");
  EXPECT_EQ(order(R"({"ghost":1,"ghost.x":1})"), "[id]");
  EXPECT_EQ(order(R"({"note":1})"), std::nullopt);
  EXPECT_EQ(order(R"({"total.x":1})"), std::nullopt);
  EXPECT_EQ(order(R"({"a.b":1})"), "[a.b], [id]");
  EXPECT_EQ(translate_sort({}, Schema("t", {{"x", "", KeyAffinity::any, true}}, {}), TinyDialect()),
            "");
}

TEST(SqliteDialect, LikeIsExactWhereItsPartsAre) {
  const auto exact = [](std::string_view pattern) {
    return translate("{\"note\":{\"$like\":\"" + std::string(pattern) + "\"}}").exact;
  };
  for (const char* pattern : {"", "abc", "%", "abc%", "%abc", "%abc%", "a%c"}) {
    EXPECT_TRUE(exact(pattern)) << pattern;
  }
  for (const char* pattern : {"a_c", "%a%b%", "a%b%c", "_"}) {
    EXPECT_FALSE(exact(pattern)) << pattern;
  }
}

TEST(SqliteDialect, TextOfUtf16DatabasesIsLeftToTheEvaluator) {
  const sqlite::SqliteDialect dialect(sqlite::TextEncoding::utf16);
  const auto where = [&](std::string_view filter) {
    return translate_filter(Filter::parse(filter), orders(), dialect);
  };
  EXPECT_FALSE(where(R"({"note":"x"})").exact);
  EXPECT_FALSE(where(R"({"note":{"$in":["x"]}})").exact);
  EXPECT_FALSE(where(R"({"note":{"$like":"x%"}})").exact);
  EXPECT_TRUE(where(R"({"id":1,"note":null})").exact);
  EXPECT_EQ(translate_sort({{"id", false}}, orders(), dialect), std::nullopt);
}

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};

/// SQLite's plan for the filter on a table with indexes on all columns.
std::string plan(std::string_view filter) {
  sqlite3* raw = nullptr;
  EXPECT_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
  const std::unique_ptr<sqlite3, CloseDatabase> database(raw);
  sqlite3_exec(raw,
               "CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT, total NUMERIC, \"a.b\");"
               "CREATE INDEX n ON orders(note); CREATE INDEX t ON orders(total);",
               nullptr, nullptr, nullptr);
  const std::string sql =
      "EXPLAIN QUERY PLAN SELECT * FROM orders WHERE " + translate(filter).where.text;
  std::string result;
  const auto append = [](void* out, int count, char** values, char** /*names*/) {
    *static_cast<std::string*>(out) += values[count - 1];
    return 0;
  };
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), append, &result, &message), SQLITE_OK)
      << sql << (message == nullptr ? "" : message);
  sqlite3_free(message);
  return result;
}

TEST(SqliteDialect, LetsSqliteUseItsIndexes) {
  EXPECT_EQ(plan(R"({"id":5})"), "SEARCH orders USING INTEGER PRIMARY KEY (rowid=?)");
  EXPECT_EQ(plan(R"({"note":"x"})"), "SEARCH orders USING INDEX n (note=?)");
  EXPECT_EQ(plan(R"({"note":{"$in":["x","y"]}})"), "SEARCH orders USING INDEX n (note=?)");
  EXPECT_EQ(plan(R"({"total":{"$between":[1,2]}})"),
            "SEARCH orders USING INDEX t (total>? AND total<?)");
  EXPECT_EQ(plan(R"({"note":{"$like":"ab%"}})"), "SEARCH orders USING INDEX n (note>? AND note<?)");
  EXPECT_NE(plan(many_patterns(1'100)), "");  // neither too deep nor too long for SQLite
  EXPECT_EQ(plan(R"({"note":null})"), "SEARCH orders USING INDEX n (note=?)");
}

}  // namespace
}  // namespace ustream
