// The time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace ustream::base {

/// Microseconds since 1970-01-01T00:00:00Z by the system's clock, which may be set back: for
/// timestamps, not for measuring.
[[nodiscard]] inline std::int64_t now_micros() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace ustream::base
