// What a subscriber asks for, what it gets, and the handle that ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ustream/change.hpp"
#include "ustream/query.hpp"

namespace ustream {

/// What happens when a subscriber is slower than its source.
enum class SlowPolicy : std::uint8_t {
  resync,    ///< drop what is queued and deliver one Resync{slow_consumer}
  coalesce,  ///< keep only the newest change of each key; when that is not enough, resync
  block      ///< hold back the whole source
};

struct SubscriptionOptions {
  Filter filter;
  std::vector<std::string> fields;  ///< projection of JSON output and of nothing else; empty: all
  bool snapshot = false;            ///< first the rows there are, as op snapshot
  Position since;                   ///< deliver what came after this; empty: from now
  SlowPolicy slow_policy = SlowPolicy::resync;
  std::size_t queue_capacity = 10'000;   ///< changes waiting for the subscriber
  std::size_t queue_bytes = 64u << 20u;  ///< raw bytes waiting for the subscriber
  std::chrono::milliseconds debounce{
      0};                      ///< >0: the newest change of a key, once it was quiet this long
  std::size_t batch_size = 0;  ///< >0: hand over together, at most so many
  std::chrono::milliseconds batch_timeout{1000};  ///< … and at the latest after this
  bool durable = false;                           ///< the stored offset waits for this subscriber
};

/// The snapshot is through (or there was none): changes follow from `position`.
struct Ready {
  Position position;
};

/// One thing for a subscriber. With a filter, `op` may differ from the change's own: a row that
/// enters the filter is `create`, one that leaves it is `remove`.
struct Delivery {
  std::shared_ptr<const ChangeBatch> batch;  ///< keeps `change` alive
  const Change* change = nullptr;            ///< null when `notice` is set
  Op op = Op::create;
  std::variant<std::monostate, Ready, Quarantine, Resync> notice;

  /// The change object with the effective op; `fields` as in Document::write_json. REQUIRES change.
  void write_json(std::string& out, std::span<const std::string> fields = {}) const;
};

/// Called with everything that waits, in order, on a delivery thread; calls for one subscription
/// never overlap. When it returns, the deliveries count as processed. An exception is told as an
/// error event and the stream goes on.
using DeliveryCallback = std::function<void(std::span<const Delivery>)>;

struct SubscriptionStats {
  std::uint64_t delivered = 0;
  std::uint64_t filtered_out = 0;
  std::uint64_t dropped = 0;  ///< by the slow policy, debounce and coalescing not counted
  std::uint64_t resyncs = 0;
  std::uint64_t errors = 0;  ///< exceptions of the callback
  std::size_t queued = 0;
};

namespace stream {
class SubscriptionState;
}

/// Ends its subscription when destroyed. Move-only. After unsubscribe() returns, the callback is
/// not running and will not be called again (from within the callback itself: it is not called
/// again).
class Subscription {
 public:
  Subscription() noexcept = default;
  explicit Subscription(std::shared_ptr<stream::SubscriptionState> state) noexcept;
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();
  void unsubscribe() noexcept;
  [[nodiscard]] bool active() const noexcept;
  [[nodiscard]] SubscriptionStats stats() const;
  /// The position from which delivery is guaranteed.
  [[nodiscard]] Position position() const;

 private:
  std::shared_ptr<stream::SubscriptionState> state_;
};

}  // namespace ustream
