// The public side of a subscription: the handle, and what a delivery writes.
#include "ustream/subscription.hpp"

#include <utility>

#include "stream/subscription_state.hpp"

namespace ustream {

void Delivery::write_json(std::string& out, std::span<const std::string> fields) const {
  if (op == change->op) {
    change->write_json(out, fields);
    return;
  }
  // The row crossed the filter's edge, or was folded: the image on the other side of it is not
  // this subscriber's to see.
  Change told = *change;
  told.op = op;
  if (op == Op::remove) {
    if (!told.before && !told.key_fields) {
      told.key_fields = told.after;
    }
    told.after = {};
  } else if (op == Op::create) {
    told.before = {};
  }
  told.write_json(out, fields);
}

Subscription::Subscription(std::shared_ptr<stream::SubscriptionState> state) noexcept
    : state_(std::move(state)) {}

Subscription::Subscription(Subscription&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    unsubscribe();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

Subscription::~Subscription() {
  unsubscribe();
}

void Subscription::unsubscribe() noexcept {
  if (state_) {
    state_->close();
  }
}

bool Subscription::active() const noexcept {
  return state_ && !state_->closed();
}

SubscriptionStats Subscription::stats() const {
  return state_ ? state_->stats() : SubscriptionStats{};
}

Position Subscription::position() const {
  return state_ ? state_->position() : Position{};
}

}  // namespace ustream
