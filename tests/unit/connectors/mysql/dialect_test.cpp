#include "connectors/mysql/dialect.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "ustream/json.hpp"

#include "connectors/mysql/catalog.hpp"

namespace ustream::mysql {
namespace {

TEST(MysqlCatalog, ReadsLabels) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(parse_labels("enum('a','b')"), (Labels{"a", "b"}));
  EXPECT_EQ(parse_labels("set('it''s','x,y','')"), (Labels{"it's", "x,y", ""}));
  EXPECT_EQ(parse_labels("enum('(',')')"), (Labels{"(", ")"}));
  EXPECT_EQ(parse_labels("int(11)"), Labels());
  EXPECT_EQ(parse_labels("enum('cut"), (Labels{"cut"}));
}

/// One table with a column of each sort that the conditions differ by.
TablePtr table() {
  auto table = std::make_shared<Table>();
  const auto add = [&](const char* name, ColumnKind kind, const char* charset = "",
                       const char* collation = "") {
    TableColumn& column = table->columns.emplace_back();
    column.name = name;
    column.kind = kind;
    column.charset = charset;
    column.collation = collation;
    column.max_length = 50;
  };
  add("id", ColumnKind::integer);
  add("u", ColumnKind::integer);
  table->columns.back().is_unsigned = true;
  add("r", ColumnKind::float64);
  add("t", ColumnKind::text, "utf8mb4", "utf8mb4_general_ci");
  add("x", ColumnKind::text, "utf8mb4", "utf8mb4_0900_bin");
  add("l", ColumnKind::text, "latin1", "latin1_swedish_ci");
  add("s", ColumnKind::set);
  add("j", ColumnKind::json);
  add("big", ColumnKind::text, "utf8mb4", "utf8mb4_bin");
  table->columns.back().max_length = 5000;
  std::vector<Column> columns;
  std::transform(
      table->columns.begin(), table->columns.end(), std::back_inserter(columns),
      [](const TableColumn& column) { return Column{column.name, {}, KeyAffinity::number, true}; });
  table->schema =
      std::make_shared<const Schema>("t", std::move(columns), std::vector<std::size_t>{0});
  return table;
}

/// "SQL | parameters", with a ~ when it is a superset.
std::string sql(const char* filter) {
  const TablePtr of = table();
  const SqlWhere where = translate_filter(Filter::parse(filter), *of->schema, MySqlDialect(of));
  std::string text = (where.exact ? "" : "~") + where.where.text + " |";
  for (const Value& parameter : where.where.parameters) {
    text += " " + to_json(parameter);
  }
  return text;
}

TEST(MysqlDialect, AsksAnIntegerColumnForIntegers) {
  EXPECT_EQ(sql(R"({"id":{"$lt":2.5}})"), "(`id` IS NOT NULL AND `id`<=?) | 2");
  EXPECT_EQ(sql(R"({"id":{"$gte":2.5}})"), "(`id` IS NOT NULL AND `id`>?) | 2");
  EXPECT_EQ(sql(R"({"id":2.5})"), "(1=0) |");
  EXPECT_EQ(sql(R"({"id":2.0})"), "(`id` IS NOT NULL AND `id`=?) | 2");
  EXPECT_EQ(sql(R"({"id":{"$lt":1e300}})"), "(`id` IS NOT NULL) |");
  EXPECT_EQ(sql(R"({"u":{"$gt":-1}})"), "(`u` IS NOT NULL) |");
  EXPECT_EQ(sql(R"({"u":18446744073709551615})"),
            "(`u` IS NOT NULL AND `u`=?) | 18446744073709551615");
  EXPECT_EQ(sql(R"({"id":{"$in":[1,2.5,"3",4.0]}})"), "(`id` IS NOT NULL AND `id` IN (?,?)) | 1 4");
}

TEST(MysqlDialect, AsksADoubleColumnForTheNextDouble) {
  EXPECT_EQ(sql(R"({"r":{"$lt":9007199254740993}})"),
            "(`r` IS NOT NULL AND `r`<=?) | 9007199254740992.0");
  EXPECT_EQ(sql(R"({"r":9007199254740993})"), "(1=0) |");
}

TEST(MysqlDialect, ComparesTextByItsBytesAndNamesTheColumnForItsIndex) {
  EXPECT_EQ(sql(R"({"t":"a"})"),
            "(`t` IS NOT NULL AND CAST(`t` AS BINARY)=? AND `t`=?) | \"YQ==\" \"a\"");
  EXPECT_EQ(sql(R"({"t":{"$gt":"a"}})"), "(`t` IS NOT NULL AND CAST(`t` AS BINARY)>?) | \"YQ==\"");
  EXPECT_EQ(sql(R"({"x":{"$gt":"a"}})"), "(`x` IS NOT NULL AND `x`>?) | \"a\"");
  EXPECT_EQ(sql(R"({"l":"a"})"),
            "(`l` IS NOT NULL AND CAST(CONVERT(`l` USING utf8mb4) AS BINARY)=?) | \"YQ==\"");
  EXPECT_EQ(sql(R"({"t":5})"), "(1=0) |");
}

TEST(MysqlDialect, LeavesToTheEvaluatorWhatSqlCannotSay) {
  EXPECT_EQ(sql(R"({"s":"a"})"), "~ |");
  EXPECT_EQ(sql(R"({"j":null})"), "~ |");
  EXPECT_EQ(sql(R"({"id":1,"j":5})"), "~(`id` IS NOT NULL AND `id`=?) | 1");
}

TEST(MysqlDialect, SortsInSqlWhatTheServerSortsByAllItsBytes) {
  const TablePtr of = table();
  const MySqlDialect dialect(of);
  EXPECT_EQ(translate_sort({{"t", true}}, *of->schema, dialect),
            "CAST(`t` AS BINARY) DESC, `id` ASC");
  EXPECT_EQ(translate_sort({{"big", false}}, *of->schema, dialect), std::nullopt);
  EXPECT_EQ(translate_sort({{"j", false}}, *of->schema, dialect), std::nullopt);
}

}  // namespace
}  // namespace ustream::mysql
