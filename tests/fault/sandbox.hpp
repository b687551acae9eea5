// A folder with a database that plain SQLite writes to, and programs run as children.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ustream::fault {

/// Every wait; long enough for a busy machine, and never waited out when all is well.
constexpr std::chrono::seconds kDeadline{90};

/// Looks again and again until it holds; false at the deadline.
inline bool await(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A connection that knows nothing of ustream.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) {
      throw std::runtime_error("sqlite3_open failed");
    }
    sqlite3_busy_timeout(database_, 60'000);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite() { sqlite3_close(database_); }

  void run(const std::string& sql) { (void)rows(sql); }
  [[nodiscard]] std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> result;
    char* message = nullptr;
    const auto add = [](void* into, int count, char** cells, char**) {
      auto& row = static_cast<std::vector<std::vector<std::string>>*>(into)->emplace_back();
      for (int i = 0; i < count; ++i) {
        row.emplace_back(cells[i] == nullptr ? "" : cells[i]);
      }
      return 0;
    };
    if (sqlite3_exec(database_, sql.c_str(), add, &result, &message) != SQLITE_OK) {
      const std::string why = message == nullptr ? "?" : message;
      sqlite3_free(message);
      throw std::runtime_error(sql + ": " + why);
    }
    return result;
  }
  [[nodiscard]] std::int64_t number(const std::string& sql) {
    return std::stoll(rows(sql).at(0).at(0));
  }

 private:
  sqlite3* database_ = nullptr;
};

class Sandbox {
 public:
  Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "ustream-fault-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = name;
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::string database() const { return file("shop.db"); }
  [[nodiscard]] std::string url() const { return "sqlite:" + database(); }

 private:
  std::filesystem::path folder_;
};

/// A child process; killed and reaped when it still runs at the end.
class Child {
 public:
  /// Runs ustream, its output appended to `output`, its messages to `output`.err.
  Child(std::vector<std::string> arguments, const std::string& output) {
    arguments.insert(arguments.begin(), USTREAM_PROGRAM);
    std::vector<char*> argv;
    for (auto& word : arguments) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const std::string errors = output + ".err";
    pid_ = ::fork();
    if (pid_ == 0) {
      constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
      ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
      ::dup2(::open(output.c_str(), kAppend, 0600), STDOUT_FILENO);
      ::dup2(::open(errors.c_str(), kAppend, 0600), STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    check();
  }
  /// Runs `body` in a fork of this process.
  explicit Child(const std::function<void()>& body) {
    pid_ = ::fork();
    if (pid_ == 0) {
      try {
        body();
      } catch (const std::exception& error) {
        const std::string text = std::string(error.what()) + '\n';
        (void)!::write(STDERR_FILENO, text.data(), text.size());
        ::_exit(1);
      }
      ::_exit(0);
    }
    check();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!ended()) {
      ::kill(pid_, SIGKILL);
      int status = 0;
      ::waitpid(pid_, &status, 0);
    }
  }
  void signal(int number) {
    if (!ended()) {
      ::kill(pid_, number);
    }
  }
  [[nodiscard]] bool ended() {
    int status = 0;
    if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return code_.has_value();
  }
  /// The exit code, or -signal; -1000 at the deadline.
  int wait() {
    return await([this] { return ended(); }) ? *code_ : -1000;
  }

 private:
  void check() const {
    if (pid_ < 0) {
      throw std::runtime_error("fork failed");
    }
  }
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace ustream::fault
