// What happens to the capture when the user changes his schema, and when the capture is removed.
#include "sqlite_fixture.hpp"

namespace ustream::test {
namespace {

class SqliteSchemaChange : public SqliteTest {};

TEST_F(SqliteSchemaChange, DropColumnWorksAndWritesGoOnBeforeAnybodyNotices) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL, c UNIQUE)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1, 'x', 1.5, 1)");
  sql("ALTER TABLE t DROP COLUMN b");
  sql("INSERT INTO t VALUES(2, 'y', 2); UPDATE t SET a = 'z' WHERE id = 1; DELETE FROM t WHERE id "
      "= 2;"
      "INSERT OR REPLACE INTO t VALUES(3, 'w', 1)");
  EXPECT_EQ(table("SELECT * FROM t"), "3|w|1\n");
  EXPECT_EQ(told().changes().size(), 6U);
}

TEST_F(SqliteSchemaChange, IsToldAsDdlAndResyncAndCaptureFollows) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  watch({"t"});
  Running running(source(), start_);
  sql("ALTER TABLE t ADD COLUMN b");
  ASSERT_TRUE(running.recorder.wait_for("ddl"));
  ASSERT_TRUE(running.recorder.wait_for("resync schema"));
  sql("INSERT INTO t VALUES(1, 2, 3)");
  EXPECT_TRUE(running.recorder.wait_for(R"(c 1 {"id":1,"a":2,"b":3})"));
  sql("ALTER TABLE t RENAME COLUMN a TO first");
  sql("INSERT INTO t VALUES(2, 2, 3)");
  EXPECT_TRUE(running.recorder.wait_for("c 2"));
}

TEST_F(SqliteSchemaChange, CreateCopyDropRenameIsNoticed) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 'x')");
  watch({"t"});
  Running running(source(), start_);
  sql("BEGIN; CREATE TABLE n(id INTEGER PRIMARY KEY, a, b); INSERT INTO n SELECT id, a, 0 FROM t; "
      "DROP TABLE t;"
      "ALTER TABLE n RENAME TO t; COMMIT");
  ASSERT_TRUE(running.recorder.wait_for("resync schema"));
  sql("INSERT INTO t VALUES(2, 'y', 1)");
  EXPECT_TRUE(running.recorder.wait_for(R"(c 2 {"id":2,"a":"y","b":1})"));
}

TEST_F(SqliteSchemaChange, ADroppedTableIsToldAndMayComeBack) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  Running running(source(), start_);
  sql("DROP TABLE t");
  ASSERT_TRUE(running.recorder.wait_for("ddl"));
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  // Its capture begins once the watcher has seen it, which the second resync tells.
  ASSERT_TRUE(running.recorder.wait_for("resync schema", 2));
  sql("INSERT INTO t VALUES(1, 'back')");
  EXPECT_TRUE(running.recorder.wait_for(R"(c 1 {"id":1,"v":"back"})"));
}

TEST_F(SqliteSchemaChange, ARenamedTableNoLongerWritesUnderItsOldName) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  Running running(source(), start_);
  sql("ALTER TABLE t RENAME TO moved");
  ASSERT_TRUE(running.recorder.wait_for("resync schema"));
  sql("INSERT INTO moved VALUES(1)");
  EXPECT_EQ(
      table("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'moved'"),
      "0\n");
}

TEST_F(SqliteSchemaChange, OtherTablesDoNotDisturbTheStream) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  Running running(source(), start_);
  sql("CREATE TABLE unrelated(x); CREATE INDEX i ON unrelated(x); INSERT INTO t VALUES(1)");
  ASSERT_TRUE(running.recorder.wait_for("c 1"));
  EXPECT_EQ(running.recorder.lines(), Lines{R"(c 1 {"id":1})"});
}

TEST_F(SqliteSchemaChange, UninstallLeavesTheSchemaAsItWas) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE); CREATE TABLE u(a, b, PRIMARY KEY(a, b)) "
      "WITHOUT ROWID");
  const std::string before = table("SELECT type, name, sql FROM sqlite_schema ORDER BY name");
  EXPECT_EQ(table("PRAGMA journal_mode"), "delete\n");
  watch({"t", "u"});
  sql("INSERT INTO t VALUES(1, 1); ALTER TABLE t ADD COLUMN w; ALTER TABLE t DROP COLUMN w");
  EXPECT_EQ(table("PRAGMA journal_mode"), "wal\n");
  // Only the last connection can leave WAL.
  sqlite3_close(foreign_);
  foreign_ = nullptr;
  EXPECT_FALSE(connector().uninstall().empty());
  ASSERT_EQ(sqlite3_open(path().c_str(), &foreign_), SQLITE_OK);
  EXPECT_EQ(table("SELECT type, name, sql FROM sqlite_schema ORDER BY name"), before);
  EXPECT_EQ(table("PRAGMA journal_mode"), "delete\n");
  EXPECT_EQ(table("SELECT count(*) FROM t"), "1\n");
}

}  // namespace
}  // namespace ustream::test
