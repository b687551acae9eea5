#include "process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ustream::e2e {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe2 failed");
  }
  return {ends[0], ends[1]};
}

void close_fd(int& fd) {
  if (fd >= 0) {
    ::close(fd);
    fd = -1;
  }
}

/// Appends what there is; false at the end.
bool take(int fd, std::string& into) {
  std::array<char, 65536> piece{};
  const ssize_t n = ::read(fd, piece.data(), piece.size());
  if (n > 0) {
    into.append(piece.data(), static_cast<std::size_t>(n));
  }
  return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Process::Process(ProcessOptions options) {
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  std::vector<std::string> words{USTREAM_PROGRAM};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::runtime_error("fork failed");
  }
  if (pid_ == 0) {
    for (const auto& [name, value] : options.environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    if (options.obeys_permissions) {
      // Out of the bounding set, so that root does not get it back by execv.
      ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
    }
    ::dup2(in.read, STDIN_FILENO);
    ::dup2(options.stdout_fd.value_or(out.write), STDOUT_FILENO);
    ::dup2(err.write, STDERR_FILENO);
    if (options.without_stdout) {
      ::close(STDOUT_FILENO);
    }
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  in_ = in.write;
  out_fd_ = out.read;
  err_fd_ = err.read;
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  if (options.input) {
    pending_input_ = std::move(*options.input);
    close_input_after_ = true;
  }
}

Process::~Process() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  close_fd(in_);
  close_fd(out_fd_);
  close_fd(err_fd_);
}

void Process::pump(int timeout_ms) {
  if (in_ >= 0 && close_input_after_ && pending_input_.empty()) {
    close_fd(in_);
  }
  const bool wants_input = in_ >= 0 && !pending_input_.empty();
  std::array<pollfd, 3> fds{pollfd{out_fd_, POLLIN, 0}, pollfd{err_fd_, POLLIN, 0},
                            pollfd{wants_input ? in_ : -1, POLLOUT, 0}};
  ::poll(fds.data(), fds.size(), timeout_ms);
  if (fds[0].revents != 0 && !take(out_fd_, out_)) {
    close_fd(out_fd_);
  }
  if (fds[1].revents != 0 && !take(err_fd_, err_)) {
    close_fd(err_fd_);
  }
  if (fds[2].revents != 0) {
    const ssize_t n = ::write(in_, pending_input_.data(), pending_input_.size());
    if (n > 0) {
      pending_input_.erase(0, static_cast<std::size_t>(n));
    } else if (errno != EAGAIN && errno != EINTR) {
      pending_input_.clear();
      close_fd(in_);
    }
  }
}

bool Process::reap() {
  if (status_) {
    return true;
  }
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) {
    return false;
  }
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  while (out_fd_ >= 0 && take(out_fd_, out_)) {
  }
  while (err_fd_ >= 0 && take(err_fd_, err_)) {
  }
  return true;
}

bool Process::await(const std::function<bool(const Process&)>& holds) {
  const auto deadline = Clock::now() + kDeadline;
  while (Clock::now() < deadline) {
    if (holds(*this)) {
      return true;
    }
    if (reap()) {
      return holds(*this);
    }
    pump(20);
  }
  return false;
}

bool Process::await_lines(std::size_t count) {
  return await([count](const Process& process) { return process.lines().size() >= count; });
}

int Process::wait() {
  const auto deadline = Clock::now() + kDeadline;
  while (!reap()) {
    if (Clock::now() >= deadline) {
      return -1000;
    }
    pump(20);
  }
  return *status_;
}

int Process::wait_without_reading() {
  const auto deadline = Clock::now() + kDeadline;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (Clock::now() >= deadline) {
      return -1000;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return *status_;
}

bool Process::await_full_pipe() {
  const int capacity = ::fcntl(out_fd_, F_GETPIPE_SZ);
  const auto deadline = Clock::now() + kDeadline;
  while (Clock::now() < deadline) {
    int unread = 0;
    ::ioctl(out_fd_, FIONREAD, &unread);
    if (unread > capacity - 4096) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

void Process::write(std::string_view text) {
  pending_input_ += text;
}

void Process::close_input() {
  close_input_after_ = true;
}

void Process::close_output() {
  close_fd(out_fd_);
}

std::vector<std::string> Process::lines() const {
  return split(out_);
}

std::vector<std::string> Result::lines() const {
  return split(out);
}

Result run(std::vector<std::string> arguments, std::string input,
           std::map<std::string, std::string> environment) {
  Process process({.arguments = std::move(arguments),
                   .environment = std::move(environment),
                   .input = std::move(input),
                   .stdout_fd = {},
                   .obeys_permissions = false});
  const int code = process.wait();
  return {code, process.out(), process.err()};
}

}  // namespace ustream::e2e
