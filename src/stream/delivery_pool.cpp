#include "stream/delivery_pool.hpp"

#include <algorithm>
#include <utility>

namespace ustream::stream {

namespace {
// A worker keeps the room of an ordinary handover, not that of the largest it ever saw.
constexpr std::size_t kKeptRoom = 4096;
}  // namespace

DeliveryPool::DeliveryPool(PoolOptions options)
    : options_(options), timer_thread_([this] { keep_time(); }) {}

DeliveryPool::~DeliveryPool() {
  shutdown();
}

bool DeliveryPool::claim(Strand& strand) {
  using Turn = Strand::Turn;
  Turn turn = strand.turn_.load(std::memory_order_acquire);
  for (;;) {
    // A strand that is wanted already is exchanged with itself: that orders what the caller wrote
    // before the strand's next run.
    Turn wanted = turn;
    if (turn == Turn::running) {
      wanted = Turn::running_again;
    } else if (turn == Turn::idle) {
      wanted = Turn::queued;
    }
    if (strand.turn_.compare_exchange_weak(turn, wanted, std::memory_order_acq_rel)) {
      return turn == Turn::idle;
    }
  }
}

void DeliveryPool::post(const std::shared_ptr<Strand>& strand) {
  if (claim(*strand)) {
    std::shared_ptr<Strand> one = strand;
    enqueue({&one, 1});
  }
}

void DeliveryPool::post(std::vector<std::shared_ptr<Strand>>& strands) {
  std::erase_if(strands, [](const auto& strand) { return !claim(*strand); });
  if (!strands.empty()) {
    enqueue(strands);
    strands.clear();
  }
}

void DeliveryPool::enqueue(std::span<std::shared_ptr<Strand>> strands) {
  std::size_t wake = 0;
  bool arm = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      return;
    }
    const auto now = Clock::now();
    for (std::shared_ptr<Strand>& strand : strands) {
      waiting_.push_back({std::move(strand), now});
    }
    wake = std::min(idle_, strands.size());
    if (idle_ < waiting_.size()) {
      if (threads_.size() < options_.threads) {
        add_thread();
      } else {
        arm = threads_.size() < options_.max_threads;
      }
    }
  }
  for (; wake > 0; --wake) {
    work_.notify_one();
  }
  if (arm && !grow_check_armed_.exchange(true)) {
    {
      const std::lock_guard lock(timer_mutex_);
      grow_check_ = Clock::now() + options_.grow_after;
    }
    timer_changed_.notify_one();
  }
}

void DeliveryPool::add_thread() {
  join_finished();
  threads_.emplace_back([this] { work(); });
}

void DeliveryPool::join_finished() {
  // Each of them has nothing left to do but to return.
  for (std::thread& thread : finished_) {
    thread.join();
  }
  finished_.clear();
}

void DeliveryPool::finish_this_thread() {
  const auto self = std::find_if(threads_.begin(), threads_.end(), [](const std::thread& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
  finished_.push_back(std::move(*self));
  threads_.erase(self);
}

void DeliveryPool::work() {
  using Turn = Strand::Turn;
  std::vector<Delivery> room;
  room.reserve(64);
  std::unique_lock lock(mutex_);
  for (;;) {
    while (waiting_.empty() && !stopping_) {
      ++idle_;
      auto woken = std::cv_status::no_timeout;
      if (threads_.size() > options_.threads) {
        woken = work_.wait_for(lock, options_.idle_end);
      } else {
        work_.wait(lock);
      }
      --idle_;
      if (woken == std::cv_status::timeout && waiting_.empty() && !stopping_ &&
          threads_.size() > options_.threads) {
        finish_this_thread();
        return;
      }
    }
    if (stopping_) {
      return;
    }
    std::shared_ptr<Strand> strand = std::move(waiting_.front().strand);
    waiting_.pop_front();
    lock.unlock();

    strand->turn_.store(Turn::running, std::memory_order_release);
    const bool more = strand->run(room);
    room.clear();
    if (room.capacity() > kKeptRoom) {
      room.shrink_to_fit();
    }
    Turn expected = Turn::running;
    if (more ||
        !strand->turn_.compare_exchange_strong(expected, Turn::idle, std::memory_order_acq_rel)) {
      strand->turn_.store(Turn::queued, std::memory_order_release);
      enqueue({&strand, 1});
    }
    strand.reset();
    lock.lock();
  }
}

void DeliveryPool::post_at(Clock::time_point when, std::weak_ptr<Strand> strand) {
  bool earliest = false;
  {
    const std::lock_guard lock(timer_mutex_);
    earliest = timers_.empty() || when < timers_.top().when;
    timers_.push({when, std::move(strand)});
  }
  if (earliest) {
    timer_changed_.notify_one();
  }
}

void DeliveryPool::keep_time() {
  std::unique_lock lock(timer_mutex_);
  while (!timer_stopping_) {
    auto next = grow_check_;
    if (!timers_.empty()) {
      next = std::min(next, timers_.top().when);
    }
    const auto now = Clock::now();
    if (next > now) {
      if (next == Clock::time_point::max()) {
        timer_changed_.wait(lock);
      } else {
        timer_changed_.wait_until(lock, next);
      }
      continue;
    }
    std::vector<std::shared_ptr<Strand>> due;
    while (!timers_.empty() && timers_.top().when <= now) {
      if (auto strand = timers_.top().strand.lock()) {
        due.push_back(std::move(strand));
      }
      timers_.pop();
    }
    const bool check = grow_check_ <= now;
    if (check) {
      grow_check_ = Clock::time_point::max();
    }
    lock.unlock();
    for (const auto& strand : due) {
      post(strand);
    }
    due.clear();
    if (check) {
      grow(now);
    }
    lock.lock();
  }
}

void DeliveryPool::grow(Clock::time_point now) {
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    std::size_t late = 0;
    if (idle_ == 0 && !stopping_) {
      late = static_cast<std::size_t>(std::count_if(
          waiting_.begin(), waiting_.end(),
          [&](const Waiting& waiting) { return now - waiting.since >= options_.grow_after; }));
    }
    while (late-- > 0 && threads_.size() < options_.max_threads) {
      add_thread();
    }
    again = !stopping_ && !waiting_.empty() && threads_.size() < options_.max_threads;
    if (!again) {
      grow_check_armed_ = false;
    }
  }
  if (again) {
    const std::lock_guard lock(timer_mutex_);
    grow_check_ = Clock::now() + options_.grow_after;
  }
}

void DeliveryPool::shutdown() {
  std::vector<std::thread> ending;
  std::deque<Waiting> dropped;  // a strand's destructor may run foreign code: not under the mutex
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ending = std::exchange(threads_, {});
    for (std::thread& thread : finished_) {
      ending.push_back(std::move(thread));
    }
    finished_.clear();
    dropped.swap(waiting_);
  }
  work_.notify_all();
  {
    const std::lock_guard lock(timer_mutex_);
    timer_stopping_ = true;
  }
  timer_changed_.notify_all();
  for (std::thread& thread : ending) {
    thread.join();
  }
  if (timer_thread_.joinable()) {
    timer_thread_.join();
  }
}

std::size_t DeliveryPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

}  // namespace ustream::stream
