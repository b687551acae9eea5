// What a MariaDB and a MySQL server of a test's own have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server_process.hpp"

namespace ustream::test {

/// A running server with an empty data directory: on a port of 127.0.0.1 and on a Unix socket, with
/// a user that may do everything. It logs rows with full metadata to binlog files. See
/// MariadbServer and MysqlServer. Killed and removed by the destructor. `sql` from any thread, the
/// rest on the one that made it.
class SqlServer {
 public:
  virtual ~SqlServer() = default;
  SqlServer(const SqlServer&) = delete;
  SqlServer& operator=(const SqlServer&) = delete;

  /// Runs statements (UTF-8) as root and returns what they print: columns by tabs, no header.
  /// Throws std::runtime_error with the server's words.
  std::string sql(const std::string& statements) const;
  /// Closes the binlog file that is written to and returns the paths of all closed ones, in order.
  [[nodiscard]] std::vector<std::string> close_binlog() const;
  /// What the server's own tool prints for binlog files: rows as commented pseudo-SQL, decoded.
  [[nodiscard]] std::string dump(const std::vector<std::string>& files) const;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string socket() const { return process_.path("socket"); }
  /// A user for connections from anywhere, with this password, as "user" and "password" are.
  [[nodiscard]] static std::string user() { return "watcher"; }
  [[nodiscard]] static std::string password() { return "pass:word@/"; }
  /// "mysql://watcher:…@127.0.0.1:port/database".
  [[nodiscard]] std::string url(std::string_view database) const;

  /// Ends the server as a crash would, or in good order; start() brings it back on the same port.
  void kill() { process_.kill(); }
  void stop() { process_.stop(); }
  void start();

 protected:
  explicit SqlServer(const std::string& name) : process_(name), port_(free_port()) {}

  /// Starts for the first time and makes the user; `identified` says how: "IDENTIFIED …".
  void start_first(std::vector<std::string> command, const std::vector<std::string>& options,
                   const std::string& identified);

  ServerProcess process_;
  std::vector<std::string> client_;  ///< the words that run the client and the dump tool, to which
  std::vector<std::string> dumper_;  ///< the last arguments are added

 private:
  std::vector<std::string> command_;
  std::uint16_t port_;
};

}  // namespace ustream::test
