#include "mariadb_server.hpp"

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

namespace ustream::test {
namespace {

constexpr int kApplySeconds = 60;

/// An empty data directory for servers to copy: making one takes ten times as long as starting on
/// it, so it is made once for each version.
std::string empty_data(const ServerProcess& process) {
  // "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for …"
  std::istringstream words(process.run({find_program("mariadbd"), "--no-defaults", "--version"}));
  std::string version;
  words >> version >> version >> version;
  const std::filesystem::path kept = test_cache() / ("mariadb-" + version);
  if (std::filesystem::exists(kept)) {
    return kept;
  }
  std::filesystem::create_directories(test_cache());
  const std::filesystem::path fresh = kept.string() + process.folder().filename().string();
  std::vector<std::string> install{find_program("mariadb-install-db"), "--no-defaults",
                                   "--auth-root-authentication-method=normal", "--skip-test-db",
                                   "--datadir=" + fresh.string()};
  if (::geteuid() == 0) {
    install.emplace_back("--user=root");
  }
  process.run(install);
  std::error_code others;  // another test may have been first
  std::filesystem::rename(fresh, kept, others);
  if (others) {
    std::filesystem::remove_all(fresh);
  }
  return kept;
}

}  // namespace

std::string MariadbServer::missing() {
  for (const char* program : {"mariadbd", "mariadb-install-db", "mariadb", "mariadb-binlog"}) {
    if (find_program(program).empty()) {
      return std::string(program) + " is not installed (Debian: mariadb-server)";
    }
  }
  return {};
}

MariadbServer::MariadbServer(const std::vector<std::string>& options) : SqlServer("mariadb") {
  process_.run(
      {find_program("cp"), "-r", "--sparse=always", empty_data(process_), process_.path("data")});
  client_ = {find_program("mariadb")};
  dumper_ = {find_program("mariadb-binlog")};
  start_first(
      {find_program("mariadbd"), "--no-defaults", "--log-slave-updates", "--skip-slave-start"},
      options, "IDENTIFIED");
  // Our user at '%' would be taken for the one without a name at localhost.
  sql("SET sql_log_bin = 0; DELETE FROM mysql.global_priv WHERE User = ''; FLUSH LOCAL PRIVILEGES");
}

std::string MariadbServer::gtids() const {
  return line_of("SELECT @@gtid_current_pos");
}

void MariadbServer::follow(const SqlServer& primary) const {
  // What it logged itself as a primary counts as copied.
  sql("SET GLOBAL gtid_slave_pos = @@gtid_current_pos; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', "
      "MASTER_PORT = " +
      std::to_string(primary.port()) + ", MASTER_USER = '" + kUser + "', MASTER_PASSWORD = '" +
      kPassword + "', MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos; START SLAVE");
}

bool MariadbServer::has(const std::string& gtids, int seconds) const {
  return line_of("SELECT MASTER_GTID_WAIT('" + gtids + "', " + std::to_string(seconds) + ")") ==
         "0";
}

void MariadbServer::promote() const {
  sql("STOP SLAVE IO_THREAD");
  const bool applied = wait_until(
      [&] {
        return line_of(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE "
                   "'Slave has read all relay log%'") == "1";
      },
      kApplySeconds);
  if (!applied) {
    throw std::runtime_error("the replica has not applied what it received");
  }
  sql("STOP SLAVE; RESET SLAVE ALL");
}

}  // namespace ustream::test
