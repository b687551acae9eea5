// One subscription: its queue, its policy when slow, and its turn on the delivery pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ustream/subscription.hpp"

#include "stream/context.hpp"
#include "stream/filter_index.hpp"
#include "stream/subscription_queue.hpp"

namespace ustream::stream {

/// Who may call what: `attach`, `push`, `notice` and `mark` the dispatcher; `hold`, `push_ahead`,
/// `await_attached`, `join` and `detach` the thread that starts the subscription; `flush`, `drain`,
/// `halt` and `resume` the engine; everything else any thread.
///
/// What the dispatcher brings before the subscription is `live` is held aside (`holding`), so that
/// snapshot rows and history come first; when that overflows the subscription is detached again.
class SubscriptionState final : public Strand,
                                public std::enable_shared_from_this<SubscriptionState> {
 public:
  SubscriptionState(std::shared_ptr<StreamContext> context, std::vector<std::string> collections,
                    SubscriptionOptions options, DeliveryCallback callback);

  [[nodiscard]] const std::vector<std::string>& collections() const noexcept {
    return collections_;
  }
  [[nodiscard]] const SubscriptionOptions& options() const noexcept { return options_; }

  // --- the dispatcher
  /// From here on the dispatcher brings what comes after `boundary`. A subscription that is not
  /// being started otherwise is live at once and told Ready{ready}.
  void attach(const Position& boundary, const Position& ready, std::vector<SeenCounter> seen);
  /// What a batch has for this subscription; `bytes` are the entries' raw bytes, and `boundary` is
  /// set for a durable subscription only. When it is to run now it is added to `due`, which the
  /// caller posts. May block (SlowPolicy::block); what is due is posted before that.
  void push(const ChangeBatchPtr& batch, std::vector<Entry> entries, std::size_t bytes,
            const Position& boundary, std::vector<std::shared_ptr<Strand>>& due);
  void notice(OwnNotice what, const Position& boundary);
  /// A boundary that brought nothing for this subscription.
  void mark(const Position& boundary);

  // --- the thread that starts it
  void hold();
  /// Waits until the dispatcher has attached it; nullopt when stopped.
  [[nodiscard]] std::optional<Position> await_attached(const std::stop_token& stop);
  /// Appends ahead of what is held; blocks while the queue is full. False when stopped or ended.
  [[nodiscard]] bool push_ahead(Segment segment, const std::stop_token& stop);
  /// Makes it live: what was held follows. False when that has overflowed; it is detached then.
  [[nodiscard]] bool join();
  void detach();
  void count_filtered(std::uint64_t changes);

  // --- the engine
  /// Debounce and batching hold back nothing of what waits now.
  void flush();
  /// Waits until what waits is processed. False when `deadline` passed.
  bool drain(Clock::time_point deadline);
  /// Drops what waits and ends delivery until resume(); the callback is not running after it.
  void halt();
  /// Delivery goes on from `position`; if something was dropped, a Resync comes first.
  void resume(const Position& position);
  /// Whether halt() cut the start of this subscription short.
  [[nodiscard]] bool is_starting() const;

  // --- any thread
  /// Ends it: see Subscription::unsubscribe().
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  [[nodiscard]] SubscriptionStats stats() const;
  [[nodiscard]] Position position() const;
  /// The newest boundary up to which the callback has processed everything.
  [[nodiscard]] Position processed() const;
  /// Requested by close(): ends what starts this subscription.
  [[nodiscard]] std::stop_token stop_token() const noexcept { return stop_.get_token(); }

  bool run(std::vector<Delivery>& room) override;

 private:
  enum class Phase : std::uint8_t { detached, holding, live };
  using Lock = std::unique_lock<std::mutex>;

  [[nodiscard]] bool accepts() const { return phase_ != Phase::detached && !closed() && !halted_; }
  /// Makes room by the policy. False when the entries must not be appended any more.
  bool make_room(Lock& lock, std::size_t changes, std::size_t bytes, const ChangeBatch& batch,
                 std::vector<std::shared_ptr<Strand>>& due);
  /// Counts changes that a halted subscription does not get; resume() tells of them.
  void lose(std::size_t changes);
  void drop_to_resync(std::size_t changes, const Position& end);
  /// Counts the Resync and keeps its event for tell().
  void remember(const Resync& resync);
  /// Emits the events that were kept, without the lock: the event callback may ask for stats().
  void tell(Lock& lock);
  /// Wakes the strand, or sets the timer for it. REQUIRES the lock.
  void wake() { wake(nullptr); }
  void wake(std::vector<std::shared_ptr<Strand>>* due);
  /// The time, where debounce or batching needs it.
  [[nodiscard]] Clock::time_point now() const {
    return timed_ ? Clock::now() : Clock::time_point{};
  }
  void notify_waiters();
  void finish(Lock& lock, std::size_t delivered, Position boundary);
  void report(const char* what);

  const std::shared_ptr<StreamContext> context_;
  const std::vector<std::string> collections_;
  const SubscriptionOptions options_;
  const bool timed_;
  DeliveryCallback callback_;
  std::stop_source stop_;
  std::atomic<bool> closed_{false};

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t waiters_ = 0;

  SubscriptionQueue queue_;
  SubscriptionQueue held_;
  Phase phase_ = Phase::detached;
  bool starting_ = false;  // hold() was called and join() has not succeeded
  bool halted_ = false;
  bool lost_ = false;
  std::optional<Position> attached_at_;
  Position ready_;  // from where delivery is guaranteed
  Position processed_;
  std::vector<StreamEvent> untold_;
  Clock::time_point timer_ = Clock::time_point::max();

  bool running_ = false;
  std::thread::id running_on_;

  std::vector<std::pair<SeenCounter, std::uint64_t>> seen_;
  SubscriptionStats stats_;
  std::uint64_t matched_ = 0;
};

}  // namespace ustream::stream
