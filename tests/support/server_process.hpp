// A server program of a test's own: in a temporary folder, ended with the test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ustream::test {

/// A folder and one process in it. The destructor kills the process and removes the folder; the
/// kernel kills it when the thread that started it ends first, however that ends. Start, end and
/// destroy on one thread; `run` from any.
class ServerProcess {
 public:
  /// Makes the folder ustream-<name>-… for temporary files. Throws std::runtime_error.
  explicit ServerProcess(const std::string& name);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// The path of a file in the folder.
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  /// Runs a program to its end with `input` as its standard input and returns what it printed.
  /// Throws std::runtime_error with what it said on standard error when it fails.
  std::string run(std::vector<std::string> words, const std::string& input = {}) const;

  /// Starts the server and waits until `ready`. Its output goes to the file "log". Throws
  /// std::runtime_error with the end of that file when it ends first or takes over a minute.
  void start(std::vector<std::string> words, const std::function<bool()>& ready);
  /// Ends it at once, as a crash would. The folder stays, and it can be started again.
  void kill();
  /// Asks it to end and waits until it has; kills it after half a minute.
  void stop();
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }

 private:
  bool reap();  ///< whether it has ended

  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

/// Where a program is, in PATH or in /usr/sbin; empty when nowhere.
std::string find_program(const std::string& name);

/// A TCP port of 127.0.0.1 that nobody listened on a moment ago.
std::uint16_t free_port();

/// Whether what listens on this Unix socket sends something to who connects, as MySQL does.
bool greets(const std::string& socket);

/// Waits until `condition` and returns true, or false after `seconds`.
bool wait_until(const std::function<bool()>& condition, int seconds);

/// Where what was fetched once for the tests is kept, see scripts/fetch-mysql.sh.
std::filesystem::path test_cache();

}  // namespace ustream::test
