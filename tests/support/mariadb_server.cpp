#include "mariadb_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ustream::test {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kStartDeadline{60};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A command of the shell; its words are this file's own and mkdtemp's.
bool run(const std::string& command) {
  return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): one thread
}

/// A port that is free now. Another may take it before the server does, which then does not start.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!bound) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

std::string as_user() {
  return ::geteuid() == 0 ? " --user=root" : "";
}

}  // namespace

std::string MariadbServer::missing() {
  for (const char* program : {"mariadbd", "mariadb-install-db", "mariadb", "mariadb-admin"}) {
    if (!run(std::string("PATH=\"$PATH:/usr/sbin\" command -v ") + program + " >/dev/null")) {
      return std::string(program) + " is not installed (Debian: mariadb-server)";
    }
  }
  return {};
}

MariadbServer::MariadbServer(const std::vector<std::string>& options) {
  std::string name = (std::filesystem::temp_directory_path() / "ustream-mariadb-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp failed");
  }
  folder_ = name;
  if (!run("mariadb-install-db --no-defaults --auth-root-authentication-method=normal "
           "--skip-test-db --datadir=" +
           name + "/data" + as_user() + " >" + name + "/log 2>&1")) {
    throw std::runtime_error("mariadb-install-db failed: " + content(folder_ / "log"));
  }
  port_ = free_port();
  std::vector<std::string> arguments{"mariadbd",
                                     "--no-defaults",
                                     "--datadir=" + name + "/data",
                                     "--socket=" + name + "/socket",
                                     "--bind-address=127.0.0.1",
                                     "--port=" + std::to_string(port_),
                                     "--skip-name-resolve",
                                     "--innodb-buffer-pool-size=32M",
                                     "--default-time-zone=+00:00",
                                     "--character-set-server=utf8mb4",
                                     "--server-id=7",
                                     "--log-bin=" + name + "/data/bin",
                                     "--binlog-format=ROW",
                                     "--binlog-row-metadata=FULL"};
  if (::geteuid() == 0) {
    arguments.emplace_back("--user=root");
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  const std::string log = name + "/log";
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    words.push_back(argument.data());
  }
  words.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvp("mariadbd", words.data());
    ::execv("/usr/sbin/mariadbd", words.data());
    ::_exit(127);
  }
  const auto deadline = steady_clock::now() + kStartDeadline;
  while (!answers()) {
    if (steady_clock::now() > deadline || ::waitpid(pid_, nullptr, WNOHANG) != 0) {
      throw std::runtime_error("mariadbd did not start: " + content(folder_ / "log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // Users without a name would shadow those of any host.
  sql(std::string("DELETE FROM mysql.global_priv WHERE User=''; FLUSH PRIVILEGES;"
                  "CREATE USER '") +
      kUser + "'@'%' IDENTIFIED BY '" + kPassword + "'; GRANT ALL ON *.* TO '" + kUser + "'@'%'");
}

std::string MariadbServer::url(const std::string& database) const {
  return std::string("mysql://") + kUser + ":p%40ss%2Fword%3A1@127.0.0.1:" + std::to_string(port_) +
         "/" + database;
}

MariadbServer::~MariadbServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool MariadbServer::answers() const {
  return run("mariadb-admin --no-defaults -u root -S " + (folder_ / "socket").string() +
             " ping >/dev/null 2>&1");
}

std::string MariadbServer::sql(const std::string& statements) {
  std::ofstream(folder_ / "in", std::ios::binary) << statements;
  const std::string at = folder_.string();
  if (!run("mariadb --no-defaults --default-character-set=utf8mb4 -u root -N -S " + at +
           "/socket <" + at + "/in >" + at + "/out 2>" + at + "/err")) {
    throw std::runtime_error(content(folder_ / "err") + " in: " + statements);
  }
  return content(folder_ / "out");
}

std::vector<std::string> MariadbServer::close_binlog() {
  sql("FLUSH BINARY LOGS");
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "data")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("bin.0")) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.pop_back();
  return paths;
}

}  // namespace ustream::test
