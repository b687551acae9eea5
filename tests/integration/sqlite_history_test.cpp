// Trimming, history that is lost, locks, and files that are not what they should be.
#include <fstream>

#include "sqlite_fixture.hpp"

namespace ustream::test {
namespace {

class SqliteHistory : public SqliteTest {
 protected:
  ErrorKind kind_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      message_ = error.what();
      return error.kind();
    }
    message_ = "no error";
    return ErrorKind::internal;
  }
  ErrorKind replay_from(const Position& from) {
    return kind_of([&] {
      Recorder recorder;
      (void)source().replay(from, source().current(), recorder, {});
    });
  }
  std::string message_;
};

TEST_F(SqliteHistory, TheLogIsTrimmedByNumberAndAResumeBehindItIsToldSo) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  (void)connector("?log_max_rows=10");
  watch({"t"});
  sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t "
      "SELECT i FROM n");
  const Position from = start_;
  const Position after = source().current();
  Running running(source(), after);
  // The trim runs beside the stream; it shows in the log itself.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (table("SELECT count(*) FROM _ustream_log") != "10\n" &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(table("SELECT count(*) FROM _ustream_log"), "10\n");
  EXPECT_EQ(replay_from(from), ErrorKind::history_lost);
  EXPECT_NE(message_.find("--snapshot"), std::string::npos);
  // The newest position still stands.
  Recorder recorder;
  EXPECT_TRUE(source().replay(after, source().current(), recorder, {}));
}

TEST_F(SqliteHistory, TheLogIsTrimmedByAge) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  (void)connector("?log_max_age=1h");
  watch({"t"});
  sql("INSERT INTO t VALUES(1), (2), (3); UPDATE _ustream_log SET ts = ts - 1.0 WHERE seq < 4");
  Running running(source(), source().current());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (table("SELECT count(*) FROM _ustream_log") != "1\n" &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(table("SELECT count(*), max(seq) FROM _ustream_log"), "1|4\n");
}

TEST_F(SqliteHistory, ACursorOfAnotherDatabaseIsRefused) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  const Position here = start_;
  const Position elsewhere(
      std::make_shared<const PositionOrigin>(PositionOrigin{"sqlite", "0123456789abcdef"}),
      here.order_key());
  EXPECT_EQ(replay_from(elsewhere), ErrorKind::history_lost);
  const Position mysql(std::make_shared<const PositionOrigin>(PositionOrigin{"mysql", "x"}),
                       here.order_key());
  EXPECT_EQ(replay_from(mysql), ErrorKind::validation);
}

TEST_F(SqliteHistory, ACursorFromBeforeTheCaptureOrAfterARestoreIsLost) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE u(id INTEGER PRIMARY KEY)");
  watch({"t"});
  sql("INSERT INTO t VALUES(1)");
  (void)source().watch({"u"});
  // Only who watches u has lost something.
  EXPECT_EQ(told().lines(), (Lines{"resync history_lost", "c 1 {\"id\":1}"}));
  const Position now = source().current();
  sql("DELETE FROM _ustream_log WHERE seq > 1");
  EXPECT_EQ(replay_from(now), ErrorKind::history_lost);
}

TEST_F(SqliteHistory, ATableThatIsWatchedLaterIsLostBeforeThatEvenWhereTheLogIsQuiet) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE u(id INTEGER PRIMARY KEY)");
  watch({"t"});
  sql("INSERT INTO u VALUES(1)");
  const Position later = source().watch({"u"});
  EXPECT_EQ(told().lines(), Lines{"resync history_lost"});
  start_ = later;
  EXPECT_EQ(told().lines(), Lines{});
}

TEST_F(SqliteHistory, AnUninstalledCaptureEndsTheStreamWithHistoryLost) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  const Position old = start_;
  (void)connector().uninstall();
  watch({"t"});
  EXPECT_EQ(replay_from(old), ErrorKind::history_lost);
}

TEST_F(SqliteHistory, ALockedDatabaseIsBusyAndThenWorksAgain) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  (void)connector("?busy_timeout=50ms");
  watch({"t"});
  sql("BEGIN IMMEDIATE");
  const Value::Object row{};
  EXPECT_EQ(kind_of([&] { connector().crud()->write("t", "1", row, WriteMode::merge); }),
            ErrorKind::busy);
  sql("COMMIT");
  EXPECT_TRUE(connector().crud()->write("t", "1", row, WriteMode::merge).created);
}

TEST_F(SqliteHistory, BadFilesAreTypedErrors) {
  const auto open = [&](const std::string& url) {
    return kind_of([&] { sqlite::make_sqlite_connector(SourceConfig::from_url(url))->open(); });
  };
  EXPECT_EQ(open("sqlite:" + path() + ".missing"), ErrorKind::connection);
  EXPECT_EQ(open("sqlite:" + folder_.string()), ErrorKind::connection);
  const std::string junk = (folder_ / "junk.db").string();
  std::ofstream(junk) << std::string(4096, 'x');
  EXPECT_EQ(open("sqlite:" + junk), ErrorKind::connection);
  EXPECT_EQ(open("sqlite:" + path() + "?bussy_timeout=5s"), ErrorKind::validation);
  EXPECT_NE(message_.find("busy_timeout"), std::string::npos);
  EXPECT_EQ(open("sqlite::memory:"), ErrorKind::validation);
}

TEST_F(SqliteHistory, TwoWatchersShareOneCapture) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  watch({"t"});
  auto second = sqlite::make_sqlite_connector(SourceConfig::from_url("sqlite:" + path()));
  second->open();
  const Position from = second->change_source()->watch({"t"});
  Running one(source(), start_);
  Running two(*second->change_source(), from);
  sql("INSERT INTO t VALUES(1)");
  EXPECT_TRUE(one.recorder.wait_for("c 1"));
  EXPECT_TRUE(two.recorder.wait_for("c 1"));
  EXPECT_EQ(one.recorder.changes().front().position, two.recorder.changes().front().position);
}

}  // namespace
}  // namespace ustream::test
