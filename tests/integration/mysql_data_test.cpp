// The MySQL connector's data calls on a real MariaDB server.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/connector.hpp"
#include "ustream/json.hpp"

#include "connectors/mysql/client.hpp"
#include "mariadb_database.hpp"
#include "mysql_type_cases.hpp"

namespace ustream::test {
namespace {

class MysqlData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = MariadbServer::missing(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    database_ = std::make_unique<MariadbDatabase>();
    connector_ = open();
  }
  [[nodiscard]] std::unique_ptr<BaseConnector> open(const std::string& options = {}) const {
    auto connector =
        builtin_connectors().create(SourceConfig::from_url(database_->url() + options));
    connector->open();
    return connector;
  }
  std::string sql(const std::string& statements) const { return database_->sql(statements); }
  [[nodiscard]] Crud& crud() const { return *connector_->crud(); }
  WriteResult write(const std::string& table, const std::string& key, const Value::Object& data,
                    WriteMode mode = WriteMode::merge) const {
    return crud().write(table, key, data, mode);
  }
  [[nodiscard]] std::string read(const std::string& table, const std::string& key) const {
    const auto row = crud().read(table, key);
    return row ? row->to_json() : "nothing";
  }
  /// "conflict: what()", or "none".
  static std::string error_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(to_string(error.kind())) + ": " + error.what();
    }
    return "none";
  }

  std::unique_ptr<MariadbDatabase> database_;
  std::unique_ptr<BaseConnector> connector_;
};

TEST_F(MysqlData, SelectsTellEveryTypeAsTheBinlogDoes) {
  std::string columns;
  std::string literals;
  std::string expected = R"({"id":1)";
  const std::vector<TypeCase> cases = mysql_type_cases();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    columns += ", " + name + " " + cases[i].type;
    literals += std::string(", ") + cases[i].literal;
    // The binlog of MariaDB has JSON as text; the catalogue knows better.
    const bool is_json = std::string(cases[i].type) == "JSON";
    expected += ",\"" + name + "\":" + (is_json ? R"({"a":1})" : cases[i].json);
  }
  if (MariadbDatabase::server().sql("SHOW COLLATION LIKE 'uca1400_ai_ci'").empty()) {
    const auto newer = columns.find(" COLLATE uca1400_ai_ci");  // of MariaDB 10.10
    columns.erase(newer, std::string_view(" COLLATE uca1400_ai_ci").size());
  }
  sql("SET sql_mode='ALLOW_INVALID_DATES'; CREATE TABLE t(id INT PRIMARY KEY" + columns +
      "); INSERT INTO t VALUES(1" + literals + ")");
  EXPECT_EQ(read("t", "1"), expected + "}");

  // Each reads back as it was written, but for what the server takes from no one in strict mode.
  const Value::Object row = crud().read("t", "1")->to_object();
  int written = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    const std::string json = to_json(row[i].value);
    if (json == R"("2024-02-31 10:00:00")" ||
        (json == R"("")" && std::string(cases[i - 1].type).starts_with("ENUM"))) {
      continue;
    }
    const std::string key = std::to_string(100 + i);
    EXPECT_EQ(error_of([&] { write("t", key, {row[i]}); }), "none") << cases[i - 1].type << json;
    const auto copy = crud().read("t", key);
    ASSERT_TRUE(copy) << cases[i - 1].type;
    EXPECT_EQ(to_json(*copy->get(row[i].name)), json) << cases[i - 1].type;
    ++written;
  }
  EXPECT_GT(written, 50);
}

TEST_F(MysqlData, TellsTypesOfMariadbAlone) {
  sql("CREATE TABLE t(id UUID PRIMARY KEY, a INET6, b INET4, z INT(5) ZEROFILL, d DECIMAL(6,2) "
      "ZEROFILL); INSERT INTO t VALUES('00112233-4455-6677-8899-AABBCCDDEEFF','::1','10.0.0.1',7,"
      "1.5)");
  EXPECT_EQ(read("t", R"({"$type":"uuid","text":"00112233-4455-6677-8899-aabbccddeeff"})"),
            R"({"id":"00112233-4455-6677-8899-aabbccddeeff","a":{"$type":"inet6","text":"::1"},)"
            R"("b":{"$type":"inet4","text":"10.0.0.1"},"z":7,"d":"1.50"})");
  EXPECT_EQ(crud().read("t", "00112233-4455-6677-8899-aabbccddeeff").has_value(), true);
  const WriteResult copy =
      write("t", "11112233-4455-6677-8899-aabbccddeeff", {{"a", Extended{"inet6", "fe80::1"}}});
  EXPECT_EQ(copy.key, R"({"$type":"uuid","text":"11112233-4455-6677-8899-aabbccddeeff"})");
}

TEST_F(MysqlData, AMergeNeverTouchesARowItMeetsByAnotherUniqueIndex) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, email VARCHAR(50) UNIQUE, n INT)");
  write("t", "1", {{"email", "a@x"}, {"n", 1}});
  for (const WriteMode mode : {WriteMode::merge, WriteMode::replace}) {
    const std::string error =
        error_of([&] { write("t", "2", {{"email", "a@x"}, {"n", 2}}, mode); });
    EXPECT_TRUE(error.starts_with("conflict: ")) << error;
    const BulkReport report =
        crud().bulk({{"t", "2", Value::Object{{"email", "a@x"}, {"n", 2}}, mode},
                     {"t", "3", Value::Object{{"email", "c@x"}, {"n", 3}}, mode}});
    EXPECT_EQ(report.ok, 1U);
    ASSERT_EQ(report.failures.size(), 1U);
    EXPECT_EQ(report.failures[0].index, 0U);
    EXPECT_EQ(report.failures[0].kind, ErrorKind::conflict);
  }
  EXPECT_EQ(sql("SELECT * FROM t ORDER BY id"), "1\ta@x\t1\n3\tc@x\t3\n");
}

TEST_F(MysqlData, AResultsKeyIsTheRowsOwn) {
  sql("CREATE TABLE t(k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);"
      "CREATE TABLE d(k DECIMAL(6,2) PRIMARY KEY, n INT)");
  write("t", "abc", {{"n", 1}});
  const WriteResult again = write("t", "ABC", {{"n", 2}});
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.key, "abc");
  EXPECT_EQ(read("t", "abc"), R"({"k":"abc","n":2})");
  EXPECT_EQ(crud().remove("t", "aBc").key, "abc");
  const std::string decimal = write("d", "1.5", {{"n", 1}}).key;
  EXPECT_EQ(read("d", decimal), R"({"k":"1.50","n":1})") << decimal;
  EXPECT_FALSE(write("d", decimal, {{"n", 2}}).created);
}

TEST_F(MysqlData, AKeyOfAnotherTypeFindsNothingAndIsNotWritten) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT); INSERT INTO t VALUES(7,1),(0,2)");
  for (const char* key : {"007", "abc", "7x", " 7", "7.5", "99999999999999999999"}) {
    EXPECT_EQ(read("t", key), "nothing") << key;
    EXPECT_FALSE(crud().remove("t", key).existed) << key;
    EXPECT_TRUE(error_of([&] { write("t", key, {{"n", 9}}); }).starts_with("validation: ")) << key;
  }
  EXPECT_EQ(write("t", "0", {{"n", 3}}).key, "0");
  EXPECT_EQ(sql("SELECT * FROM t ORDER BY id"), "0\t3\n7\t1\n");
}

TEST_F(MysqlData, AReplaceGivesDefaultsToWhatIsNotNamed) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, a INT DEFAULT 5, b INT NOT NULL DEFAULT 6, c TEXT, g INT "
      "AS (a+1) STORED, m INT NOT NULL)");
  write("t", "1", {{"a", 1}, {"b", 2}, {"c", "x"}, {"m", 3}});
  EXPECT_FALSE(write("t", "1", {{"m", 4}}, WriteMode::replace).created);
  EXPECT_EQ(read("t", "1"), R"({"id":1,"a":5,"b":6,"c":null,"g":6,"m":4})");
  EXPECT_TRUE(
      error_of([&] { write("t", "1", {{"a", 1}}, WriteMode::replace); }).starts_with("conflict: "));
  EXPECT_FALSE(write("t", "1", {{"a", 8}}).created);  // a merge need not name m
  EXPECT_EQ(crud()
                .bulk({{"t", "1", Value::Object{{"m", 9}}, WriteMode::replace},
                       {"t", "2", Value::Object{{"m", 9}}, WriteMode::replace},
                       {"t", "1", Value::Object{{"a", 7}}, WriteMode::merge}})
                .ok,
            3U);
  EXPECT_EQ(read("t", "1"), R"({"id":1,"a":7,"b":6,"c":null,"g":8,"m":9})");
  EXPECT_EQ(read("t", "2"), R"({"id":2,"a":5,"b":6,"c":null,"g":6,"m":9})");
  EXPECT_TRUE(error_of([&] { write("t", "1", {{"g", 1}}); }).starts_with("validation: "));
}

TEST_F(MysqlData, ValuesThatTheServerWouldBendAreRefused) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT, d DECIMAL(4,1), e ENUM('a','b'), s SET('x','y'), "
      "b BIT(8), j JSON, ts TIMESTAMP NULL, v VARCHAR(3))");
  const std::vector<Member> refused{{"n", 1.5},
                                    {"n", Decimal{"0.1"}},
                                    {"n", 3'000'000'000},
                                    {"n", "abc"},
                                    {"d", 1.25},
                                    {"d", 100'000},
                                    {"e", "1"},
                                    {"e", 1},
                                    {"e", "c"},
                                    {"s", "z"},
                                    {"s", 3},
                                    {"b", "x"},
                                    {"b", 256},
                                    {"j", Json{"{"}},
                                    {"ts", "yesterday"},
                                    {"v", "too long"}};
  for (const Member& member : refused) {
    const std::string error = error_of([&] { write("t", "1", {member}); });
    EXPECT_TRUE(error.starts_with("validation: ")) << member.name << " " << error;
  }
  EXPECT_EQ(read("t", "1"), "nothing");
  write("t", "1",
        {{"n", 2.0},
         {"d", 1.5},
         {"e", "b"},
         {"s", Value::Array{"y", "x"}},
         {"b", "5"},
         {"j", "text"},
         {"ts", "2026-01-31T10:00:00.000000Z"}});
  EXPECT_EQ(read("t", "1"), R"({"id":1,"n":2,"d":"1.5","e":"b","s":["x","y"],"b":5,"j":"text",)"
                            R"("ts":"2026-01-31T10:00:00.000000Z","v":null})");
}

TEST_F(MysqlData, CompositeKeysAndTablesWithoutOne) {
  sql("CREATE TABLE t(a INT, b VARCHAR(10), n INT, PRIMARY KEY(b, a)); CREATE TABLE w(n INT)");
  EXPECT_EQ(write("t", R"(["x",1])", {{"n", 1}}).key, R"(["x",1])");
  EXPECT_EQ(crud()
                .bulk({{"t", R"(["x",2])", Value::Object{{"n", 2}}, WriteMode::merge},
                       {"t", R"(["x",1])", std::nullopt, WriteMode::merge},
                       {"t", R"(["y",9])", std::nullopt, WriteMode::merge}})
                .ok,
            3U);
  EXPECT_EQ(sql("SELECT * FROM t"), "2\tx\t2\n");
  EXPECT_EQ(write("w", "", {{"n", 1}}).key, "");
  EXPECT_TRUE(error_of([&] { (void)crud().read("w", "1"); }).starts_with("validation: "));
  std::size_t rows = 0;
  connector_->query()->query("w", {}, [&](const Document&) { return ++rows != 0; });
  EXPECT_EQ(rows, 1U);
}

TEST_F(MysqlData, AnAlteredTableIsSeenAtOnce) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, old INT); CREATE TABLE other(id INT PRIMARY KEY)");
  write("t", "1", {{"old", 1}});
  sql("ALTER TABLE t ADD fresh INT");
  write("t", "1", {{"fresh", 2}});
  EXPECT_EQ(read("t", "1"), R"({"id":1,"old":1,"fresh":2})");
  sql("ALTER TABLE t DROP old, MODIFY fresh VARCHAR(10)");
  EXPECT_EQ(read("t", "1"), R"({"id":1,"fresh":"2"})");
  EXPECT_EQ(crud().bulk({{"t", "2", Value::Object{{"fresh", "b"}}, WriteMode::merge}}).ok, 1U);
  EXPECT_TRUE(error_of([&] { write("t", "1", {{"old", 1}}); }).starts_with("validation: "));
  sql("DROP TABLE t");
  EXPECT_TRUE(error_of([&] {
                (void)crud().read("t", "1");
              }).starts_with("validation: there is no table 't'"));
}

TEST_F(MysqlData, ABulkIsManyRowsInOrder) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT, u INT UNIQUE)");
  sql("CREATE TABLE plain(id BIGINT PRIMARY KEY AUTO_INCREMENT, n INT)");
  std::vector<BulkOperation> operations;
  constexpr int kRows = 3000;
  operations.reserve(2 * kRows + 1002);
  for (int i = 0; i < kRows; ++i) {
    operations.push_back(
        {"plain", std::to_string(i % 2000), Value::Object{{"n", i}}, WriteMode::merge});
  }
  for (int i = 0; i < kRows; ++i) {
    operations.push_back(
        {"t", std::to_string(i), Value::Object{{"n", i}, {"u", i % 2999}}, WriteMode::merge});
  }
  for (int i = 0; i < 1000; ++i) {
    operations.push_back({"plain", std::to_string(i), std::nullopt, WriteMode::merge});
  }
  operations.push_back({"plain", "", Value::Object{{"n", -1}}, WriteMode::merge});
  operations.push_back({"plain", "5", Value::Object{{"n", "no number"}}, WriteMode::merge});
  const BulkReport report = crud().bulk(operations);
  EXPECT_EQ(report.ok, operations.size() - 2);
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[0].index, std::size_t{2 * kRows - 1});
  EXPECT_EQ(report.failures[0].kind, ErrorKind::conflict);
  EXPECT_EQ(report.failures[1].index, operations.size() - 1);
  EXPECT_EQ(sql("SELECT count(*),min(id),sum(n) FROM plain WHERE n>=0"), "1000\t1000\t1499500\n");
  EXPECT_EQ(sql("SELECT count(*),sum(n),max(u) FROM t"), "2999\t4495501\t2998\n");
  EXPECT_EQ(sql("SELECT count(*) FROM plain WHERE n=-1"), "1\n");
}

TEST_F(MysqlData, ABulkOfRowsThatExistChangesTheseAndNoOthers) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, u INT UNIQUE, n INT, kept INT DEFAULT 7);"
      "INSERT INTO t SELECT seq,seq,0,9 FROM seq_1_to_1000");
  std::vector<BulkOperation> operations;
  for (int i = 1; i <= 1000; ++i) {
    operations.push_back({"t", std::to_string(i), Value::Object{{"n", i}}, WriteMode::merge});
  }
  for (int i = 1001; i <= 1100; ++i) {  // none of these, then some of each
    operations.push_back(
        {"t", std::to_string(i), Value::Object{{"n", i}, {"u", i}}, WriteMode::merge});
  }
  for (int i = 990; i <= 1200; ++i) {
    operations.push_back(
        {"t", std::to_string(i), Value::Object{{"n", -i}, {"u", i}}, WriteMode::merge});
  }
  operations.push_back({"t", "1", Value::Object{{"u", 2}}, WriteMode::merge});
  const BulkReport report = crud().bulk(operations);
  EXPECT_EQ(report.ok, operations.size() - 1);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].index, operations.size() - 1);
  EXPECT_EQ(sql("SELECT count(*),sum(n=id),sum(n=-id),sum(u=id),sum(kept) FROM t"),
            "1200\t989\t211\t1200\t10400\n");
}

TEST_F(MysqlData, AConnectionThatTheServerEndedIsReplaced) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT)");
  write("t", "1", {{"n", 1}});
  const std::string ids = sql("SELECT id FROM information_schema.processlist WHERE user='tester'");
  for (std::size_t at = 0; at < ids.size(); at = ids.find('\n', at) + 1) {
    sql("KILL " + ids.substr(at, ids.find('\n', at) - at));
  }
  EXPECT_EQ(read("t", "1"), R"({"id":1,"n":1})");
  EXPECT_FALSE(write("t", "1", {{"n", 2}}).created);
}

TEST_F(MysqlData, ACallThatIsCancelledEnds) {
  mysql::Client client(mysql::Options::from(SourceConfig::from_url(database_->url())));
  std::string error;
  std::jthread caller([&] { error = error_of([&] { (void)client.query("SELECT SLEEP(300)"); }); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (
      sql("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'").empty() &&
      std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  client.cancel();
  caller.join();
  EXPECT_TRUE(error.starts_with("connection: ")) << error;
  EXPECT_FALSE(client.usable());
}

TEST_F(MysqlData, ALockThatIsHeldTooLongIsBusy) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT); INSERT INTO t VALUES(1,1)");
  const auto impatient = open("?timeout=1s");
  connector_->transactor()->transaction([&](Transaction& transaction) {
    transaction.write("t", "1", {{"n", 2}}, WriteMode::merge);
    const std::string error =
        error_of([&] { impatient->crud()->write("t", "1", {{"n", 3}}, WriteMode::merge); });
    EXPECT_TRUE(error.starts_with("busy: ")) << error;
  });
  EXPECT_EQ(read("t", "1"), R"({"id":1,"n":2})");
}

TEST_F(MysqlData, APoolThatIsUsedUpIsBusy) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT)");
  const auto small = open("?pool_size=1&timeout=1s");
  small->transactor()->transaction([&](Transaction&) {
    const std::string error = error_of([&] { (void)small->crud()->read("t", "1"); });
    EXPECT_TRUE(error.starts_with("busy: all 1 connections are in use")) << error;
  });
  EXPECT_EQ(error_of([&] { (void)small->crud()->read("t", "1"); }), "none");
}

TEST_F(MysqlData, ADeadlockedTransactionRunsAgainAsAWhole) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT); INSERT INTO t VALUES(1,0),(2,0)");
  std::promise<void> first_has_one;
  std::promise<void> second_has_two;
  std::atomic<int> runs = 0;
  // Each takes one row, then, when the other has taken his, the other's.
  const auto body = [&](const char* mine, const char* others, std::promise<void>& taken,
                        std::shared_future<void> other_taken) {
    int mine_runs = 0;
    connector_->transactor()->transaction([&](Transaction& transaction) {
      ++runs;
      transaction.write("t", mine, {{"n", 1}}, WriteMode::merge);
      if (++mine_runs == 1) {
        taken.set_value();
        other_taken.wait();
      }
      transaction.write("t", others, {{"n", 1}}, WriteMode::merge);
    });
  };
  const std::shared_future<void> one = first_has_one.get_future().share();
  const std::shared_future<void> two = second_has_two.get_future().share();
  {
    const std::jthread other([&] { body("2", "1", second_has_two, one); });
    body("1", "2", first_has_one, two);
  }
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(sql("SELECT sum(n) FROM t"), "2\n");
}

TEST_F(MysqlData, ATransactionsCallbackMayUseItsRows) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, n INT); INSERT INTO t SELECT seq,0 FROM seq_1_to_50");
  connector_->transactor()->transaction([&](Transaction& transaction) {
    transaction.query("t", {}, [&](const Document& row) {
      transaction.write("t", to_json(*row.get("id")), {{"n", 1}}, WriteMode::merge);
      return true;
    });
  });
  EXPECT_EQ(sql("SELECT sum(n) FROM t"), "50\n");
}

TEST_F(MysqlData, AQueryThatEndsEarlyLeavesTheConnectorFitForUse) {
  sql("CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO t SELECT "
      "seq,repeat('x',200) "
      "FROM seq_1_to_20000");
  for (int i = 0; i < 10; ++i) {
    connector_->query()->query("t", {}, [](const Document&) { return false; });
    EXPECT_NE(read("t", "1"), "nothing");
  }
}

TEST_F(MysqlData, ErrorsSayWhatToDoAndNoSecret) {
  struct Case {
    std::string url;
    ErrorKind kind;
  };
  const std::string port = std::to_string(MariadbDatabase::server().port());
  const std::string name = database_->name();
  for (const Case& c :
       {Case{"mysql://tester:wrong-secret@127.0.0.1:" + port + "/" + name, ErrorKind::auth},
        Case{"mysql://tester:wrong-secret@127.0.0.1:1/" + name, ErrorKind::connection},
        Case{MariadbDatabase::server().url("no_such_database"), ErrorKind::validation},
        Case{database_->url() + "?tls=required", ErrorKind::connection}}) {
    const auto connector = builtin_connectors().create(SourceConfig::from_url(c.url));
    try {
      connector->open();
      FAIL() << c.url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), c.kind) << error.what();
      const std::string all = std::string(error.what()) + error.detail() + error.where();
      EXPECT_EQ(all.find("secret"), std::string::npos) << all;
      EXPECT_EQ(all.find(MariadbServer::kPassword), std::string::npos) << all;
    }
  }
  const auto by_socket = open("?socket=" + MariadbDatabase::server().socket());
  EXPECT_EQ(by_socket->crud()->collections(), std::vector<std::string>());
}

TEST_F(MysqlData, TheDoctorFindsWhatIsWrong) {
  sql("CREATE TABLE nokey(a INT); CREATE USER IF NOT EXISTS poor@'%' IDENTIFIED BY 'pw';"
      "GRANT SELECT ON " +
      database_->name() + ".* TO poor@'%'");
  const auto status_of = [](const std::vector<DoctorCheck>& checks, const std::string& name) {
    const auto found = std::find_if(checks.begin(), checks.end(),
                                    [&](const DoctorCheck& check) { return check.check == name; });
    if (found == checks.end()) {
      return std::string("missing");
    }
    EXPECT_EQ(found->fix.empty(), found->status == DoctorCheck::Status::ok) << name;
    return std::string(found->status == DoctorCheck::Status::ok        ? "ok"
                       : found->status == DoctorCheck::Status::warning ? "warning"
                                                                       : "failed");
  };
  const auto good = connector_->doctor();
  for (const char* name : {"reachable", "version", "log_bin", "binlog_format", "binlog_row_image",
                           "binlog_row_metadata", "privilege REPLICATION SLAVE",
                           "privilege BINLOG MONITOR", "server_id", "binlog filters", "clock"}) {
    EXPECT_EQ(status_of(good, name), "ok") << name;
  }
  EXPECT_EQ(status_of(good, "table nokey"), "warning");
  SourceConfig config = SourceConfig::from_url(database_->url());
  config.user = "poor";
  config.password = "pw";
  const auto poor = builtin_connectors().create(config)->doctor();
  EXPECT_EQ(status_of(poor, "privilege REPLICATION SLAVE"), "failed");
  EXPECT_EQ(status_of(poor, "privilege SELECT"), "ok");
  config.password = "no";
  EXPECT_EQ(status_of(builtin_connectors().create(config)->doctor(), "reachable"), "failed");
}

}  // namespace
}  // namespace ustream::test
