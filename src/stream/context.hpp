// What an engine shares with its subscriptions; outlives both.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ustream/events.hpp"

#include "stream/delivery_pool.hpp"

namespace ustream::stream {

class SubscriptionState;

/// Counters of all subscriptions, ended ones included.
struct Totals {
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> resyncs{0};
  std::atomic<std::uint64_t> callback_errors{0};
};

/// The pool, the counters, the event callback, and which subscriptions there are. Any thread.
class StreamContext {
 public:
  StreamContext(PoolOptions pool_options, EventCallback on_event);

  DeliveryPool pool;
  Totals totals;

  /// Tells the event callback; what it throws is dropped, there is nobody left to tell.
  void emit(const StreamEvent& event) noexcept;

  void add(const std::shared_ptr<SubscriptionState>& state);
  void remove(const SubscriptionState& state);
  [[nodiscard]] std::vector<std::shared_ptr<SubscriptionState>> subscriptions() const;
  [[nodiscard]] std::size_t size() const;

  /// Called when a durable subscription has processed more, or has ended.
  void set_on_processed(std::function<void()> call);
  void processed() noexcept;
  /// Up to where every durable subscription has processed everything; no position when there is
  /// none of them, or one has not begun, or they stand in different histories.
  [[nodiscard]] Position durable_boundary() const;

 private:
  const EventCallback on_event_;
  mutable std::mutex mutex_;
  std::unordered_map<const SubscriptionState*, std::shared_ptr<SubscriptionState>> all_;
  std::unordered_map<const SubscriptionState*, std::shared_ptr<SubscriptionState>> durable_;
  std::mutex processed_mutex_;
  std::function<void()> on_processed_;
};

}  // namespace ustream::stream
