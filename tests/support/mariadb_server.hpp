// A real MariaDB server of a test's own: in a temporary folder, on a Unix socket and on a port of
// 127.0.0.1.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ustream::test {

/// Started by the constructor, killed and removed by the destructor (or by the kernel when the test
/// dies first). Logs rows with full metadata unless `options` say otherwise. One thread.
class MariadbServer {
 public:
  /// Why there can be none here; empty when there can. A test skips itself with it.
  [[nodiscard]] static std::string missing();

  /// Throws std::runtime_error with the server's log when it does not start.
  explicit MariadbServer(const std::vector<std::string>& options = {});
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  /// The port on 127.0.0.1 where kUser, who may do everything, logs in with kPassword.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  static constexpr const char* kUser = "tester";
  static constexpr const char* kPassword = "p@ss/word:1";
  /// "mysql://tester:…@127.0.0.1:port/database".
  [[nodiscard]] std::string url(const std::string& database) const;
  /// Path of the Unix socket.
  [[nodiscard]] std::string socket() const { return (folder_ / "socket").string(); }

  /// Runs statements (UTF-8) and returns what they print: columns by tabs, no header. Throws
  /// std::runtime_error with the server's words.
  std::string sql(const std::string& statements);
  /// Closes the binlog file that is written to and returns the paths of all closed ones, in order.
  std::vector<std::string> close_binlog();

 private:
  [[nodiscard]] bool answers() const;

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace ustream::test
