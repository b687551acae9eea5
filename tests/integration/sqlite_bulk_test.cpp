// Bulks: operations of the same form share a statement, which must not show.
#include "sqlite_fixture.hpp"

namespace ustream::test {
namespace {

class SqliteBulk : public SqliteTest {
 protected:
  static BulkOperation merge(int key, Value::Object data) {
    return {"t", std::to_string(key), std::move(data), WriteMode::merge};
  }
  BulkReport bulk(const std::vector<BulkOperation>& operations) {
    return connector().crud()->bulk(operations);
  }
  static std::vector<std::size_t> indexes(const BulkReport& report) {
    std::vector<std::size_t> result;
    for (const BulkFailure& failure : report.failures) {
      result.push_back(failure.index);
    }
    return result;
  }
};

TEST_F(SqliteBulk, EachFailureIsThatOfItsOperationAndTheOthersAreDone) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER CHECK (n <> 50), m INTEGER)");
  watch({"t"});
  std::vector<BulkOperation> operations;
  for (int i = 0; i < 100; ++i) {
    operations.push_back(merge(i, {{"n", i}}));
  }
  operations[3].data = Value::Object{{"nonsense", 1}};
  operations[60].data = Value::Object{{"n", Value(Decimal{"1e999"})}};
  operations[70].data = Value::Object{{"id", 71}, {"n", 70}};
  const BulkReport report = bulk(operations);
  EXPECT_EQ(report.ok, 96U);
  EXPECT_EQ(indexes(report), (std::vector<std::size_t>{3, 50, 60, 70}));
  EXPECT_EQ(report.failures[1].kind, ErrorKind::conflict);
  EXPECT_EQ(report.failures[2].kind, ErrorKind::validation);
  EXPECT_EQ(table("SELECT count(*), sum(id = n) FROM t"), "96|96\n");
  // What failed together with others left no trace of them.
  EXPECT_EQ(told().changes().size(), 96U);
}

TEST_F(SqliteBulk, OperationsOnOneKeyFollowEachOther) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, m INTEGER)");
  watch({"t"});
  std::vector<BulkOperation> operations{merge(1, {{"n", 1}}), merge(1, {{"n", 2}}),
                                        merge(1, {{"m", 3}}), merge(2, {{"n", 4}, {"id", 2}}),
                                        merge(1, {{"n", 5}})};
  operations.push_back({"t", "1", std::nullopt, WriteMode::merge});
  operations.push_back(merge(1, {{"m", 6}}));
  EXPECT_EQ(bulk(operations).ok, 7U);
  EXPECT_EQ(table("SELECT * FROM t ORDER BY id"), "1|null|6\n2|4|null\n");
  EXPECT_EQ(told().lines(),
            (Lines{R"(c 1 {"id":1,"n":1,"m":null})",
                   R"(u 1 {"id":1,"n":2,"m":null} <- {"id":1,"n":1,"m":null})",
                   R"(u 1 {"id":1,"n":2,"m":3} <- {"id":1,"n":2,"m":null})",
                   R"(c 2 {"id":2,"n":4,"m":null})",
                   R"(u 1 {"id":1,"n":5,"m":3} <- {"id":1,"n":2,"m":3})",
                   R"(d 1 <- {"id":1,"n":5,"m":3})", R"(c 1 {"id":1,"n":null,"m":6})"}));
}

TEST_F(SqliteBulk, AConstraintThatKeepsTheRowsBeforeItDoesNotRepeatThem) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER UNIQUE ON CONFLICT FAIL)");
  watch({"t"});
  std::vector<BulkOperation> operations;
  for (int i = 0; i < 64; ++i) {
    operations.push_back(merge(i, {{"n", i == 40 ? 7 : i}}));
  }
  const BulkReport report = bulk(operations);
  EXPECT_EQ(report.ok, 63U);
  EXPECT_EQ(indexes(report), std::vector<std::size_t>{40});
  EXPECT_EQ(told().changes().size(), 63U);
}

TEST_F(SqliteBulk, ARowThatATriggerPassesOverEndsNothing) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);"
      "CREATE TRIGGER odd BEFORE INSERT ON t WHEN NEW.id % 2 BEGIN SELECT RAISE(IGNORE); END");
  std::vector<BulkOperation> operations;
  for (int i = 0; i < 64; ++i) {
    operations.push_back(merge(i, {{"n", i}}));
  }
  EXPECT_EQ(bulk(operations).ok, 64U);
  EXPECT_EQ(table("SELECT count(*) FROM t"), "32\n");
}

TEST_F(SqliteBulk, ARollbackByATriggerCostsOnlyItsOwnOperation) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);"
      "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.id = 40 BEGIN SELECT RAISE(ROLLBACK, 'no'); "
      "END");
  std::vector<BulkOperation> operations;
  for (int i = 0; i < 64; ++i) {
    operations.push_back(merge(i, {{"n", i}}));
  }
  const BulkReport report = bulk(operations);
  EXPECT_EQ(report.ok, 63U);
  EXPECT_EQ(indexes(report), std::vector<std::size_t>{40});
  EXPECT_EQ(table("SELECT count(*) FROM t"), "63\n");
}

}  // namespace
}  // namespace ustream::test
