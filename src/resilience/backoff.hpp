// Exponential backoff with full jitter, and what kind of failure is worth another try.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>

#include "ustream/config.hpp"
#include "ustream/error.hpp"

namespace ustream::resilience {

/// Hands out the waits between attempts: the n-th (from 0) is uniform in
/// [0, min(max_delay, initial_delay * 2^n)]. Full jitter as in "Exponential Backoff And Jitter"
/// (AWS Architecture Blog, 2015): clients that failed together do not come back together.
///
/// Deterministic given the seed. Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy, std::uint64_t seed = std::random_device{}());

  /// True when another attempt is allowed; false once `policy.retries` waits were handed out since
  /// the last reset().
  [[nodiscard]] bool may_retry() const noexcept { return attempt_ < policy_.retries; }
  /// Counts an attempt and returns the wait before it. May be called past the limit, too.
  [[nodiscard]] std::chrono::milliseconds next();
  /// The upper end of the n-th wait, n from 0.
  [[nodiscard]] std::chrono::milliseconds ceiling(std::uint32_t n) const noexcept;
  /// Waits handed out since the last reset().
  [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }
  /// A success: the next wait is the first again.
  void reset() noexcept { attempt_ = 0; }

 private:
  RetryPolicy policy_;
  std::mt19937_64 random_;
  std::uint32_t attempt_ = 0;
};

/// What to do about a failure.
enum class ErrorClass : std::uint8_t {
  retry,         ///< the same again may help
  permanent,     ///< somebody has to change something first
  history_lost,  ///< go on from another position
};

/// By the error's kind and its own advice.
[[nodiscard]] ErrorClass classify(const Error& error) noexcept;

/// An Error of whatever was thrown: an Error is copied, any other exception becomes `internal`,
/// which is permanent. REQUIRES a non-null `exception`.
[[nodiscard]] Error as_error(const std::exception_ptr& exception);

/// A copy that shares nothing with `error`. Ordinary copies share the message's reference-counted
/// text inside libstdc++, which ThreadSanitizer cannot see into; between threads, hand over these.
[[nodiscard]] Error separate_copy(const Error& error);

/// Throws a separate copy as the member of the family that fits its kind (ConnectionError, …).
[[noreturn]] void throw_copy(const Error& error);

}  // namespace ustream::resilience
