// Other writers who leave no pause: nothing they commit is noticed late, and our writes get a turn.
#include <atomic>

#include "sqlite_fixture.hpp"

namespace ustream::test {
namespace {

class SqliteContention : public SqliteTest {};

// A commit becomes visible after the log file's write that wakes the reader, so the last of a burst
// is the one that a reader may miss. With a poll of an hour only wake-ups can tell it.
TEST_F(SqliteContention, TheLastCommitOfABurstIsToldWithoutAPoll) {
  sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t(id INTEGER PRIMARY "
      "KEY)");
  connector("?polling_interval=1h");
  watch({"t"});
  Running running(source(), start_);
  int id = 0;
  for (const int burst : {1, 2, 3, 5, 8, 100, 1, 2, 3, 5, 8, 100}) {
    for (int i = 0; i < burst; ++i) {
      sql("INSERT INTO t VALUES(" + std::to_string(++id) + ")");
    }
    ASSERT_TRUE(running.recorder.wait_for("c ", id)) << "burst of " << burst << " up to " << id;
  }
  EXPECT_EQ(running.failure, "");
}

TEST_F(SqliteContention, AWriteGetsItsTurnBetweenTheCommitsOfAnother) {
  sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t(id INTEGER PRIMARY "
      "KEY, "
      "v); CREATE TABLE other(id INTEGER PRIMARY KEY)");
  Crud& crud = *connector("?busy_timeout=2s").crud();
  std::atomic<int> commits = 0;
  std::string failure;
  std::jthread writer([&](const std::stop_token& stop) {
    try {
      while (!stop.stop_requested()) {
        sql("INSERT INTO other VALUES(NULL)");
        ++commits;
      }
    } catch (const std::exception& error) {
      failure = error.what();
    }
  });
  for (int id = 1; id <= 50; ++id) {
    EXPECT_NO_THROW(
        crud.write("t", std::to_string(id), {{"v", std::int64_t{id}}}, WriteMode::merge));
  }
  writer.request_stop();
  writer.join();
  EXPECT_EQ(failure, "");
  EXPECT_GT(commits, 0);
  EXPECT_EQ(table("SELECT count(*) FROM t"), "50\n");
}

}  // namespace
}  // namespace ustream::test
