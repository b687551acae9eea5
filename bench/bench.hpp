// The benchmarks, and what they have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

#include "ustream/package.hpp"

#include "report.hpp"

namespace ustream::bench {

struct Settings {
  bool quick = false;
  std::size_t repetitions = 5;
  std::string folder;   ///< of the databases
  std::string program;  ///< the ustream program; empty: its section is left out, and says so
  std::string self;     ///< this program
  std::string binlog;   ///< a file whose rows are read; empty: rows are made
  /// How much work: `full`, or a small part of it in a smoke run.
  [[nodiscard]] std::size_t amount(std::size_t full, std::size_t small) const {
    return quick ? small : full;
  }
};

// Each prints one or more sections.
void bench_latency(const Settings& settings, Report& report);
void bench_capture(const Settings& settings, Report& report);
void bench_writes(const Settings& settings, Report& report);
void bench_snapshot(const Settings& settings, Report& report);
void bench_dispatch(const Settings& settings, Report& report);
void bench_binlog(const Settings& settings, Report& report);
void bench_footprint(const Settings& settings, Report& report);

/// What a child process of the latency benchmark does: inserts `count` orders at `rate` a second,
/// ids from `first_id`, and writes (id, CLOCK_MONOTONIC nanoseconds after COMMIT) pairs to stdout.
struct ChildWrites {
  std::string database;
  std::string synchronous;
  std::int64_t first_id = 1;
  std::size_t count = 0;
  double rate = 200;
};
void write_as_child(const ChildWrites& options);
/// Prints by how many bytes this process's anonymous memory grows while `records` of 1 KiB are
/// written and watched.
void print_memory_growth(const std::string& folder, std::size_t records);

/// A path in `folder` for one database; its files are removed at the end.
class DatabaseFile {
 public:
  DatabaseFile(const std::string& folder, std::string_view name);
  ~DatabaseFile() { remove(); }
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string url() const { return "sqlite:" + path_; }

 private:
  void remove() const noexcept;
  std::string path_;
};

/// SQLite with nothing of ours around it: the baseline. Throws std::runtime_error.
class Plain {
 public:
  /// `synchronous` as PRAGMA synchronous takes it; the journal mode is WAL.
  Plain(const std::string& path, std::string_view synchronous);
  void execute(const std::string& sql);

  class Statement {
   public:
    Statement(Plain& database, std::string_view sql);
    void bind(int index, std::int64_t value);
    void bind(int index, double value);
    /// The text must live until the next bind of this index.
    void bind(int index, std::string_view text);
    /// True when there is a row.
    bool step();
    void run() {
      while (step()) {
      }
      sqlite3_reset(handle_.get());
    }
    [[nodiscard]] sqlite3_stmt* handle() const noexcept { return handle_.get(); }

   private:
    void check(int code) const;
    struct Finalize {
      void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  };

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A table that is written to.
struct TableKind {
  std::string name;
  std::string create;       ///< SQL
  std::string insert;       ///< one row, the id is ?1, other values computed by bind()
  std::string bulk_insert;  ///< ?1 rows in one statement
  std::function<void(Plain::Statement& insert, std::int64_t id)> bind;
};
/// As a shop has it: six columns and an index on customer_id.
[[nodiscard]] TableKind orders_table();
/// Three columns, no index.
[[nodiscard]] TableKind narrow_table();
/// The row that orders_table().bind() binds, without its id.
[[nodiscard]] Value::Object order_row(std::int64_t id);

/// Installs capture of a table and leaves it there.
void install_capture(const std::string& url, const std::string& table);

/// A package that watches one table and counts, losing nothing (a slow callback holds the source
/// back).
class Watcher {
 public:
  Watcher(const std::string& url, const std::string& table);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  [[nodiscard]] RealtimeStreamPackage& package() noexcept { return *package_; }
  /// Waits until `changes` in all were delivered; throws when that takes longer than a minute.
  void await(std::uint64_t changes);

 private:
  struct Count;
  std::shared_ptr<Count> count_;
  std::unique_ptr<RealtimeStreamPackage> package_;
  Subscription subscription_;
};

/// Nanoseconds of CLOCK_MONOTONIC, the same in every process.
[[nodiscard]] std::int64_t now_ns();
/// Sleeps until then.
void sleep_until_ns(std::int64_t when);
/// RssAnon of a process, in bytes; 0 when it cannot be read.
[[nodiscard]] std::uint64_t anonymous_memory(std::int64_t pid);

/// A child process of which stdout is read. Killed and reaped at the end.
class Child {
 public:
  explicit Child(std::vector<std::string> command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }
  /// Up to and with the first line end, or everything when there is none.
  [[nodiscard]] std::string read_line();
  [[nodiscard]] std::string read_all();

 private:
  int pid_ = -1;
  int output_ = -1;
};

}  // namespace ustream::bench
