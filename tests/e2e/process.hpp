// A program that runs as a child, and what it prints.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ustream::e2e {

/// Every wait of these tests; long enough for a busy machine, and never waited out when all is
/// well.
constexpr std::chrono::seconds kDeadline{30};

struct ProcessOptions {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< added to this process's own
  std::optional<std::string> input;  ///< of stdin, then its end; none: stdin stays open
  std::optional<int> stdout_fd;      ///< instead of a pipe
  bool obeys_permissions = false;    ///< of files, even when it is root's
  bool without_stdout = false;       ///< it is closed
};

/// Runs the ustream program. Its output is collected while a member function waits. Killed when it
/// still runs at the end. One thread.
class Process {
 public:
  explicit Process(ProcessOptions options);
  explicit Process(std::vector<std::string> arguments)
      : Process(ProcessOptions{.arguments = std::move(arguments),
                               .environment = {},
                               .input = std::string(),
                               .stdout_fd = {},
                               .obeys_permissions = false}) {}
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Waits until stdout has so many whole lines; false at the deadline or when it ended before.
  bool await_lines(std::size_t count);
  /// Waits until `holds(*this)`; false at the deadline or when it ended before.
  bool await(const std::function<bool(const Process&)>& holds);
  /// Waits for its end; the exit code, or -signal. -1000 when it did not end.
  int wait();
  /// wait() without reading its output meanwhile.
  int wait_without_reading();
  /// Waits, without reading, until its output pipe is full; false at the deadline.
  bool await_full_pipe();
  void signal(int number) const;
  void write(std::string_view text);
  void close_input();
  /// Closes our end of its stdout.
  void close_output();

  [[nodiscard]] const std::string& out() const noexcept { return out_; }
  [[nodiscard]] const std::string& err() const noexcept { return err_; }
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  void pump(int timeout_ms);
  bool reap();

  pid_t pid_ = -1;
  int in_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string pending_input_;
  bool close_input_after_ = false;
  std::string out_;
  std::string err_;
  std::optional<int> status_;
};

struct Result {
  int code = 0;
  std::string out;
  std::string err;
  [[nodiscard]] std::vector<std::string> lines() const;
};

/// Runs ustream to its end.
[[nodiscard]] Result run(std::vector<std::string> arguments, std::string input = {},
                         std::map<std::string, std::string> environment = {});

}  // namespace ustream::e2e
