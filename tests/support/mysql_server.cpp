#include "mysql_server.hpp"

#include <filesystem>
#include <stdexcept>

#include <unistd.h>

namespace ustream::test {
namespace {

constexpr int kApplySeconds = 60;

std::string tree() {
  return (test_cache() / "mysql-sid").string();
}

/// A program of that Debian, run by its own loader with its own libraries: neither chroot nor root.
std::vector<std::string> foreign(const std::string& program) {
  const std::string root = tree();
  return {root + "/usr/lib64/ld-linux-x86-64.so.2", "--library-path",
          root + "/usr/lib/x86_64-linux-gnu:" + root + "/usr/lib/mysql/private", root + program};
}

}  // namespace

std::string MysqlServer::missing() {
  if (!std::filesystem::exists(tree() + "/complete")) {
    return "MySQL is not in " + tree() + " (scripts/fetch-mysql.sh fetches it, as root)";
  }
  return {};
}

MysqlServer::MysqlServer(const std::vector<std::string>& options) : SqlServer("mysql") {
  // Sparse, the copy is a quarter of the original's size.
  process_.run(
      {find_program("cp"), "-r", "--sparse=always", tree() + "/data", process_.path("data")});
  client_ = foreign("/usr/bin/mysql");
  dumper_ = foreign("/usr/bin/mysqlbinlog");
  std::vector<std::string> command = foreign("/usr/sbin/mysqld");
  for (const char* word :
       {"--no-defaults", "--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
        "--secure-file-priv=", "--skip-replica-start"}) {
    command.emplace_back(word);
  }
  command.push_back("--basedir=" + tree() + "/usr");
  start_first(command, options, "IDENTIFIED WITH caching_sha2_password");
}

std::string MysqlServer::gtids() const {
  std::string text = sql("SELECT @@gtid_executed");
  std::erase(text, '\n');
  // The client escapes the line ends that stand between the parts of a set.
  for (std::size_t at = 0; (at = text.find("\\n")) != std::string::npos;) {
    text.erase(at, 2);
  }
  return text;
}

void MysqlServer::follow(const SqlServer& primary) const {
  sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = " +
      std::to_string(primary.port()) + ", SOURCE_USER = '" + kUser + "', SOURCE_PASSWORD = '" +
      kPassword +
      "', SOURCE_CONNECT_RETRY = 1, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;"
      "START REPLICA");
}

bool MysqlServer::has(const std::string& gtids, int seconds) const {
  return line_of("SELECT WAIT_FOR_EXECUTED_GTID_SET('" + gtids + "', " + std::to_string(seconds) +
                 ")") == "0";
}

void MysqlServer::promote() const {
  sql("STOP REPLICA IO_THREAD");
  if (line_of("SELECT WAIT_FOR_EXECUTED_GTID_SET(RECEIVED_TRANSACTION_SET, " +
              std::to_string(kApplySeconds) +
              ") FROM performance_schema.replication_connection_status") != "0") {
    throw std::runtime_error("the replica has not applied what it received");
  }
  sql("STOP REPLICA; RESET REPLICA ALL");
}

}  // namespace ustream::test
