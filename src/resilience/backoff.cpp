#include "resilience/backoff.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace ustream::resilience {

Backoff::Backoff(const RetryPolicy& policy, std::uint64_t seed) : policy_(policy), random_(seed) {}

std::chrono::milliseconds Backoff::ceiling(std::uint32_t n) const noexcept {
  const auto limit = std::max<std::int64_t>(0, policy_.max_delay.count());
  auto delay = std::clamp<std::int64_t>(policy_.initial_delay.count(), 0, limit);
  // Doubling by hand: a shift by n would overflow long before n stops growing.
  for (std::uint32_t i = 0; i < n && delay > 0 && delay < limit; ++i) {
    delay = delay > limit / 2 ? limit : delay * 2;
  }
  return std::chrono::milliseconds(delay);
}

std::chrono::milliseconds Backoff::next() {
  const auto high = ceiling(attempt_).count();
  if (attempt_ < std::numeric_limits<std::uint32_t>::max()) {
    ++attempt_;
  }
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, high)(random_));
}

ErrorClass classify(const Error& error) noexcept {
  if (error.kind() == ErrorKind::history_lost || error.retry_advice() == RetryAdvice::resnapshot) {
    return ErrorClass::history_lost;
  }
  return error.temporary() ? ErrorClass::retry : ErrorClass::permanent;
}

Error as_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return {ErrorKind::internal, "an unexpected exception", RetryAdvice::never, {}, error.what()};
  } catch (...) {
    return {ErrorKind::internal, "an exception of unknown type"};
  }
}

Error separate_copy(const Error& error) {
  return {error.kind(),   std::string(error.what()), error.retry_advice(), error.where(),
          error.detail(), error.location()};
}

void throw_copy(const Error& error) {
  const std::string message = error.what();
  const auto advice = error.retry_advice();
  switch (error.kind()) {
    case ErrorKind::connection:
      throw ConnectionError(message, advice, error.where(), error.detail(), error.location());
    case ErrorKind::validation:
      throw ValidationError(message, error.where(), error.detail(), error.location());
    case ErrorKind::auth:
      throw AuthError(message, error.where(), error.detail(), error.location());
    case ErrorKind::streaming:
    case ErrorKind::history_lost:
      throw StreamingError(message, error.kind(), advice, error.where(), error.detail(),
                           error.location());
    default:
      throw separate_copy(error);
  }
}

}  // namespace ustream::resilience
