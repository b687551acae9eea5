// Sleeps until the database's files change, somebody nudges, or time is up. Linux inotify(7) and
// eventfd(2).
#pragma once

#include <chrono>
#include <string>

#include "base/unique_fd.hpp"
#include "connectors/sqlite/database.hpp"

namespace ustream::sqlite {

/// wait() belongs to one thread; nudge() may be called from any.
///
/// SQLite's own files are watched by path and never opened here: closing a second descriptor of
/// them would drop the process's POSIX locks (sqlite.org/howtocorrupt.html, 2.2).
class FileWatch {
 public:
  explicit FileWatch(const std::string& database_path);

  /// Watches the file that the path leads to now. As wait(), for the one thread that waits.
  void rebind();

  enum class Wake { timeout, activity, replaced };
  /// `replaced`: the path no longer leads to the file that was there at the start, because it was
  /// moved, deleted or replaced. Looked at when the kernel tells of it, and at every timeout.
  [[nodiscard]] Wake wait(std::chrono::nanoseconds timeout);
  void nudge() noexcept;
  /// False when the kernel grants no watch: only nudges and timeouts will wake.
  [[nodiscard]] bool watching() const noexcept { return database_watch_ >= 0; }

 private:
  void watch_log();
  [[nodiscard]] Wake drain();

  std::string path_;
  std::string log_path_;
  FileIdentity file_;
  base::UniqueFd inotify_;
  base::UniqueFd event_;
  int database_watch_ = -1;
  int log_watch_ = -1;
};

}  // namespace ustream::sqlite
