// Starts a subscription on a live stream, from a snapshot or from an earlier position.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "ustream/connector.hpp"

#include "stream/event_path.hpp"
#include "stream/subscription_state.hpp"

namespace ustream::stream {

/// How a subscription begins.
struct StartPlan {
  bool snapshot = false;
  Position since;             ///< without a snapshot
  bool history_lost = false;  ///< `since` is of no use any more: told, then from now
};

/// What starting needs; all of it outlives the call.
struct StartContext {
  ChangeSource& source;
  Snapshotter* snapshotter = nullptr;  ///< REQUIRED for a snapshot
  EventPath& path;
  StreamContext& stream;
  const PathOptions& options;
};

/// Delivers, in this order: the snapshot's rows, Ready(P), what changed after P, and from then on
/// the live stream, without gap or overlap and with the queue's bounds kept throughout.
///
/// The join: the subscription is attached to the dispatcher at its boundary D, and what comes
/// after D is held aside; the history (P, D] is replayed ahead of it, as fast as the subscriber
/// takes it. When what is held went over the queue's bounds meanwhile, it is thrown away and the
/// same is done again with P = D. Changes at or before P, by order key, are dropped on every way.
///
/// Blocks until the subscription is live, ended, or `stop` is asked for; returns true when it is
/// live. Does not throw.
[[nodiscard]] bool start_subscription(const StartContext& context,
                                      const std::shared_ptr<SubscriptionState>& state,
                                      const StartPlan& plan, const std::stop_token& stop);

}  // namespace ustream::stream
