// The threads on which callbacks run: an elastic pool of strands with timers.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <span>
#include <thread>
#include <vector>

#include "ustream/subscription.hpp"

namespace ustream::stream {

using Clock = std::chrono::steady_clock;

/// Something that runs on the pool, never twice at once.
class Strand {
 public:
  Strand() = default;
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;
  virtual ~Strand() = default;
  /// Does what is due; returns true when more is due at once. `room` is empty, belongs to the
  /// worker and is cleared by it. Must not throw.
  virtual bool run(std::vector<Delivery>& room) = 0;

 private:
  friend class DeliveryPool;
  enum class Turn : std::uint8_t { idle, queued, running, running_again };
  std::atomic<Turn> turn_{Turn::idle};
};

struct PoolOptions {
  std::size_t threads = 2;                    ///< kept once they were needed
  std::size_t max_threads = 64;               ///< when callbacks are slow
  std::chrono::milliseconds grow_after{10};   ///< a strand waited so long, all threads being busy
  std::chrono::milliseconds idle_end{3'000};  ///< of threads beyond `threads`
};

/// Runs strands in the order in which they were posted. A strand that has more to do goes to the
/// end of the line, so a busy one does not starve the others. When all threads are inside
/// callbacks and a strand has waited for `grow_after`, as many threads are added as strands waited.
///
/// Any thread may call anything, except that shutdown() must not be called from a strand.
class DeliveryPool {
 public:
  explicit DeliveryPool(PoolOptions options = {});
  DeliveryPool(const DeliveryPool&) = delete;
  DeliveryPool& operator=(const DeliveryPool&) = delete;
  ~DeliveryPool();

  /// Lets the strand run (again), soon. A strand that is queued already is not queued twice; one
  /// that is running runs once more. Nothing happens after shutdown().
  void post(const std::shared_ptr<Strand>& strand);
  /// post() of each, with one lock and no more wake-ups than there are idle threads; empties the
  /// vector.
  void post(std::vector<std::shared_ptr<Strand>>& strands);
  /// post() at `when`, unless the strand is gone by then.
  void post_at(Clock::time_point when, std::weak_ptr<Strand> strand);
  /// Waits for the strands that run, then ends all threads. What is queued does not run.
  void shutdown();
  [[nodiscard]] std::size_t threads() const;

 private:
  struct Waiting {
    std::shared_ptr<Strand> strand;
    Clock::time_point since;
  };
  struct Timer {
    Clock::time_point when;
    std::weak_ptr<Strand> strand;
    bool operator>(const Timer& other) const { return when > other.when; }
  };

  void work();
  void keep_time();
  /// Notes that the strand is wanted; true when it has to be queued.
  [[nodiscard]] static bool claim(Strand& strand);
  void enqueue(std::span<std::shared_ptr<Strand>> strands);
  void add_thread();          // REQUIRES mutex_
  void join_finished();       // REQUIRES mutex_
  void finish_this_thread();  // REQUIRES mutex_
  void grow(Clock::time_point now);

  const PoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Waiting> waiting_;
  std::vector<std::thread> threads_;
  std::vector<std::thread> finished_;
  std::size_t idle_ = 0;
  bool stopping_ = false;

  std::mutex timer_mutex_;
  std::condition_variable timer_changed_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  Clock::time_point grow_check_ = Clock::time_point::max();
  bool timer_stopping_ = false;
  std::atomic<bool> grow_check_armed_{false};
  std::thread timer_thread_;
};

}  // namespace ustream::stream
