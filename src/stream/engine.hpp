// StreamEngine: the live stream of one source and its subscriptions.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ustream/connector.hpp"
#include "ustream/events.hpp"
#include "ustream/subscription.hpp"

#include "stream/context.hpp"
#include "stream/event_path.hpp"
#include "stream/offset_store.hpp"
#include "stream/starter.hpp"

namespace ustream::stream {

struct EngineOptions {
  PathOptions path;                                ///< retries, history lost, hooks
  PoolOptions pool;                                ///< delivery threads
  std::string offset_file;                         ///< empty: the position is not stored
  std::chrono::milliseconds offset_interval{200};  ///< stored at most so often
  std::chrono::milliseconds drain_timeout{5'000};  ///< how long stop() hands over what waits
};

struct EngineStats {
  StreamState state = StreamState::stopped;
  std::uint64_t changes = 0;    ///< seen from the source
  std::uint64_t delivered = 0;  ///< to callbacks
  std::uint64_t dropped = 0, resyncs = 0, quarantined = 0, callback_errors = 0, reconnects = 0;
  std::size_t subscriptions = 0;
  Position position;  ///< of the last boundary dispatched
};

/// The event path of one source with everything around it; docs/delivery.md states what it
/// guarantees.
///
/// Any thread may call anything, also a subscription's callback, except that stop() and the
/// destructor must not be called from a callback of a subscription or of an event. Subscriptions
/// live across stop() and start(), and outlive the engine as ended ones.
class StreamEngine {
 public:
  /// `connector` is open and outlives the engine. Throws Error `unsupported` when it has no
  /// ChangeSource, ValidationError when the offset file is damaged. `on_event` runs on the thread
  /// where the event happened, must be quick, and is not called any more once stop() has returned.
  StreamEngine(BaseConnector& connector, EngineOptions options, EventCallback on_event = {});
  StreamEngine(const StreamEngine&) = delete;
  StreamEngine& operator=(const StreamEngine&) = delete;
  /// stop(), and ends every subscription.
  ~StreamEngine();

  /// Begins to read and to deliver: after the last boundary when it was stopped before, else after
  /// the stored position, else from now. Returns once the stream is live or is retrying. Throws
  /// what made it fail for good: `history_lost` with OnHistoryLost::fail, ValidationError for an
  /// offset of another source, ConnectionError without retries. No effect while it runs.
  void start();
  /// Ends reading, hands over what waits (at most drain_timeout), stores the offset. No callback
  /// runs after it. Idempotent.
  void stop();

  /// Subscribes to changes of `collections`. `callback` runs on delivery threads. Works before
  /// start(), too. What `options` ask for is delivered in the order: snapshot rows, Ready, changes.
  ///
  /// A durable subscription with neither `since` nor a stored offset begins like any other; with a
  /// stored offset it goes on from there, without a snapshot.
  ///
  /// Blocks for the database. Throws ValidationError (unknown collection, `since` of another
  /// source), StreamingError with `history_lost` when `since` is not in the history and the engine
  /// has OnHistoryLost::fail, Error `unsupported` for a snapshot that the source cannot make, and
  /// whatever ChangeSource::watch throws.
  [[nodiscard]] Subscription subscribe(std::vector<std::string> collections,
                                       SubscriptionOptions options, DeliveryCallback callback);
  /// Ends every subscription that has this collection.
  void unsubscribe_all(std::string_view collection);

  [[nodiscard]] StreamState state() const { return path_.state(); }
  /// What made the stream fail; nullopt when it has not.
  [[nodiscard]] std::optional<Error> failure() const { return path_.failure(); }
  [[nodiscard]] EngineStats stats() const;
  /// The position that was in the offset file when the engine was made.
  [[nodiscard]] const std::optional<Position>& stored_offset() const noexcept {
    return stored_offset_;
  }

 private:
  /// A subscription on its way to the live stream.
  struct Start {
    std::shared_ptr<SubscriptionState> state;
    StartPlan plan;
    std::atomic<bool> live{false};   ///< it got there
    std::atomic<bool> ended{false};  ///< its thread has nothing left to do
    std::jthread thread;

    /// Whether it can be forgotten without waiting.
    [[nodiscard]] bool over() const;
  };

  [[nodiscard]] StartPlan plan_start(const SubscriptionOptions& options);
  void launch(Start& start);  // REQUIRES starts_mutex_
  void stop_starts();
  void halt_subscriptions(Clock::time_point deadline);

  ChangeSource& source_;
  Snapshotter* const snapshotter_;
  const EngineOptions options_;
  const std::shared_ptr<StreamContext> context_;
  std::optional<Position> stored_offset_;
  EventPath path_;

  std::mutex lifecycle_mutex_;  // start() and stop()
  bool running_ = false;
  std::unique_ptr<OffsetKeeper> keeper_;

  std::mutex starts_mutex_;
  std::list<Start> starts_;
  bool starting_allowed_ = false;
};

}  // namespace ustream::stream
