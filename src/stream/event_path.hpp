// The event path of one source: from the source's thread to the subscriptions' queues.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "ustream/config.hpp"
#include "ustream/connector.hpp"
#include "ustream/events.hpp"

#include "resilience/backoff.hpp"
#include "stream/batch_queue.hpp"
#include "stream/context.hpp"
#include "stream/filter_index.hpp"

namespace ustream::stream {

enum class OnHistoryLost : std::uint8_t {
  resync,  ///< tell every subscription and go on from now
  fail     ///< the stream fails with `history_lost`
};

/// What stands in the path before anybody is told. Either may be empty.
struct PathHooks {
  /// Sees every batch of the live stream, once, in order, on the dispatcher's thread, before any
  /// subscription does: the cache. What it throws is told as an error event.
  std::function<void(const ChangeBatch&)> observe;
  /// Makes the batch that subscribers see (decryption, interceptors); also of replayed batches and
  /// snapshots, so on several threads. Must keep order, positions and boundary. When it throws, the
  /// batch is delivered as quarantine notices: nothing is skipped, nothing slips through.
  std::function<ChangeBatchPtr(ChangeBatchPtr)> transform;
};

struct PathOptions {
  RetryPolicy retry;
  OnHistoryLost on_history_lost = OnHistoryLost::resync;
  std::size_t queue_changes = 65'536;     ///< between the source and the dispatcher
  std::size_t queue_bytes = 64ULL << 20;  ///< of their raw images
  PathHooks hooks;
  std::optional<std::uint64_t> backoff_seed;  ///< for tests
};

struct PathStats {
  std::uint64_t changes = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t reconnects = 0;
};

/// Applies `hooks.transform`.
[[nodiscard]] ChangeBatchPtr transformed(const PathHooks& hooks, ChangeBatchPtr batch,
                                         StreamContext& context);

/// start() and stop_*() by one thread at a time; the others by any.
class EventPath {
 public:
  EventPath(ChangeSource& source, std::shared_ptr<StreamContext> context, PathOptions options);
  EventPath(const EventPath&) = delete;
  EventPath& operator=(const EventPath&) = delete;
  ~EventPath();

  /// Starts both threads: where the last stop ended, else at `from`, else from now.
  void start(const Position& from);
  /// Waits until the first attempt to connect has succeeded or failed. Throws what made the stream
  /// fail for good.
  void await_first_attempt();
  /// Ends the source's thread. In this order: stop_source(), drain(), abandon() if that was not
  /// enough, join().
  void stop_source();
  /// Waits until the dispatcher has dispatched all that was read. False when `deadline` passed.
  bool drain(Clock::time_point deadline);
  void abandon();
  void join();

  /// Lets the dispatcher attach the subscription at its next boundary (SubscriptionState::attach),
  /// less what is at or before `floors`.
  void attach(std::shared_ptr<SubscriptionState> state, Floors floors);

  [[nodiscard]] StreamState state() const;
  [[nodiscard]] std::optional<Error> failure() const;
  /// The last boundary dispatched.
  [[nodiscard]] Position boundary() const;
  [[nodiscard]] PathStats stats() const;

 private:
  class Sink;
  struct Attachment {
    std::shared_ptr<SubscriptionState> state;
    Floors floors;
  };

  // The source's thread.
  void read_source(const std::stop_token& stop);
  [[nodiscard]] Error run_source(const std::stop_token& stop);
  void choose_start(const std::stop_token& stop);
  void check_start(const Position& now) const;
  [[nodiscard]] bool recover(const Error& error, const std::stop_token& stop);
  void sign_of_life();
  [[nodiscard]] bool take_in(ChangeBatchPtr batch, const std::stop_token& stop);
  [[nodiscard]] ChangeBatchPtr without_known(ChangeBatchPtr batch);
  void caught_up(const Position& position, const std::stop_token& stop);
  void fail(const Error& error);
  void set_state(StreamState state);
  void emit(StreamEvent::Type type, const Error* error = nullptr, std::uint32_t attempt = 0,
            std::chrono::milliseconds delay = {});

  // The dispatcher's thread.
  void dispatch();
  void dispatch_item(SourceItem& item);
  void dispatch_batch(const ChangeBatchPtr& batch);
  void collect(const ChangeBatch& batch);
  void collect(const Notice& notice);
  void collect(const Change& change, Slot& slot, Op op);
  Slot* touch(Slot& slot);
  void hand_over(const ChangeBatchPtr& batch);
  void reach(const Position& boundary);
  /// Takes out the floors that were reached; true when none is left.
  bool clear_floors(Slot& slot) const;
  void lose_history(const SourceItem& item);
  void attach_waiting();
  void sweep();

  ChangeSource& source_;
  const std::shared_ptr<StreamContext> context_;
  const PathOptions options_;
  BatchQueue queue_;

  // Of the source's thread (and of start(), while it does not run).
  resilience::Backoff backoff_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  Position read_boundary_;  // from where a reconnect reads again
  Position read_change_;    // the newest change that went into the queue
  bool rereading_ = false;  // changes up to read_change_ come again
  bool start_given_ = false;
  bool history_lost_ = false;
  std::string history_message_;
  std::uint32_t losses_in_a_row_ = 0;
  bool was_connected_ = false;

  // Of the dispatcher's thread (and of start(), likewise).
  FilterIndex index_;
  std::unordered_map<const SubscriptionState*, Slot*> slots_;
  std::vector<Slot*> touched_;
  std::vector<std::shared_ptr<Strand>> due_;
  std::vector<Slot*> durable_;
  std::vector<Slot*> floored_;
  Position boundary_;
  Position last_change_;
  bool at_boundary_ = true;

  std::mutex attach_mutex_;
  std::vector<Attachment> attaching_;

  mutable std::mutex state_mutex_;
  std::condition_variable_any state_changed_;
  StreamState state_ = StreamState::stopped;
  std::optional<Error> failure_;
  Position shown_boundary_;
  bool dispatched_all_ = false;

  std::atomic<std::uint64_t> changes_{0};
  std::atomic<std::uint64_t> quarantined_{0};
  std::atomic<std::uint64_t> reconnects_{0};

  std::jthread source_thread_;
  std::thread dispatcher_;
};

}  // namespace ustream::stream
