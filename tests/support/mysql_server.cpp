#include "mysql_server.hpp"

#include <filesystem>

#include <unistd.h>

namespace ustream::test {
namespace {

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
  for (const char* word : {"--no-defaults", "--mysqlx=OFF", "--gtid-mode=ON",
                           "--enforce-gtid-consistency=ON", "--secure-file-priv="}) {
    command.emplace_back(word);
  }
  command.push_back("--basedir=" + tree() + "/usr");
  start_first(command, options, "IDENTIFIED WITH caching_sha2_password");
}

}  // namespace ustream::test
