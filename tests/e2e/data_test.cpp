// read, write, delete, query, count, aggregate, doctor, uninstall against a real database.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ustream/position.hpp"

#include "process.hpp"
#include "shop.hpp"

namespace ustream::e2e {
namespace {

TEST(Read, PrintsTheRow) {
  Shop shop;
  shop.insert(42, "paid");
  const Result result = run({"read", shop.url(), "orders", "42"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "{\"id\":42,\"status\":\"paid\",\"total\":1.5}\n");
}

TEST(Read, SaysFourWhenThereIsNoSuchRecord) {
  const Shop shop;
  const Result result = run({"read", shop.url(), "orders", "7"});
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("7"), std::string::npos);
}

TEST(Read, TakesNegativeAndCompositeKeys) {
  Shop shop;
  shop.insert(-5, "odd");
  EXPECT_EQ(at(run({"read", shop.url(), "orders", "-5"}).out, "status"), "\"odd\"");
  shop.sql("CREATE TABLE lines (a INTEGER, b TEXT, n INTEGER, PRIMARY KEY (a, b))");
  shop.sql("INSERT INTO lines VALUES (1, 'a', 9)");
  const Result result = run({"read", shop.url(), "lines", "[1,\"a\"]"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(at(result.out, "n"), "9");
}

TEST(Write, CreatesAndMergesAndReplaces) {
  Shop shop;
  Result result = run({"write", shop.url(), "orders", "1", R"({"status":"placed","total":2.5})"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(text_at(result.out, "key"), "1");
  EXPECT_TRUE(Position::parse(text_at(result.out, "position")).has_value());
  EXPECT_EQ(shop.value("SELECT status || total FROM orders"), "placed2.5");

  EXPECT_EQ(run({"write", shop.url(), "orders", "1", R"({"status":"paid"})"}).code, 0);
  EXPECT_EQ(shop.value("SELECT status || total FROM orders"), "paid2.5");

  EXPECT_EQ(run({"write", shop.url(), "orders", "1", "--replace", R"({"status":"new"})"}).code, 0);
  EXPECT_EQ(shop.value("SELECT total IS NULL FROM orders"), "1");
}

TEST(Write, ReadsItsRecordFromStdin) {
  Shop shop;
  const Result result = run({"write", shop.url(), "orders", "3", "-"}, R"({"status":"piped"})");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(shop.value("SELECT status FROM orders WHERE id = 3"), "piped");
}

TEST(Write, RefusesAKeyThatDiffers) {
  Shop shop;
  const Result result = run({"write", shop.url(), "orders", "1", R"({"id":2,"status":"x"})"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(shop.value("SELECT count(*) FROM orders"), "0");
}

TEST(Write, TellsAConflict) {
  Shop shop;
  shop.sql("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
  shop.sql("INSERT INTO users VALUES (1, 'ada')");
  const Result result = run({"write", shop.url(), "users", "2", R"({"name":"ada"})"});
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST(Delete, TellsWhetherTheRecordExisted) {
  Shop shop;
  shop.insert(42, "paid");
  Result result = run({"delete", shop.url(), "orders", "42"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(at(result.out, "key"), "\"42\"");
  EXPECT_EQ(at(result.out, "existed"), "true");
  EXPECT_NE(at(result.out, "position"), "-");
  result = run({"delete", shop.url(), "orders", "42"});
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(at(result.out, "existed"), "false");
}

TEST(Query, FiltersSortsLimitsAndProjects) {
  Shop shop;
  for (int i = 1; i <= 6; ++i) {
    shop.insert(i, i % 2 == 0 ? "even" : "odd");
  }
  Result result = run({"query", shop.url(), "orders", "--filter", R"({"status":"even"})", "--sort",
                       R"({"id":-1})", "--skip", "1", "--limit", "1", "--fields", "id,status"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "{\"id\":4,\"status\":\"even\"}\n");
  result = run({"query", shop.url(), "orders"});
  EXPECT_EQ(result.lines().size(), 6U);
  EXPECT_EQ(run({"query", shop.url(), "orders", "--limit", "0"}).out, "");
}

TEST(Query, EndsQuietlyWhenItsReaderIsGone) {
  Shop shop;
  shop.sql(
      "INSERT INTO orders SELECT value, 'a row that is long enough to fill the pipe', 1 FROM "
      "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < "
      "50000) SELECT value FROM n)");
  Process query({"query", shop.url(), "orders"});
  ASSERT_TRUE(query.await_lines(1));
  query.close_output();
  EXPECT_EQ(query.wait(), 0);
  EXPECT_EQ(query.err(), "");
}

TEST(Query, EndsWithZeroOnASignal) {
  Shop shop;
  shop.sql(
      "INSERT INTO orders SELECT value, 'a row that is long enough to fill the pipe', 1 FROM "
      "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < "
      "50000) SELECT value FROM n)");
  Process query({"query", shop.url(), "orders"});
  ASSERT_TRUE(query.await_lines(1));
  query.signal(SIGINT);
  EXPECT_EQ(query.wait(), 0);
}

TEST(Query, SaysSoWhenTheDiskIsFull) {
  Shop shop;
  shop.insert(1, "x");
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Process query({.arguments = {"query", shop.url(), "orders"},
                 .environment = {},
                 .input = std::string(),
                 .stdout_fd = full,
                 .obeys_permissions = false});
  EXPECT_EQ(query.wait(), 1);
  EXPECT_NE(query.err().find("standard output"), std::string::npos) << query.err();
  ::close(full);
}

TEST(Query, ItsOutputNeverGoesIntoAnotherFile) {
  Shop shop;
  shop.insert(1, "x");
  for (const char* command : {"query", "watch"}) {
    Process process({.arguments = {command, shop.url(), "orders"},
                     .environment = {},
                     .input = std::string(),
                     .stdout_fd = {},
                     .obeys_permissions = false,
                     .without_stdout = true});
    EXPECT_EQ(process.wait(), 1);
    EXPECT_NE(process.err().find("Bad file descriptor"), std::string::npos) << process.err();
  }
  EXPECT_EQ(shop.value("PRAGMA integrity_check"), "ok");
}

TEST(Count, CountsWhatMatches) {
  Shop shop;
  shop.insert(1, "a");
  shop.insert(2, "b");
  EXPECT_EQ(run({"count", shop.url(), "orders"}).out, "{\"count\":2}\n");
  EXPECT_EQ(run({"count", shop.url(), "orders", "--filter", R"({"status":"b"})"}).out,
            "{\"count\":1}\n");
}

TEST(Aggregate, PrintsARowALine) {
  Shop shop;
  shop.insert(1, "a");
  shop.insert(2, "a");
  shop.insert(3, "b");
  const std::string pipeline =
      R"([{"$group":{"_id":"$status","n":{"$sum":1}}},{"$sort":{"_id":1}}])";
  const Result result = run({"aggregate", shop.url(), "orders", pipeline});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "{\"_id\":\"a\",\"n\":2}\n{\"_id\":\"b\",\"n\":1}\n");
  EXPECT_EQ(run({"aggregate", shop.url(), "orders", "-"}, pipeline).out, result.out);
}

TEST(Format, PrettyIsForPeopleAndStaysPlainInAPipe) {
  Shop shop;
  shop.insert(1, "a");
  const Result result = run({"read", shop.url(), "orders", "1", "--format", "pretty"});
  EXPECT_EQ(result.out, "{\n  \"id\": 1,\n  \"status\": \"a\",\n  \"total\": 1.5\n}\n");
  EXPECT_EQ(run({"--format", "pretty", "read", shop.url(), "orders", "1"}).out, result.out);
}

/// What ustream prints on a terminal.
std::string on_terminal(std::vector<std::string> arguments,
                        std::map<std::string, std::string> environment) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_EQ(::grantpt(terminal), 0);
  EXPECT_EQ(::unlockpt(terminal), 0);
  const int inside = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_GE(inside, 0);
  Process process({.arguments = std::move(arguments),
                   .environment = std::move(environment),
                   .input = std::string(),
                   .stdout_fd = inside,
                   .obeys_permissions = false});
  EXPECT_EQ(process.wait(), 0) << process.err();
  std::string text(4096, '\0');
  const ssize_t n = ::read(terminal, text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  ::close(inside);
  ::close(terminal);
  return text;
}

TEST(Format, IsPrettyAndColouredOnATerminalUnlessNoColor) {
  Shop shop;
  shop.insert(1, "a");
  const std::vector<std::string> read{"read", shop.url(), "orders", "1"};
  const std::string coloured = on_terminal(read, {{"NO_COLOR", ""}});
  EXPECT_NE(coloured.find("\n  "), std::string::npos) << coloured;
  EXPECT_NE(coloured.find("\033["), std::string::npos) << coloured;
  const std::string plain = on_terminal(read, {{"NO_COLOR", "1"}});
  EXPECT_NE(plain.find("\n  \"status\": \"a\""), std::string::npos) << plain;
  EXPECT_EQ(plain.find('\033'), std::string::npos) << plain;
  auto json = read;
  json.insert(json.end(), {"--format", "json"});
  EXPECT_EQ(on_terminal(json, {}), "{\"id\":1,\"status\":\"a\",\"total\":1.5}\r\n");
}

TEST(Doctor, PrintsChecks) {
  const Shop shop;
  const Result result = run({"doctor", shop.url()});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  ASSERT_FALSE(result.lines().empty());
  for (const auto& line : result.lines()) {
    EXPECT_NE(text_at(line, "check"), "-") << line;
    EXPECT_NE(text_at(line, "found"), "-") << line;
    EXPECT_NE(text_at(line, "fix"), "-") << line;
    const std::string status = text_at(line, "status");
    EXPECT_TRUE(status == "ok" || status == "warning") << line;
  }
}

TEST(Doctor, AnUnreachableDatabaseIsAFailedCheck) {
  const Shop shop;
  const Result result = run({"doctor", "sqlite:" + shop.file("missing.db")});
  EXPECT_EQ(result.code, 1);
  ASSERT_EQ(result.lines().size(), 1U);
  EXPECT_EQ(text_at(result.out, "check"), "reachable");
  EXPECT_EQ(text_at(result.out, "status"), "failed");
  EXPECT_NE(text_at(result.out, "fix"), "");
}

TEST(Doctor, AFileThatIsNoDatabaseIsAFailedCheck) {
  const Shop shop;
  std::ofstream(shop.file("text.db")) << std::string(4096, 'x');
  const Result doctor = run({"doctor", "sqlite:" + shop.file("text.db")});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(text_at(doctor.out, "fix").find("backup"), std::string::npos) << doctor.out;
  EXPECT_EQ(run({"count", "sqlite:" + shop.file("text.db"), "orders"}).code, 3);
}

TEST(Uninstall, TakesEverythingAway) {
  Shop shop;
  const std::string before = shop.value("SELECT count(*) FROM sqlite_master");
  Process watch({"watch", shop.url(), "orders"});
  ASSERT_TRUE(watch.await_lines(1)) << watch.err();
  watch.signal(SIGTERM);
  ASSERT_EQ(watch.wait(), 0);
  EXPECT_NE(shop.value("SELECT count(*) FROM sqlite_master"), before);
  const Result result = run({"uninstall", shop.url()});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const auto& line : result.lines()) {
    EXPECT_NE(text_at(line, "removed"), "-") << line;
  }
  EXPECT_EQ(shop.value("SELECT count(*) FROM sqlite_master"), before);
}

TEST(Data, AnEmptyTextIsAKeyAsAnyOther) {
  Shop shop;
  shop.sql("CREATE TABLE notes (name TEXT PRIMARY KEY, text)");
  for (const char* text : {"1", "2"}) {
    const Result write =
        run({"write", shop.url(), "notes", "", std::string("{\"text\":") + text + "}"});
    EXPECT_EQ(write.code, 0) << write.err;
    EXPECT_EQ(text_at(write.out, "key"), "");
  }
  EXPECT_EQ(run({"read", shop.url(), "notes", ""}).out, "{\"name\":\"\",\"text\":2}\n");
  EXPECT_EQ(shop.value("SELECT count(*) FROM notes"), "1");
  EXPECT_EQ(run({"delete", shop.url(), "notes", ""}).code, 0);
}

TEST(Data, ALockedDatabaseIsAnError) {
  Shop shop;
  shop.sql("BEGIN IMMEDIATE");
  const std::string url = shop.url() + "?busy_timeout=100ms";
  const Result result = run({"write", url, "orders", "1", R"({"status":"x"})"});
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_NE(result.err.find("locked"), std::string::npos) << result.err;
  EXPECT_EQ(run({"count", url, "orders"}).out, "{\"count\":0}\n");
  shop.sql("ROLLBACK; BEGIN EXCLUSIVE");
  const Result count = run({"count", url, "orders"});
  EXPECT_EQ(count.code, 1) << count.err;
  EXPECT_NE(count.err.find("locked"), std::string::npos) << count.err;
  shop.sql("ROLLBACK");
}

TEST(Data, AReadOnlyFileCanBeReadAndNotWritten) {
  Shop shop;
  shop.insert(1, "a");
  std::filesystem::permissions(shop.path(), std::filesystem::perms::owner_read);
  const auto run_obeying = [](std::vector<std::string> arguments) {
    Process process({.arguments = std::move(arguments),
                     .environment = {},
                     .input = std::string(),
                     .stdout_fd = {},
                     .obeys_permissions = true});
    const int code = process.wait();
    return Result{code, process.out(), process.err()};
  };
  const Result count = run_obeying({"count", shop.url(), "orders"});
  EXPECT_EQ(count.out, "{\"count\":1}\n") << count.err;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"write", shop.url(), "orders", "2", R"({"status":"x"})"},
           {"delete", shop.url(), "orders", "1"},
           {"watch", shop.url(), "orders", "--for", "20s"}}) {
    const Result result = run_obeying(arguments);
    EXPECT_TRUE(result.code == 1 || result.code == 3) << result.code << result.err;
    EXPECT_TRUE(result.err.starts_with("ustream: ")) << result.err;
  }
  EXPECT_EQ(run_obeying({"doctor", shop.url()}).code, 1);
}

}  // namespace
}  // namespace ustream::e2e
