#include "stream/engine.hpp"

#include <algorithm>
#include <utility>

#include "stream/subscription_state.hpp"

namespace ustream::stream {

namespace {

ChangeSource& source_of(BaseConnector& connector) {
  ChangeSource* source = connector.change_source();
  if (source == nullptr) {
    throw Error(ErrorKind::unsupported,
                "the source " + std::string(connector.name()) + " cannot stream changes");
  }
  return *source;
}

void check(const std::vector<std::string>& collections, const SubscriptionOptions& options,
           const DeliveryCallback& callback) {
  if (collections.empty()) {
    throw ValidationError("a subscription names at least one collection");
  }
  if (!callback) {
    throw ValidationError("a subscription needs a callback");
  }
  if (options.debounce.count() < 0 || options.batch_timeout.count() < 0) {
    throw ValidationError("debounce and batch timeout are not negative");
  }
  if (options.snapshot && options.since) {
    throw ValidationError("a subscription starts with a snapshot or at a position, not both");
  }
}

}  // namespace

StreamEngine::StreamEngine(BaseConnector& connector, EngineOptions options, EventCallback on_event)
    : source_(source_of(connector)),
      snapshotter_(connector.snapshotter()),
      options_(std::move(options)),
      context_(std::make_shared<StreamContext>(options_.pool, std::move(on_event))),
      path_(source_, context_, options_.path) {
  if (!options_.offset_file.empty()) {
    stored_offset_ = OffsetStore(options_.offset_file).load();
  }
}

StreamEngine::~StreamEngine() {
  stop();
  for (const auto& state : context_->subscriptions()) {
    state->close();
  }
  context_->pool.shutdown();
}

void StreamEngine::start() {
  {
    const std::lock_guard lock(lifecycle_mutex_);
    if (running_) {
      return;
    }
    running_ = true;
    if (!options_.offset_file.empty()) {
      keeper_ = std::make_unique<OffsetKeeper>(*context_, OffsetStore(options_.offset_file),
                                               options_.offset_interval);
      context_->set_on_processed([keeper = keeper_.get()] { keeper->notify(); });
    }
    const Position goes_on = path_.boundary();
    for (const auto& state : context_->subscriptions()) {
      state->resume(goes_on);
    }
    path_.start(stored_offset_.value_or(Position{}));
    const std::lock_guard starts_lock(starts_mutex_);
    starting_allowed_ = true;
    for (Start& each : starts_) {
      launch(each);
    }
  }
  path_.await_first_attempt();
}

void StreamEngine::stop() {
  const std::lock_guard lock(lifecycle_mutex_);
  if (!running_) {
    return;
  }
  const auto deadline = Clock::now() + options_.drain_timeout;
  path_.stop_source();
  stop_starts();
  if (!path_.drain(deadline)) {
    path_.abandon();
  }
  halt_subscriptions(deadline);
  path_.join();
  if (keeper_) {
    context_->set_on_processed({});
    keeper_->stop();
    keeper_.reset();
  }
  running_ = false;
  StreamEvent event;
  event.type = StreamEvent::Type::stopped;
  event.position = path_.boundary();
  context_->emit(event);
}

void StreamEngine::halt_subscriptions(Clock::time_point deadline) {
  const auto states = context_->subscriptions();
  for (const auto& state : states) {
    state->flush();
  }
  for (const auto& state : states) {
    state->drain(deadline);
  }
  for (const auto& state : states) {
    state->halt();
  }
}

Subscription StreamEngine::subscribe(std::vector<std::string> collections,
                                     SubscriptionOptions options, DeliveryCallback callback) {
  check(collections, options, callback);
  const bool goes_on = options.durable && !options.since && stored_offset_.has_value();
  if (options.snapshot && !goes_on && snapshotter_ == nullptr) {
    throw Error(ErrorKind::unsupported, "this source cannot make a snapshot");
  }
  const Position watched = source_.watch(collections);
  const StartPlan plan = plan_start(options);
  auto state = std::make_shared<SubscriptionState>(context_, std::move(collections),
                                                   std::move(options), std::move(callback));
  if (!plan.snapshot && !plan.since) {
    context_->add(state);
    path_.attach(state, {{std::string(), watched}});
    return Subscription(std::move(state));
  }
  const std::lock_guard lock(starts_mutex_);
  std::erase_if(starts_, [](const Start& start) { return start.over(); });
  context_->add(state);
  Start& start = starts_.emplace_back();
  start.state = state;
  start.plan = plan;
  if (starting_allowed_) {
    launch(start);
  }
  return Subscription(std::move(state));
}

StartPlan StreamEngine::plan_start(const SubscriptionOptions& options) {
  StartPlan plan;
  plan.since = options.since;
  if (options.durable && !plan.since && stored_offset_) {
    plan.since = *stored_offset_;
  }
  if (!plan.since) {
    plan.snapshot = options.snapshot;
    return plan;
  }
  const Position now = source_.current();
  if (plan.since.origin().source != now.origin().source) {
    throw ValidationError("the position is one of " + plan.since.origin().source +
                          ", the source is " + now.origin().source);
  }
  // A position after the end of the history is one of a history that is gone, too.
  plan.history_lost = !plan.since.comparable(now) || plan.since.compare(now) > 0;
  if (plan.history_lost && options_.path.on_history_lost == OnHistoryLost::fail) {
    throw StreamingError("the position to go on from is not in the source's history",
                         ErrorKind::history_lost, RetryAdvice::resnapshot);
  }
  return plan;
}

void StreamEngine::launch(Start& start) {
  start.ended = false;
  start.thread = std::jthread([this, &start](const std::stop_token& stop) {
    // Whoever ends the subscription ends its start as well.
    std::stop_source both;
    const std::stop_callback on_stop(stop, [&both] { both.request_stop(); });
    const std::stop_callback on_close(start.state->stop_token(), [&both] { both.request_stop(); });
    const StartContext context{source_, snapshotter_, path_, *context_, options_.path};
    start.live = start_subscription(context, start.state, start.plan, both.get_token());
    start.ended = true;
  });
}

bool StreamEngine::Start::over() const {
  return (live || state->closed()) && (ended || !thread.joinable());
}

void StreamEngine::stop_starts() {
  const std::lock_guard lock(starts_mutex_);
  starting_allowed_ = false;
  for (Start& start : starts_) {
    start.thread.request_stop();
  }
  for (Start& start : starts_) {
    if (start.thread.joinable()) {
      start.thread.join();
      start.thread = {};
    }
  }
  std::erase_if(starts_, [](const Start& start) { return start.over(); });
}

void StreamEngine::unsubscribe_all(std::string_view collection) {
  for (const auto& state : context_->subscriptions()) {
    const auto& collections = state->collections();
    if (std::find(collections.begin(), collections.end(), collection) != collections.end()) {
      state->close();
    }
  }
}

EngineStats StreamEngine::stats() const {
  const PathStats path = path_.stats();
  EngineStats stats;
  stats.state = path_.state();
  stats.changes = path.changes;
  stats.delivered = context_->totals.delivered.load(std::memory_order_relaxed);
  stats.dropped = context_->totals.dropped.load(std::memory_order_relaxed);
  stats.resyncs = context_->totals.resyncs.load(std::memory_order_relaxed);
  stats.quarantined = path.quarantined;
  stats.callback_errors = context_->totals.callback_errors.load(std::memory_order_relaxed);
  stats.reconnects = path.reconnects;
  stats.subscriptions = context_->size();
  stats.position = path_.boundary();
  return stats;
}

}  // namespace ustream::stream
