// HeartbeatSystem: asks a source regularly whether it still answers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "ustream/events.hpp"

namespace ustream::package {

struct HeartbeatOptions {
  std::chrono::milliseconds interval{10'000};  ///< from one answer to the next question; > 0
  std::uint32_t failures_until_lost = 5;       ///< in a row, until connection_lost is told
};

/// Pings on a thread of its own while it is started, and tells:
/// heartbeat ("healthy", or "unhealthy: why" with `attempt` counting the failures in a row),
/// connection_lost once after so many failures, reconnected when the source answers again after
/// that. Events come on the heartbeat's thread; what their callback throws is dropped.
///
/// start() and stop() are called by one thread at a time, and not from an event.
class HeartbeatSystem {
 public:
  /// `ping` throws when the source does not answer.
  HeartbeatSystem(std::function<void()> ping, EventCallback on_event, HeartbeatOptions options);
  ~HeartbeatSystem();
  HeartbeatSystem(const HeartbeatSystem&) = delete;
  HeartbeatSystem& operator=(const HeartbeatSystem&) = delete;

  /// The first ping is one interval from now. Idempotent.
  void start();
  /// Waits for a ping that is under way. Idempotent.
  void stop();

 private:
  void run(const std::stop_token& stop);
  void beat();
  void tell(StreamEvent::Type type, std::string message,
            std::optional<ErrorKind> error) const noexcept;

  const std::function<void()> ping_;
  const EventCallback on_event_;
  const HeartbeatOptions options_;
  std::uint32_t failures_ = 0;  // the thread's own
  bool lost_ = false;           // the thread's own

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace ustream::package
