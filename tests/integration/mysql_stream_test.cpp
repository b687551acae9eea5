// The change stream of real servers, MariaDB and MySQL, as a connector tells it.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/connector.hpp"
#include "ustream/testing/change_collector.hpp"

#include "mariadb_server.hpp"
#include "mysql_server.hpp"

namespace ustream::test {
namespace {

using testing::ChangeCollector;
using testing::KeepingSink;
using Lines = std::vector<std::string>;

/// One of the two servers, with a database "shop".
struct Product {
  const char* name;
  std::string (*missing)();
  std::unique_ptr<SqlServer> (*start)(const Lines& options);
};
template <class Server>
Product product(const char* name) {
  return {name, &Server::missing, [](const Lines& options) -> std::unique_ptr<SqlServer> {
            return std::make_unique<Server>(options);
          }};
}

class MysqlStream : public ::testing::TestWithParam<Product> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
  void start(const Lines& options = {}) {
    server_ = GetParam().start(options);
    server_->sql("CREATE DATABASE shop");
    connect();
  }
  void connect() {
    connector_ = builtin_connectors().create(SourceConfig::from_url(server_->url("shop")));
    connector_->open();
  }
  void sql(const std::string& statements) { server_->sql("USE shop; " + statements); }
  [[nodiscard]] SqlServer& server() { return *server_; }
  [[nodiscard]] BaseConnector& connector() { return *connector_; }
  [[nodiscard]] ChangeSource& source() { return *connector_->change_source(); }

  /// "c 1 {after} <- {before} (seq, last)" of each change.
  static Lines lines(const std::vector<Change>& changes) {
    Lines result;
    for (const Change& change : changes) {
      std::string line = std::string(to_string(change.op)) + " " + change.collection();
      line += change.key_text() ? " " + *change.key_text() : "";
      line += change.after ? " " + change.after.to_json() : "";
      line += change.before ? " <- " + change.before.to_json() : "";
      line += " (" + std::to_string(change.transaction.seq);
      result.push_back(line + (change.transaction.last ? ", last)" : ")"));
    }
    return result;
  }
  /// Everything up to now, from `begin` on.
  Lines told_since(const Position& begin) {
    ChangeCollector stream(source(), begin);
    EXPECT_TRUE(stream.await_position(source().current()));
    notices_ = stream.notices();
    return lines(stream.changes());
  }
  [[nodiscard]] std::string reason(std::size_t index) const {
    const auto* quarantine = std::get_if<Quarantine>(&notices_.at(index).what);
    return quarantine == nullptr ? std::get<Resync>(notices_.at(index).what).message
                                 : quarantine->collection + ": " + quarantine->reason;
  }

  std::unique_ptr<SqlServer> server_;
  std::unique_ptr<BaseConnector> connector_;
  std::vector<Notice> notices_;
};

TEST_P(MysqlStream, TellsDefinitionsOfWatchedTablesOnly) {
  start();
  sql("CREATE TABLE t(id INT PRIMARY KEY, v INT); CREATE TABLE other(id INT PRIMARY KEY)");
  const Position begin = source().watch({"t"});
  sql("INSERT INTO t VALUES(1, 1); INSERT INTO other VALUES(1); ALTER TABLE other ADD w INT;"
      "ALTER TABLE t ADD w VARCHAR(9) DEFAULT 'x'; INSERT INTO t(id) VALUES(2); TRUNCATE TABLE t;"
      "RENAME TABLE t TO u; CREATE TABLE t(a INT PRIMARY KEY); INSERT INTO t VALUES(7)");
  EXPECT_EQ(told_since(begin),
            (Lines{R"(c t 1 {"id":1,"v":1} (1, last))", "ddl t (1, last)",
                   R"(c t 2 {"id":2,"v":null,"w":"x"} (1, last))", "t t (1, last)",
                   "ddl t (1, last)", "ddl t (1, last)", R"(c t 7 {"a":7} (1, last))"}));
  EXPECT_TRUE(notices_.empty());
}

TEST_P(MysqlStream, CountsATransactionsChangesOverAllWatchedTables) {
  start();
  sql("CREATE TABLE a(id INT PRIMARY KEY); CREATE TABLE b(id INT PRIMARY KEY);"
      "CREATE TABLE c(id INT PRIMARY KEY)");
  const Position begin = source().watch({"a", "b"});
  sql("BEGIN; INSERT INTO a VALUES(1),(2); INSERT INTO c VALUES(1); INSERT INTO b VALUES(1);"
      "SAVEPOINT s; INSERT INTO a VALUES(3); ROLLBACK TO s; DELETE FROM a WHERE id = 2; COMMIT;"
      "BEGIN; INSERT INTO a VALUES(9); ROLLBACK; BEGIN; INSERT INTO c VALUES(2); COMMIT");
  EXPECT_EQ(told_since(begin), (Lines{R"(c a 1 {"id":1} (1))", R"(c a 2 {"id":2} (2))",
                                      R"(c b 1 {"id":1} (3))", R"(d a 2 <- {"id":2} (4, last))"}));
}

TEST_P(MysqlStream, ATransactionOfMoreRowsThanABatchHasOneEnd) {
  start();
  sql("CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(20))");
  const Position begin = source().watch({"t"});
  std::string rows;
  for (int i = 1; i <= 10'000; ++i) {
    rows += (i == 1 ? "(" : ",(") + std::to_string(i) + ",'v" + std::to_string(i) + "')";
  }
  sql("INSERT INTO t VALUES" + rows);
  ChangeCollector stream(source(), begin);
  ASSERT_TRUE(stream.await_changes(10'000));
  const auto changes = stream.changes();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    ASSERT_EQ(changes[i].transaction.seq, i + 1);
    ASSERT_EQ(changes[i].transaction.last, i + 1 == changes.size());
    ASSERT_EQ(changes[i].key_text(), std::to_string(i + 1));
  }
  // From the middle, too: the transaction is read again and what was told is left out.
  ChangeCollector rest(source(), Position::parse(changes[7'654].position.cursor()));
  ASSERT_TRUE(rest.await_changes(10'000 - 7'655));
  EXPECT_EQ(rest.changes().front().position, changes[7'655].position);
  EXPECT_EQ(rest.changes().front().transaction.seq, 7'656U);
}

TEST_P(MysqlStream, OfMinimalImagesTellsWhatWasSent) {
  start({"--binlog-row-image=MINIMAL"});
  sql("CREATE TABLE t(id INT PRIMARY KEY, v INT, w INT)");
  const Position begin = source().watch({"t"});
  EXPECT_FALSE(source().has_before_images());
  sql("INSERT INTO t(id, v) VALUES(1, 2); UPDATE t SET w = 3; DELETE FROM t");
  const Lines told = told_since(begin);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[1], R"(u t 1 {"w":3} <- {"id":1} (1, last))");
  EXPECT_EQ(told[2], R"(d t 1 <- {"id":1} (1, last))");
}

TEST_P(MysqlStream, WithoutNamesInTheLogTakesThemFromTheServer) {
  start({GetParam().name == std::string("MariaDB") ? "--binlog-row-metadata=NO_LOG"
                                                   : "--binlog-row-metadata=MINIMAL"});
  sql("CREATE TABLE t(id BIGINT UNSIGNED PRIMARY KEY, e ENUM('a','b'), s SET('x','y'),"
      "l VARCHAR(9) CHARACTER SET latin1)");
  const Position begin = source().watch({"t"});
  sql("INSERT INTO t VALUES(18446744073709551615, 'b', 'x,y', 'é')");
  EXPECT_EQ(told_since(begin),
            Lines{R"(c t 18446744073709551615 )"
                  R"({"id":18446744073709551615,"e":"b","s":["x","y"],"l":"é"} (1, last))"});
}

TEST_P(MysqlStream, WithoutNamesARowOfAnOlderDefinitionIsToldAsUnreadable) {
  start({GetParam().name == std::string("MariaDB") ? "--binlog-row-metadata=NO_LOG"
                                                   : "--binlog-row-metadata=MINIMAL"});
  sql("CREATE TABLE t(id INT PRIMARY KEY, v INT)");
  const Position begin = source().watch({"t"});
  sql("INSERT INTO t VALUES(1, 1); ALTER TABLE t MODIFY v VARCHAR(20), ADD w INT;"
      "INSERT INTO t VALUES(2, 'two', 2)");
  // Read by a connector that has not seen the table as it was.
  connector_->close();
  connect();
  source().watch({"t"});
  const Lines told = told_since(begin);
  EXPECT_EQ(told, (Lines{"ddl t (1, last)", R"(c t 2 {"id":2,"v":"two","w":2} (1, last))"}));
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_NE(reason(0).find("binlog_row_metadata=FULL"), std::string::npos) << reason(0);
}

TEST_P(MysqlStream, AChangeLoggedAsAStatementIsTold) {
  start();
  sql("CREATE TABLE t(id INT PRIMARY KEY)");
  const Position begin = source().watch({"t"});
  sql("SET SESSION binlog_format = STATEMENT; INSERT INTO t VALUES(1);"
      "SET SESSION binlog_format = ROW; INSERT INTO t VALUES(2)");
  EXPECT_EQ(told_since(begin), Lines{R"(c t 2 {"id":2} (1, last))"});
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_NE(reason(0).find("binlog_format=ROW"), std::string::npos) << reason(0);
}

TEST_P(MysqlStream, APreparedXaTransactionIsAChangeWhenItIsCommitted) {
  start();
  sql("CREATE TABLE t(id INT PRIMARY KEY)");
  const Position begin = source().watch({"t"});
  // A session of its own for each: MariaDB's can do nothing else while one is prepared.
  sql("XA START 'a'; INSERT INTO t VALUES(1); XA END 'a'; XA PREPARE 'a'");
  sql("XA START 'b'; INSERT INTO t VALUES(2); XA END 'b'; XA PREPARE 'b'; XA ROLLBACK 'b';"
      "INSERT INTO t VALUES(3)");
  ChangeCollector first(source(), begin);
  ASSERT_TRUE(first.await_position(source().current()));
  EXPECT_EQ(lines(first.changes()), Lines{R"(c t 3 {"id":3} (1, last))"});
  // What is resumed from stands behind the prepare; its rows are not lost for that.
  const Position middle = Position::parse(first.sink().reached().cursor());
  first.stop();
  sql("XA COMMIT 'a'; INSERT INTO t VALUES(4)");
  EXPECT_EQ(told_since(middle),
            (Lines{R"(c t 1 {"id":1} (1, last))", R"(c t 4 {"id":4} (1, last))"}));
}

TEST_P(MysqlStream, APurgedHistoryIsLostAndSaysSo) {
  start();
  sql("CREATE TABLE t(id INT PRIMARY KEY)");
  const Position begin = source().watch({"t"});
  sql("INSERT INTO t VALUES(1)");
  const auto name = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  const std::string needed = name(server().close_binlog().back());
  // A server may keep a file for a while that it could need after a crash.
  ASSERT_TRUE(wait_until(
      [&] {
        sql("INSERT INTO t SELECT MAX(id) + 1 FROM t; FLUSH BINARY LOGS;"
            "PURGE BINARY LOGS TO '" +
            name(server().close_binlog().back()) + "'");
        return server().sql("SHOW BINARY LOGS").find(needed) == std::string::npos;
      },
      60));
  ChangeCollector stream(source(), begin);
  ASSERT_TRUE(stream.await_end());
  try {
    std::rethrow_exception(stream.failure());
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.kind()), "history_lost") << error.what() << " " << error.detail();
    EXPECT_EQ(error.retry_advice(), RetryAdvice::resnapshot);
  }
}

TEST_P(MysqlStream, ATableThatIsWatchedLaterIsToldFromThenOn) {
  start();
  sql("CREATE TABLE a(id INT PRIMARY KEY); CREATE TABLE b(id INT PRIMARY KEY)");
  ChangeCollector stream(source(), source().watch({"a"}));
  sql("INSERT INTO a VALUES(1); INSERT INTO b VALUES(1)");
  ASSERT_TRUE(stream.await_changes(1));
  source().watch({"b"});
  sql("INSERT INTO b VALUES(2); INSERT INTO a VALUES(2)");
  ASSERT_TRUE(stream.await_changes(3));
  EXPECT_EQ(lines(stream.changes()),
            (Lines{R"(c a 1 {"id":1} (1, last))", R"(c b 2 {"id":2} (1, last))",
                   R"(c a 2 {"id":2} (1, last))"}));
}

TEST_P(MysqlStream, TellsOfARowWhatASelectTells) {
  start();
  const bool is_mariadb = GetParam().name == std::string("MariaDB");
  sql(std::string("SET sql_mode = ''; CREATE TABLE t(id INT PRIMARY KEY, a BIGINT UNSIGNED,"
                  "f FLOAT, d DOUBLE, n DECIMAL(30,10), b BIT(12), y YEAR, e ENUM('p','q'),"
                  "s SET('x','y'), c CHAR(5), vb VARBINARY(9), bi BINARY(4), tx MEDIUMTEXT,"
                  "l VARCHAR(9) CHARACTER SET latin1, da DATE, t TIME(3), dt DATETIME(2),"
                  "ts TIMESTAMP(6) NULL, zd DATETIME, j JSON, g POINT, i TINYINT, m MEDIUMINT") +
      (is_mariadb ? ", u UUID, i4 INET4, i6 INET6)" : ")"));
  const Position begin = source().watch({"t"});
  sql(std::string("SET sql_mode = ''; SET time_zone = '+05:00'; INSERT INTO t VALUES(1,"
                  "18446744073709551615, 0.1, 1e-7, -12.5, 4095, 2024, 'q', 'y,x', 'é', x'00ff',"
                  "x'01', 'text', 'zoë', '2024-02-29', '-12:34:56.789', '2024-01-02 03:04:05.67',"
                  "'2024-01-02 03:04:05.678901', '0000-00-00',"
                  R"('{"k": [1, 2.5, "x", null, true, 12345678901234567890]}',)"
                  "ST_GeomFromText('POINT(1 2)'), -7, -8388608") +
      (is_mariadb ? ", '123e4567-e89b-12d3-a456-426655440000', '192.0.2.1', '2001:db8::1')" : ")"));
  ChangeCollector stream(source(), begin);
  ASSERT_TRUE(stream.await_position(source().current()));
  notices_ = stream.notices();
  ASSERT_EQ(stream.changes().size(), 1U) << (notices_.empty() ? std::string() : reason(0));
  EXPECT_EQ(stream.changes()[0].after.to_json(),
            connector().crud()->read("t", "1").value().to_json());
}

INSTANTIATE_TEST_SUITE_P(Servers, MysqlStream,
                         ::testing::Values(product<MariadbServer>("MariaDB"),
                                           product<MysqlServer>("MySQL")),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ustream::test
