#include "stream/context.hpp"

#include <utility>

#include "stream/subscription_state.hpp"

namespace ustream::stream {

StreamContext::StreamContext(PoolOptions pool_options, EventCallback on_event)
    : pool(pool_options), on_event_(std::move(on_event)) {}

void StreamContext::emit(const StreamEvent& event) noexcept {
  if (!on_event_) {
    return;
  }
  try {
    on_event_(event);
  } catch (...) {
    // An error event about a failing event callback would fail as well.
    totals.callback_errors.fetch_add(1, std::memory_order_relaxed);
  }
}

void StreamContext::add(const std::shared_ptr<SubscriptionState>& state) {
  const std::lock_guard lock(mutex_);
  all_.emplace(state.get(), state);
  if (state->options().durable) {
    durable_.emplace(state.get(), state);
  }
}

void StreamContext::remove(const SubscriptionState& state) {
  std::shared_ptr<SubscriptionState> kept;  // not destroyed under the mutex
  bool was_durable = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = all_.find(&state); it != all_.end()) {
      kept = std::move(it->second);
      all_.erase(it);
    }
    was_durable = durable_.erase(&state) > 0;
  }
  if (was_durable) {
    processed();
  }
}

std::vector<std::shared_ptr<SubscriptionState>> StreamContext::subscriptions() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<SubscriptionState>> result;
  result.reserve(all_.size());
  for (const auto& [key, state] : all_) {
    result.push_back(state);
  }
  return result;
}

std::size_t StreamContext::size() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

void StreamContext::set_on_processed(std::function<void()> call) {
  const std::lock_guard lock(processed_mutex_);
  on_processed_ = std::move(call);
}

void StreamContext::processed() noexcept {
  const std::lock_guard lock(processed_mutex_);
  if (on_processed_) {
    on_processed_();
  }
}

Position StreamContext::durable_boundary() const {
  std::vector<std::shared_ptr<SubscriptionState>> durable;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, state] : durable_) {
      durable.push_back(state);
    }
  }
  Position least;
  for (const auto& state : durable) {
    const Position processed = state->processed();
    if (!processed || (least && !least.comparable(processed))) {
      return {};
    }
    if (!least || processed.compare(least) < 0) {
      least = processed;
    }
  }
  return least;
}

}  // namespace ustream::stream
