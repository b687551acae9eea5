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
  /// The same for statements that print one line, without its end.
  [[nodiscard]] std::string line_of(const std::string& statements) const;
  /// Closes the binlog file that is written to and returns the paths of all closed ones, in order.
  [[nodiscard]] std::vector<std::string> close_binlog() const;
  /// What the server's own tool prints for binlog files: rows as commented pseudo-SQL, decoded.
  [[nodiscard]] std::string dump(const std::vector<std::string>& files) const;

  /// The path of a file in the server's folder, and what is in it.
  [[nodiscard]] std::string path(const std::string& name) const { return process_.path(name); }
  [[nodiscard]] std::string file(const std::string& name) const { return content_of(path(name)); }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string socket() const { return process_.path("socket"); }
  /// Who may do everything, from anywhere.
  static constexpr const char* kUser = "tester";
  static constexpr const char* kPassword = "p@ss/word:1";
  /// "mysql://tester:…@127.0.0.1:port/database".
  [[nodiscard]] std::string url(std::string_view database) const;

  // Replication by GTID, between two servers of one kind. A server that has followed another, or
  // was followed, can follow the next.

  /// What the server has logged, as its GTIDs: all that a replica must have to be level with it.
  [[nodiscard]] virtual std::string gtids() const = 0;
  /// Copies what `primary` logs, from the first transaction that this one does not have.
  virtual void follow(const SqlServer& primary) const = 0;
  /// Waits until this one has what `gtids` says; false after `seconds`.
  [[nodiscard]] virtual bool has(const std::string& gtids, int seconds) const = 0;
  /// Applies what was received of the primary, which may be dead, and follows it no more.
  virtual void promote() const = 0;

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
