// What the capture tells of every way to change a row that SQLite knows.
#include "sqlite_fixture.hpp"

namespace ustream::test {
namespace {

class SqliteCapture : public SqliteTest {};

TEST_F(SqliteCapture, TellsValuesWithTheirExactStorageClass) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, i INTEGER, r REAL, x, s TEXT, b BLOB)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1, 9223372036854775807, 1.0, 0.1, 'a' || char(0) || 'b', x'00ff')");
  sql("INSERT INTO t VALUES(2, -9223372036854775808, 1e300, 5e-324, '', x'')");
  sql("INSERT INTO t VALUES(3, NULL, 9e999, 'text in untyped', 'zo\xc3\xab', zeroblob(3))");
  EXPECT_EQ(told().lines(),
            (Lines{
                R"(c 1 {"id":1,"i":9223372036854775807,"r":1.0,"x":0.1,"s":"a\u0000b","b":"AP8="})",
                R"(c 2 {"id":2,"i":-9223372036854775808,"r":1e+300,"x":5e-324,"s":"","b":""})",
                "c 3 {\"id\":3,\"i\":null,\"r\":\"Infinity\",\"x\":\"text in "
                "untyped\",\"s\":\"zo\xc3\xab\",\"b\":\"AAAA\"}",
            }));
}

TEST_F(SqliteCapture, TellsUpdatesAndDeletesWithTheRowBefore) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1, 'a'), (2, 'b')");
  watch({"t"});
  sql("UPDATE t SET v = v || '!'; DELETE FROM t WHERE id = 1");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(u 1 {"id":1,"v":"a!"} <- {"id":1,"v":"a"})",
                                R"(u 2 {"id":2,"v":"b!"} <- {"id":2,"v":"b"})",
                                R"(d 1 <- {"id":1,"v":"a!"})",
                            }));
}

TEST_F(SqliteCapture, TellsAKeyChangeAsDeleteAndCreate) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 'a')");
  watch({"t"});
  sql("UPDATE t SET id = 7");
  sql("UPDATE t SET rowid = 8");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(d 1 <- {"id":1,"v":"a"})",
                                R"(c 7 {"id":7,"v":"a"})",
                                R"(d 7 <- {"id":7,"v":"a"})",
                                R"(c 8 {"id":8,"v":"a"})",
                            }));
}

class SqliteReplace : public SqliteTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(RecursiveTriggers, SqliteReplace, ::testing::Values("OFF", "ON"));

TEST_P(SqliteReplace, TellsEveryRowThatAReplaceEvicts) {
  sql(std::string("PRAGMA recursive_triggers = ") + GetParam());
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, a, b, UNIQUE(a, b))");
  sql("INSERT INTO t VALUES(1, 'x', 1, 1), (2, 'y', 2, 2), (3, 'z', 3, 3), (9, 'q', 9, 9)");
  watch({"t"});
  // Evicts 1 by u and 2 by (a, b), and replaces 3 by its key.
  sql("INSERT OR REPLACE INTO t VALUES(3, 'x', 2, 2)");
  Lines lines = told().lines();
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (Lines{
                       R"(d 1 <- {"id":1,"u":"x","a":1,"b":1})",
                       R"(d 2 <- {"id":2,"u":"y","a":2,"b":2})",
                       R"(u 3 {"id":3,"u":"x","a":2,"b":2} <- {"id":3,"u":"z","a":3,"b":3})",
                   }));
  EXPECT_TRUE(told().lines().back().starts_with("u 3"));
}

TEST_P(SqliteReplace, TellsWhatAnUpdateOrReplaceEvicts) {
  sql(std::string("PRAGMA recursive_triggers = ") + GetParam());
  sql("CREATE TABLE t(k TEXT PRIMARY KEY, u UNIQUE) WITHOUT ROWID");
  sql("INSERT INTO t VALUES('a', 1), ('b', 2), ('c', 3)");
  watch({"t"});
  sql("UPDATE OR REPLACE t SET u = 2 WHERE k = 'a'");
  sql("UPDATE OR REPLACE t SET k = 'c' WHERE k = 'a'");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(d b <- {"k":"b","u":2})",
                                R"(u a {"k":"a","u":2} <- {"k":"a","u":1})",
                                R"(d c <- {"k":"c","u":3})",
                                R"(d a <- {"k":"a","u":2})",
                                R"(c c {"k":"c","u":2})",
                            }));
}

TEST_P(SqliteReplace, TellsNothingOfWhatWasIgnored) {
  sql(std::string("PRAGMA recursive_triggers = ") + GetParam());
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE COLLATE NOCASE); INSERT INTO t VALUES(1, "
      "'x'), (2, 'y')");
  watch({"t"});
  sql("INSERT OR IGNORE INTO t VALUES(1, 'new'); INSERT OR IGNORE INTO t VALUES(5, 'X');"
      "UPDATE OR IGNORE t SET u = 'x' WHERE id = 2");
  EXPECT_EQ(told().lines(), Lines{});
  // A candidate of an ignored statement must not be taken for evicted later in the transaction.
  sql("BEGIN; INSERT OR IGNORE INTO t VALUES(7, 'x'); UPDATE t SET u = 'was x' WHERE id = 1;"
      "INSERT INTO t VALUES(8, 'X'); COMMIT");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(u 1 {"id":1,"u":"was x"} <- {"id":1,"u":"x"})",
                                R"(c 8 {"id":8,"u":"X"})",
                            }));
}

TEST_P(SqliteReplace, AnUpsertIsAnUpdate) {
  sql(std::string("PRAGMA recursive_triggers = ") + GetParam());
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES(1, 1)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1, 5), (2, 6) ON CONFLICT(id) DO UPDATE SET n = excluded.n");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(u 1 {"id":1,"n":5} <- {"id":1,"n":1})",
                                R"(c 2 {"id":2,"n":6})",
                            }));
}

TEST_F(SqliteCapture, ADeletedAndInsertedKeyStaysTwoChanges) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 'a')");
  watch({"t"});
  sql("BEGIN; DELETE FROM t; INSERT INTO t VALUES(1, 'b'); COMMIT");
  EXPECT_EQ(told().lines(), (Lines{R"(d 1 <- {"id":1,"v":"a"})", R"(c 1 {"id":1,"v":"b"})"}));
}

TEST_F(SqliteCapture, TellsWhatTheRowBecameWhenAUserTriggerChangesIt) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v, touched)");
  watch({"t"});
  // Made after ours, so SQLite runs it first.
  sql("CREATE TRIGGER stamp AFTER INSERT ON t BEGIN UPDATE t SET touched = 'yes' WHERE id = "
      "NEW.id; END");
  sql("CREATE TRIGGER stamp2 AFTER UPDATE OF v ON t BEGIN UPDATE t SET touched = 'again' WHERE id "
      "= NEW.id; END");
  sql("INSERT INTO t VALUES(1, 'a', NULL)");
  EXPECT_TRUE(told().changes().back().to_json().find(
                  R"("after":{"id":1,"v":"a","touched":"yes"})") != std::string::npos);
  sql("UPDATE t SET v = 'b'");
  EXPECT_TRUE(told().changes().back().to_json().find(
                  R"("after":{"id":1,"v":"b","touched":"again"})") != std::string::npos);
}

TEST_F(SqliteCapture, TellsNothingOfWhatWasRolledBack) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  watch({"t"});
  sql("BEGIN; INSERT INTO t VALUES(1, 'a'); ROLLBACK");
  sql("BEGIN; INSERT INTO t VALUES(2, 'b'); SAVEPOINT s; INSERT INTO t VALUES(3, 'c'); ROLLBACK TO "
      "s; COMMIT");
  EXPECT_EQ(told().lines(), Lines{R"(c 2 {"id":2,"v":"b"})"});
}

TEST_F(SqliteCapture, TellsCascades) {
  sql("PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE)");
  sql("INSERT INTO p VALUES(1); INSERT INTO c VALUES(10, 1)");
  watch({"c"});
  sql("UPDATE p SET id = 2; DELETE FROM p");
  EXPECT_EQ(told().lines(),
            (Lines{R"(u 10 {"id":10,"p":2} <- {"id":10,"p":1})", R"(d 10 <- {"id":10,"p":2})"}));
}

TEST_F(SqliteCapture, HandlesCompositeTextAndMissingKeys) {
  sql("CREATE TABLE a(x INTEGER, y TEXT, v, PRIMARY KEY(x, y)) WITHOUT ROWID");
  sql("CREATE TABLE b(x INTEGER, y TEXT, v, PRIMARY KEY(y, x))");
  sql("CREATE TABLE c(v)");
  watch({"a", "b", "c"});
  sql("INSERT INTO a VALUES(1, 'a', 1); INSERT INTO b VALUES(1, 'a\"b', 1); INSERT INTO c "
      "VALUES(5);"
      "UPDATE c SET v = 6; DELETE FROM c");
  EXPECT_EQ(told().lines(), (Lines{
                                R"(c [1,"a"] {"x":1,"y":"a","v":1})",
                                R"(c ["a\"b",1] {"x":1,"y":"a\"b","v":1})",
                                R"(c - {"v":5})",
                                R"(u - {"v":6} <- {"v":5})",
                                R"(d - <- {"v":6})",
                            }));
}

TEST_F(SqliteCapture, HandlesAwkwardNames) {
  sql(R"(CREATE TABLE "or""der s"("select" INTEGER PRIMARY KEY, "a b" TEXT, "NEW", "rowid" INT))");
  watch({"or\"der s"});
  sql(R"(INSERT INTO "or""der s" VALUES(1, 'x', 2, 3); UPDATE "or""der s" SET "a b" = 'y')");
  EXPECT_EQ(
      told().lines(),
      (Lines{
          R"(c 1 {"select":1,"a b":"x","NEW":2,"rowid":3})",
          R"(u 1 {"select":1,"a b":"y","NEW":2,"rowid":3} <- {"select":1,"a b":"x","NEW":2,"rowid":3})",
      }));
}

TEST_F(SqliteCapture, IncludesGeneratedColumns) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n, twice AS (n * 2), thrice AS (n * 3) STORED)");
  watch({"t"});
  sql("INSERT INTO t(n) VALUES(2); UPDATE t SET n = 3");
  EXPECT_EQ(
      told().lines(),
      (Lines{R"(c 1 {"id":1,"n":2,"twice":4,"thrice":6})",
             R"(u 1 {"id":1,"n":3,"twice":6,"thrice":9} <- {"id":1,"n":2,"twice":4,"thrice":6})"}));
}

TEST_F(SqliteCapture, QuarantinesTextThatIsNotUtf8AndGoesOn) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1, CAST(x'ff' AS TEXT)); INSERT INTO t VALUES(2, 'fine')");
  EXPECT_EQ(told().lines(),
            (Lines{"quarantine column 'v' is not valid UTF-8", R"(c 2 {"id":2,"v":"fine"})"}));
}

TEST_F(SqliteCapture, SurvivesVacuum) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1, 'a'); VACUUM; INSERT INTO t VALUES(2, 'b')");
  EXPECT_EQ(told().lines(), (Lines{R"(c 1 {"id":1,"v":"a"})", R"(c 2 {"id":2,"v":"b"})"}));
}

TEST_F(SqliteCapture, LastMarksTheEndOfWhatBecameVisibleTogether) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE other(id INTEGER PRIMARY KEY)");
  watch({"t"});
  (void)source().watch({"other"});
  sql("BEGIN; INSERT INTO t VALUES(1); INSERT INTO t VALUES(2); INSERT INTO other VALUES(1); "
      "COMMIT");
  const auto changes = told().changes();
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_FALSE(changes[0].transaction.last);
  EXPECT_TRUE(changes[2].transaction.last);
  EXPECT_EQ(changes[1].transaction.seq, 2U);
}

// Memory is bounded by bytes: a transaction of large rows comes in several batches.
TEST_F(SqliteCapture, ManyLargeRowsAreNotReadAtOnce) {
  class Sizes final : public ChangeSink {
   public:
    bool deliver(ChangeBatchPtr batch) override {
      std::size_t bytes = 0;
      for (const Change& change : batch->changes) {
        bytes += change.after.raw().size();
      }
      largest = std::max(largest, bytes);
      changes += batch->changes.size();
      return true;
    }
    void caught_up(const Position& /*position*/) override {}
    std::size_t largest = 0;
    std::size_t changes = 0;
  };
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)");
  watch({"t"});
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
      "INSERT INTO t SELECT i, zeroblob(100000) FROM n");
  Sizes sizes;
  EXPECT_TRUE(source().replay(start_, source().current(), sizes, {}));
  EXPECT_EQ(sizes.changes, 200U);
  EXPECT_LT(sizes.largest, 5'000'000U);
}

TEST_F(SqliteCapture, ResumingInsideAGroupGivesTheRestWithTheSameCursors) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE); INSERT INTO t VALUES(1, 'a'), (2, 'b')");
  watch({"t"});
  sql("BEGIN; PRAGMA recursive_triggers = OFF; INSERT OR REPLACE INTO t VALUES(3, 'a'); UPDATE t "
      "SET id = 30 WHERE id = 3;"
      "UPDATE t SET u = 'c' WHERE id = 2; DELETE FROM t; COMMIT");
  const auto all = told().changes();
  ASSERT_GE(all.size(), 6U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Recorder rest;
    ASSERT_TRUE(source().replay(all[i].position, source().current(), rest, {}));
    const auto changes = rest.changes();
    ASSERT_EQ(changes.size(), all.size() - i - 1) << "after change " << i;
    for (std::size_t j = 0; j < changes.size(); ++j) {
      EXPECT_EQ(changes[j].position, all[i + 1 + j].position);
      EXPECT_EQ(changes[j].op, all[i + 1 + j].op);
    }
  }
}

}  // namespace
}  // namespace ustream::test
