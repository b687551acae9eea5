#include "server_process.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ustream::test {
namespace {

using std::chrono::steady_clock;
constexpr int kStartSeconds = 60;
constexpr int kStopSeconds = 30;
constexpr std::size_t kLogEnd = 4000;

std::string end_of(const std::string& path) {
  const std::string text = content_of(path);
  return text.substr(text.size() > kLogEnd ? text.size() - kLogEnd : 0);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? "" : value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

struct Streams {
  std::string in;
  std::string out;
  std::string err;
};

/// Only what is safe between fork and exec happens in the child.
pid_t spawn(std::vector<std::string>& words, const Streams& streams) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::runtime_error("fork failed");
  }
  if (pid > 0) {
    return pid;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(127);  // it died before the line above
  }
  ::dup2(::open(streams.in.c_str(), O_RDONLY), STDIN_FILENO);
  ::dup2(::open(streams.out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
  ::dup2(::open(streams.err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

}  // namespace

ServerProcess::ServerProcess(const std::string& name) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / ("ustream-" + name + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("mkdtemp failed: " + pattern);
  }
  folder_ = pattern;
}

ServerProcess::~ServerProcess() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string ServerProcess::run(std::vector<std::string> words, const std::string& input) const {
  std::string own = (folder_ / "run-XXXXXX").string();
  if (::mkdtemp(own.data()) == nullptr) {
    throw std::runtime_error("mkdtemp failed: " + own);
  }
  const Streams streams{own + "/in", own + "/out", own + "/err"};
  std::ofstream(streams.in, std::ios::binary) << input;
  const pid_t pid = spawn(words, streams);
  int status = 0;
  ::waitpid(pid, &status, 0);
  std::string out = content_of(streams.out);
  const std::string err = content_of(streams.err);
  std::filesystem::remove_all(own);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(err + out.substr(0, kLogEnd) + " from " + joined(words) + " with " +
                             input.substr(0, kLogEnd));
  }
  return out;
}

void ServerProcess::start(std::vector<std::string> words, const std::function<bool()>& ready) {
  const std::string log = path("log");
  pid_ = spawn(words, {"/dev/null", log, log});
  bool up = false;
  wait_until([&] { return reap() || (up = ready()); }, kStartSeconds);
  if (up) {
    return;
  }
  kill();
  throw std::runtime_error("did not start: " + joined(words) + ": " + end_of(log));
}

void ServerProcess::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

void ServerProcess::stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    wait_until([this] { return reap(); }, kStopSeconds);
  }
  kill();
}

bool ServerProcess::reap() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
    return false;
  }
  pid_ = -1;
  return true;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string find_program(const std::string& name) {
  std::istringstream folders(environment("PATH") + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string path = folder;
    path.append("/").append(name);
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return {};
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!bound) {
    throw std::runtime_error("no TCP port is free");
  }
  return ntohs(address.sin_port);
}

bool greets(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) {
    throw std::runtime_error("too long for a socket: " + socket);
  }
  std::memcpy(static_cast<char*>(address.sun_path), socket.data(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool greeted = false;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    pollfd wait{fd, POLLIN, 0};
    std::array<char, 1> byte{};
    greeted = ::poll(&wait, 1, 1000) > 0 && ::recv(fd, byte.data(), byte.size(), 0) == 1;
  }
  ::close(fd);
  return greeted;
}

bool wait_until(const std::function<bool()>& condition, int seconds) {
  const auto deadline = steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::filesystem::path test_cache() {
  if (const std::string cache = environment("USTREAM_CACHE"); !cache.empty()) {
    return cache;
  }
  const std::string caches = environment("XDG_CACHE_HOME");
  const std::string home = environment("HOME");
  return (caches.empty() ? std::filesystem::path(home.empty() ? "/root" : home) / ".cache"
                         : std::filesystem::path(caches)) /
         "ustream";
}

}  // namespace ustream::test
