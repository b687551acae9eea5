// ChangeCollector: runs a change source on a thread of its own and keeps what it delivers, so that
// a test can wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ustream/change.hpp"
#include "ustream/connector.hpp"

namespace ustream::testing {

/// Every wait of the suite; long enough for a busy machine, and never waited out when all is well.
constexpr std::chrono::seconds kDeadline{60};

/// A sink that keeps everything. Any thread.
class KeepingSink final : public ChangeSink {
 public:
  [[nodiscard]] bool deliver(ChangeBatchPtr batch) override {
    {
      const std::lock_guard lock(mutex_);
      changes_.insert(changes_.end(), batch->changes.begin(), batch->changes.end());
      notices_.insert(notices_.end(), batch->notices.begin(), batch->notices.end());
      if (batch->boundary) {
        reached_ = batch->boundary;
      }
    }
    told_.notify_all();
    return true;
  }
  void caught_up(const Position& position) override {
    {
      const std::lock_guard lock(mutex_);
      reached_ = position;
      ++caught_up_;
    }
    told_.notify_all();
  }
  /// Something changed that is not a delivery.
  void wake() { told_.notify_all(); }

  [[nodiscard]] std::vector<Change> changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  [[nodiscard]] std::vector<Notice> notices() const {
    const std::lock_guard lock(mutex_);
    return notices_;
  }
  /// The last boundary or caught_up() told.
  [[nodiscard]] Position reached() const {
    const std::lock_guard lock(mutex_);
    return reached_;
  }
  [[nodiscard]] std::size_t times_caught_up() const {
    const std::lock_guard lock(mutex_);
    return caught_up_;
  }
  /// False at the deadline. `holds` is called without the sink's lock held.
  bool await(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= deadline) {
        return false;
      }
      // Woken between the look and the wait, it looks again soon.
      std::unique_lock lock(mutex_);
      told_.wait_for(lock, std::chrono::milliseconds(10));
    }
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable told_;
  std::vector<Change> changes_;
  std::vector<Notice> notices_;
  Position reached_;
  std::size_t caught_up_ = 0;
};

/// run() on a thread, from construction to stop().
class ChangeCollector {
 public:
  ChangeCollector(ChangeSource& source, Position from)
      : thread_([this, &source, begin = std::move(from)](const std::stop_token& stop) {
          try {
            source.run(begin, sink_, stop);
          } catch (...) {
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
          }
          {
            const std::lock_guard lock(mutex_);
            ended_ = true;
          }
          sink_.wake();
        }) {}
  ChangeCollector(const ChangeCollector&) = delete;
  ChangeCollector& operator=(const ChangeCollector&) = delete;
  ~ChangeCollector() { stop(); }

  [[nodiscard]] std::vector<Change> changes() const { return sink_.changes(); }
  [[nodiscard]] std::vector<Notice> notices() const { return sink_.notices(); }
  [[nodiscard]] KeepingSink& sink() noexcept { return sink_; }

  /// Until so many changes came; false when run() ended before, or at the deadline.
  bool await_changes(std::size_t count) {
    return sink_.await([&] { return sink_.changes().size() >= count || ended(); }) &&
           sink_.changes().size() >= count;
  }
  /// Until everything at or before `position` came; false when run() ended before, or at the
  /// deadline.
  bool await_position(const Position& position) {
    const auto there = [&] {
      const Position reached = sink_.reached();
      return reached && reached.comparable(position) && reached.compare(position) >= 0;
    };
    return sink_.await([&] { return there() || ended(); }) && there();
  }
  bool await_caught_up() {
    return sink_.await([&] { return sink_.times_caught_up() > 0 || ended(); }) && !ended();
  }
  bool await_end() {
    return sink_.await([&] { return ended(); });
  }
  void request_stop() { thread_.request_stop(); }
  void stop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
  }
  [[nodiscard]] bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  /// What run() threw; null when it did not.
  [[nodiscard]] std::exception_ptr failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  mutable std::mutex mutex_;
  bool ended_ = false;
  std::exception_ptr failure_;
  KeepingSink sink_;
  std::jthread thread_;
};

/// {"op","key","after"} of a change, for comparisons and messages. Without the place in the
/// transaction: a source may join transactions when it reads them again.
[[nodiscard]] inline std::string summary(const Change& change) {
  std::string text(to_string(change.op));
  text += ' ' + change.key_text().value_or("-");
  if (change.after) {
    text += ' ' + change.after.to_json();
  }
  return text;
}

[[nodiscard]] inline std::vector<std::string> summaries(const std::vector<Change>& changes) {
  std::vector<std::string> result;
  for (const Change& change : changes) {
    result.push_back(summary(change));
  }
  return result;
}

/// Same, with each change's cursor.
[[nodiscard]] inline std::vector<std::string> summaries_with_cursors(
    const std::vector<Change>& changes) {
  std::vector<std::string> result;
  for (const Change& change : changes) {
    result.push_back(summary(change) + " @" + change.position.cursor());
  }
  return result;
}

}  // namespace ustream::testing
