// Gives memory back to the system once a burst is over.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "base/unique_fd.hpp"

namespace ustream::app {

/// What a burst of changes took stays with the allocator; a program that then waits for hours need
/// not keep it. Costs nothing while nothing happens: no timer runs.
///
/// noticed() by any thread, everything else by the one that waits.
class QuietMemory {
 public:
  using Clock = std::chrono::steady_clock;

  QuietMemory();
  /// Something happens.
  void noticed() noexcept;
  /// Readable when something happens after a quiet time: call tick().
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// When to call tick() in any case; nullopt: only when fd() is readable.
  [[nodiscard]] std::optional<Clock::time_point> next() const noexcept { return next_; }
  /// Gives memory back if all was quiet since the last tick.
  void tick();

 private:
  base::UniqueFd fd_;
  std::atomic<bool> awake_{false};
  std::atomic<bool> busy_{false};
  std::optional<Clock::time_point> next_;
};

}  // namespace ustream::app
