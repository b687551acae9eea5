#include "mariadb_server.hpp"

#include <unistd.h>

namespace ustream::test {

std::string MariadbServer::missing() {
  for (const char* program : {"mariadbd", "mariadb-install-db", "mariadb", "mariadb-binlog"}) {
    if (find_program(program).empty()) {
      return std::string(program) + " is not installed (Debian: mariadb-server)";
    }
  }
  return {};
}

MariadbServer::MariadbServer(const std::vector<std::string>& options) : SqlServer("mariadb") {
  std::vector<std::string> install{find_program("mariadb-install-db"), "--no-defaults",
                                   "--auth-root-authentication-method=normal", "--skip-test-db",
                                   "--datadir=" + process_.path("data")};
  if (::geteuid() == 0) {
    install.emplace_back("--user=root");
  }
  process_.run(install);
  client_ = {find_program("mariadb")};
  dumper_ = {find_program("mariadb-binlog")};
  start_first({find_program("mariadbd"), "--no-defaults"}, options, "IDENTIFIED");
  // Our user at '%' would be taken for the one without a name at localhost.
  sql("SET sql_log_bin = 0; DELETE FROM mysql.global_priv WHERE User = ''; FLUSH LOCAL PRIVILEGES");
}

}  // namespace ustream::test
