#include "stream/subscription_state.hpp"

#include <algorithm>
#include <exception>

namespace ustream::stream {

namespace {

/// Counts a waiter, so that nobody notifies a condition that nobody waits for.
class Waiting {
 public:
  explicit Waiting(std::size_t& waiters) : waiters_(waiters) { ++waiters_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --waiters_; }

 private:
  std::size_t& waiters_;
};

}  // namespace

SubscriptionState::SubscriptionState(std::shared_ptr<StreamContext> context,
                                     std::vector<std::string> collections,
                                     SubscriptionOptions options, DeliveryCallback callback)
    : context_(std::move(context)),
      collections_(std::move(collections)),
      options_(std::move(options)),
      timed_(options_.debounce.count() > 0 || options_.batch_size > 0),
      callback_(std::move(callback)),
      queue_(options_),
      held_([&] {
        // What is held is delivered later: it is neither folded nor batched before.
        SubscriptionOptions plain = options_;
        plain.debounce = {};
        plain.batch_size = 0;
        return plain;
      }()) {}

// --- the dispatcher

void SubscriptionState::attach(const Position& boundary, const Position& ready,
                               std::vector<SeenCounter> seen) {
  const std::lock_guard lock(mutex_);
  if (closed() || phase_ != Phase::detached) {
    return;
  }
  if (seen_.empty()) {
    for (SeenCounter& counter : seen) {
      const auto base = counter->load(std::memory_order_relaxed);
      seen_.emplace_back(std::move(counter), base);
    }
  }
  attached_at_ = boundary;
  if (starting_) {
    phase_ = Phase::holding;
    notify_waiters();
    return;
  }
  phase_ = Phase::live;
  ready_ = ready;
  queue_.append(
      {.batch = {}, .entries = {}, .notice = Ready{ready}, .arrived = {}, .boundary = ready},
      now());
  wake();
}

void SubscriptionState::push(const ChangeBatchPtr& batch, std::vector<Entry> entries,
                             std::size_t bytes, const Position& boundary,
                             std::vector<std::shared_ptr<Strand>>& due) {
  const std::size_t changes = entries.size();
  Lock lock(mutex_);
  matched_ += changes;
  if (!accepts()) {
    if (halted_ && phase_ == Phase::live) {
      lose(changes);
    }
    return;
  }
  if (make_room(lock, changes, bytes, *batch, due)) {
    auto& queue = phase_ == Phase::holding ? held_ : queue_;
    const auto time = now();
    queue.append({.batch = batch,
                  .entries = std::move(entries),
                  .notice = {},
                  .arrived = {},
                  .boundary = boundary},
                 time);
    if (options_.slow_policy == SlowPolicy::coalesce && queue.over_bounds()) {
      drop_to_resync(0, end_of(*batch));
    }
  }
  if (boundary && phase_ == Phase::live && !queue_.empty()) {
    queue_.mark(boundary);  // also when a Resync has taken the entries' place
  }
  wake(&due);
  tell(lock);
}

bool SubscriptionState::make_room(Lock& lock, std::size_t changes, std::size_t bytes,
                                  const ChangeBatch& batch,
                                  std::vector<std::shared_ptr<Strand>>& due) {
  if (changes == 0) {
    return true;
  }
  if (phase_ == Phase::holding) {
    if (!held_.has_room(changes, bytes)) {
      held_.drop_all();
      phase_ = Phase::detached;
    }
    return phase_ == Phase::holding;
  }
  if (queue_.has_room(changes, bytes)) {
    return true;
  }
  switch (options_.slow_policy) {
    case SlowPolicy::coalesce:
      queue_.fold(now());
      return true;
    case SlowPolicy::resync:
      drop_to_resync(changes, end_of(batch));
      return false;
    case SlowPolicy::block:
      break;
  }
  queue_.flush();
  wake(&due);
  context_->pool.post(due);
  const Waiting waiting(waiters_);
  changed_.wait(lock, [&] { return !accepts() || queue_.has_room(changes, bytes); });
  if (!accepts()) {
    lose(changes);
    return false;
  }
  return true;
}

void SubscriptionState::lose(std::size_t changes) {
  lost_ = true;
  stats_.dropped += changes;
  context_->totals.dropped.fetch_add(changes, std::memory_order_relaxed);
}

void SubscriptionState::drop_to_resync(std::size_t changes, const Position& end) {
  const auto dropped = queue_.drop_all();
  changes += dropped.changes;
  stats_.dropped += changes;
  context_->totals.dropped.fetch_add(changes, std::memory_order_relaxed);
  Resync resync{.reason = ResyncReason::slow_consumer,
                .collection = collections_.size() == 1 ? collections_.front() : std::string(),
                .message = "the subscriber is slower than the source: changes were dropped",
                .position = end};
  ready_ = end;
  if (!dropped.resync) {
    ++stats_.resyncs;
    remember(resync);
  }
  queue_.append(
      {.batch = {}, .entries = {}, .notice = std::move(resync), .arrived = {}, .boundary = {}},
      now());
}

void SubscriptionState::remember(const Resync& resync) {
  context_->totals.resyncs.fetch_add(1, std::memory_order_relaxed);
  StreamEvent event;
  event.type = StreamEvent::Type::resync;
  event.message = resync.message;
  event.collection = resync.collection;
  event.position = resync.position;
  untold_.push_back(std::move(event));
}

void SubscriptionState::tell(Lock& lock) {
  const auto events = std::exchange(untold_, {});
  lock.unlock();
  for (const StreamEvent& event : events) {
    context_->emit(event);
  }
}

void SubscriptionState::notice(OwnNotice what, const Position& boundary) {
  const std::lock_guard lock(mutex_);
  if (!accepts()) {
    return;
  }
  if (std::holds_alternative<Resync>(what)) {
    ++stats_.resyncs;
    context_->totals.resyncs.fetch_add(1, std::memory_order_relaxed);
    ready_ = boundary;
  }
  auto& queue = phase_ == Phase::holding ? held_ : queue_;
  queue.append(
      {.batch = {}, .entries = {}, .notice = std::move(what), .arrived = {}, .boundary = boundary},
      now());
  wake();
}

void SubscriptionState::mark(const Position& boundary) {
  bool processed = false;
  {
    const std::lock_guard lock(mutex_);
    if (!accepts()) {
      return;
    }
    auto& queue = phase_ == Phase::holding ? held_ : queue_;
    if (!queue.empty()) {
      queue.mark(boundary);
    } else if (phase_ == Phase::holding || running_) {
      queue.append({.batch = {}, .entries = {}, .notice = {}, .arrived = {}, .boundary = boundary},
                   now());
    } else {
      processed_ = boundary;
      processed = true;
    }
  }
  if (processed) {
    context_->processed();
  }
}

// --- the thread that starts it

void SubscriptionState::hold() {
  const std::lock_guard lock(mutex_);
  starting_ = true;
  phase_ = Phase::detached;
  attached_at_.reset();
  held_.drop_all();
}

std::optional<Position> SubscriptionState::await_attached(const std::stop_token& stop) {
  Lock lock(mutex_);
  const Waiting waiting(waiters_);
  if (!changed_.wait(lock, stop, [&] { return attached_at_.has_value() || closed(); }) ||
      closed()) {
    return std::nullopt;
  }
  return attached_at_;
}

bool SubscriptionState::push_ahead(Segment segment, const std::stop_token& stop) {
  const std::size_t changes = segment.entries.size();
  std::size_t bytes = 0;
  for (const Entry& entry : segment.entries) {
    bytes += raw_bytes(entry);
  }
  Lock lock(mutex_);
  if (!queue_.has_room(changes, bytes)) {
    queue_.flush();
    wake();
    const Waiting waiting(waiters_);
    changed_.wait(lock, stop,
                  [&] { return closed() || halted_ || queue_.has_room(changes, bytes); });
  }
  if (closed() || halted_ || stop.stop_requested()) {
    return false;
  }
  if (const auto* ready = std::get_if<Ready>(&segment.notice)) {
    ready_ = ready->position;
  }
  if (const auto* resync = std::get_if<Resync>(&segment.notice)) {
    ++stats_.resyncs;
    ready_ = resync->position;
    remember(*resync);
  }
  queue_.append(std::move(segment), now());
  wake();
  tell(lock);
  return true;
}

bool SubscriptionState::join() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::holding) {
    return false;
  }
  queue_.splice(held_, now());
  phase_ = Phase::live;
  starting_ = false;
  wake();
  return true;
}

void SubscriptionState::detach() {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::detached;
  attached_at_.reset();
  held_.drop_all();
}

void SubscriptionState::count_filtered(std::uint64_t changes) {
  const std::lock_guard lock(mutex_);
  stats_.filtered_out += changes;
}

// --- the engine

void SubscriptionState::flush() {
  const std::lock_guard lock(mutex_);
  queue_.flush();
  wake();
}

bool SubscriptionState::drain(Clock::time_point deadline) {
  Lock lock(mutex_);
  const Waiting waiting(waiters_);
  return changed_.wait_until(lock, deadline,
                             [&] { return closed() || (queue_.empty() && !running_); });
}

void SubscriptionState::halt() {
  Lock lock(mutex_);
  halted_ = true;
  const auto dropped = queue_.drop_all();
  const std::size_t changes = dropped.changes + held_.drop_all().changes;
  stats_.dropped += changes;
  context_->totals.dropped.fetch_add(changes, std::memory_order_relaxed);
  lost_ = lost_ || changes > 0 || dropped.resync;
  if (starting_) {
    phase_ = Phase::detached;
    attached_at_.reset();
  }
  notify_waiters();
  const Waiting waiting(waiters_);
  changed_.wait(lock, [&] { return !running_; });
}

void SubscriptionState::resume(const Position& position) {
  Lock lock(mutex_);
  if (!halted_) {
    return;
  }
  halted_ = false;
  if (std::exchange(lost_, false)) {
    drop_to_resync(0, position);
  }
  wake();
  tell(lock);
}

bool SubscriptionState::is_starting() const {
  const std::lock_guard lock(mutex_);
  return starting_;
}

// --- any thread

void SubscriptionState::close() noexcept {
  DeliveryCallback released;
  {
    Lock lock(mutex_);
    closed_.store(true, std::memory_order_release);
    queue_.drop_all();
    held_.drop_all();
    notify_waiters();
    if (running_on_ != std::this_thread::get_id()) {
      const Waiting waiting(waiters_);
      changed_.wait(lock, [&] { return !running_; });
      released = std::move(callback_);
      callback_ = nullptr;
    }
  }
  stop_.request_stop();
  context_->remove(*this);
}

SubscriptionStats SubscriptionState::stats() const {
  const std::lock_guard lock(mutex_);
  SubscriptionStats stats = stats_;
  std::uint64_t seen = 0;
  for (const auto& [counter, base] : seen_) {
    seen += counter->load(std::memory_order_relaxed) - base;
  }
  stats.filtered_out += seen > matched_ ? seen - matched_ : 0;
  stats.queued = queue_.count() + held_.count();
  return stats;
}

Position SubscriptionState::position() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}

Position SubscriptionState::processed() const {
  const std::lock_guard lock(mutex_);
  return processed_;
}

// --- on the pool

void SubscriptionState::wake(std::vector<std::shared_ptr<Strand>>* due) {
  if (closed() || halted_) {
    return;
  }
  const auto [at_once, later] = queue_.due(now());
  if (at_once && due != nullptr) {
    due->push_back(shared_from_this());
  } else if (at_once) {
    context_->pool.post(shared_from_this());
  } else if (later && *later < timer_) {
    timer_ = *later;
    context_->pool.post_at(timer_, weak_from_this());
  }
}

void SubscriptionState::notify_waiters() {
  if (waiters_ > 0) {
    changed_.notify_all();
  }
}

bool SubscriptionState::run(std::vector<Delivery>& room) {
  Position boundary;
  {
    const std::lock_guard lock(mutex_);
    if (closed() || halted_) {
      return false;
    }
    const auto time = now();
    if (timer_ <= time) {
      timer_ = Clock::time_point::max();
    }
    boundary = queue_.take(time, room);
    if (room.empty() && !boundary) {
      wake();
      return false;
    }
    running_ = true;
    running_on_ = std::this_thread::get_id();
    notify_waiters();
  }
  const auto delivered = std::count_if(room.begin(), room.end(), [](const Delivery& delivery) {
    return delivery.change != nullptr;
  });
  if (!room.empty()) {
    try {
      callback_(room);
    } catch (const std::exception& error) {
      report(error.what());
    } catch (...) {
      report("an exception of unknown type");
    }
    room.clear();
  }
  const bool durable = options_.durable && boundary;
  DeliveryCallback released;
  bool more = false;
  {
    Lock lock(mutex_);
    finish(lock, static_cast<std::size_t>(delivered), std::move(boundary));
    if (closed()) {
      released = std::move(callback_);
      callback_ = nullptr;
    } else if (!halted_) {
      more = queue_.due(now()).now;
      if (!more) {
        wake();
      }
    }
  }
  if (durable) {
    context_->processed();
  }
  return more;
}

void SubscriptionState::finish(Lock& /*held*/, std::size_t delivered, Position boundary) {
  running_ = false;
  running_on_ = {};
  stats_.delivered += delivered;
  context_->totals.delivered.fetch_add(delivered, std::memory_order_relaxed);
  if (boundary) {
    processed_ = std::move(boundary);
  }
  notify_waiters();
}

void SubscriptionState::report(const char* what) {
  {
    const std::lock_guard lock(mutex_);
    ++stats_.errors;
  }
  context_->totals.callback_errors.fetch_add(1, std::memory_order_relaxed);
  StreamEvent event;
  event.type = StreamEvent::Type::error;
  event.error = ErrorKind::internal;
  event.message = what;
  for (const std::string& collection : collections_) {
    event.collection += (event.collection.empty() ? "" : ",") + collection;
  }
  context_->emit(event);
}

}  // namespace ustream::stream
