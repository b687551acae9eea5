// The event path of one source, in the order in which a change takes it:
//
//   1. the source's thread     runs the connector's stream, and again after a failure
//   2. taking in               drops what a reconnect reads twice; a full queue makes the source
//   wait
//   3. the dispatcher's thread  takes batches out, attaches subscriptions between them
//   4. a batch                 cache and interceptors see it; who is concerned, and as what op
//   5. handing over            one lock per batch and subscription; its queue and policy do the
//   rest
//
// From there SubscriptionState delivers on the pool, and what durable subscriptions have processed
// moves the stored offset (OffsetKeeper).
//
// Invariants. Only the source's thread writes into the queue and only the dispatcher's takes out of
// it, so order is the source's. A subscription is attached at a transaction boundary only. The
// index is the dispatcher's alone: dispatch takes no lock to find whom a change concerns.
#include "stream/event_path.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "stream/subscription_state.hpp"

namespace ustream::stream {

EventPath::EventPath(ChangeSource& source, std::shared_ptr<StreamContext> context,
                     PathOptions options)
    : source_(source),
      context_(std::move(context)),
      options_(std::move(options)),
      queue_(options_.queue_changes, options_.queue_bytes),
      backoff_(options_.retry, options_.backoff_seed.value_or(std::random_device{}())) {}

EventPath::~EventPath() {
  stop_source();
  abandon();
  join();
}

// --- 1. the source's thread

/// What one call of ChangeSource::run() delivers into. Each has its own, so that a reader that
/// outlives its call cannot emit into the next.
class EventPath::Sink final : public ChangeSink {
 public:
  Sink(EventPath& path, std::stop_token stop) : path_(path), stop_(std::move(stop)) {}

  [[nodiscard]] bool deliver(ChangeBatchPtr batch) override {
    const std::lock_guard lock(mutex_);
    return !closed_ && path_.take_in(std::move(batch), stop_);
  }
  void caught_up(const Position& position) override {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      path_.caught_up(position, stop_);
    }
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  EventPath& path_;
  const std::stop_token stop_;
  std::mutex mutex_;
  bool closed_ = false;
};

void EventPath::start(const Position& from) {
  queue_.reopen();
  if (boundary_) {
    // Goes on where the last stop ended; what was dispatched behind the boundary comes again.
    read_boundary_ = boundary_;
    read_change_ = last_change_;
    rereading_ = read_change_.has_value();
  } else {
    read_boundary_ = from;
  }
  start_given_ = read_boundary_.has_value();
  at_boundary_ = true;
  was_connected_ = false;
  backoff_.reset();
  {
    const std::lock_guard lock(state_mutex_);
    state_ = StreamState::connecting;
    failure_.reset();
    dispatched_all_ = false;
  }
  sinks_.clear();
  dispatcher_ = std::thread([this] { dispatch(); });
  source_thread_ = std::jthread([this](const std::stop_token& stop) { read_source(stop); });
}

void EventPath::read_source(const std::stop_token& stop) {
  emit(StreamEvent::Type::connecting);
  while (!stop.stop_requested()) {
    const Error error = run_source(stop);
    if (stop.stop_requested() || !recover(error, stop)) {
      break;
    }
  }
}

Error EventPath::run_source(const std::stop_token& stop) {
  Sink& sink = *sinks_.emplace_back(std::make_unique<Sink>(*this, stop));
  try {
    choose_start(stop);
    source_.run(read_boundary_, sink, stop);
    sink.close();
    return StreamingError("the source ended its stream");
  } catch (...) {
    sink.close();
    return resilience::as_error(std::current_exception());
  }
}

void EventPath::choose_start(const std::stop_token& stop) {
  SourceItem item;
  if (history_lost_) {
    read_boundary_ = source_.current();
    read_change_ = {};
    rereading_ = false;
    item = {SourceItem::Kind::resync, nullptr, read_boundary_, history_message_};
  } else if (!read_boundary_ || start_given_) {
    const Position now = source_.current();
    if (start_given_) {
      check_start(now);
    } else {
      read_boundary_ = now;
    }
    item = {SourceItem::Kind::start, nullptr, read_boundary_, {}};
  } else {
    return;
  }
  start_given_ = false;
  // Not taken in when stopped: then nothing of this run counts, and run() ends at once.
  if (queue_.push(std::move(item), stop)) {
    history_lost_ = false;
  }
}

void EventPath::check_start(const Position& now) const {
  if (read_boundary_.origin().source != now.origin().source) {
    throw ValidationError("the position to go on from is one of " + read_boundary_.origin().source +
                          ", the source is " + now.origin().source);
  }
  // Also a position from the future: the database was restored from a backup.
  if (!read_boundary_.comparable(now) || read_boundary_.compare(now) > 0) {
    throw StreamingError("the position to go on from is not in the source's history",
                         ErrorKind::history_lost, RetryAdvice::resnapshot);
  }
}

bool EventPath::recover(const Error& error, const std::stop_token& stop) {
  using resilience::ErrorClass;
  if (state() == StreamState::streaming) {
    emit(StreamEvent::Type::disconnected, &error);
  }
  const ErrorClass kind = resilience::classify(error);
  const bool lost = kind == ErrorClass::history_lost;
  if (kind == ErrorClass::permanent || (lost && options_.on_history_lost == OnHistoryLost::fail)) {
    fail(error);
    return false;
  }
  // Another position is worth a try at once, but not for ever.
  const bool at_once = lost && losses_in_a_row_++ == 0;
  if (!at_once && !backoff_.may_retry()) {
    fail(error);
    return false;
  }
  rereading_ = read_change_.has_value();
  if (lost) {
    history_lost_ = true;
    history_message_ = error.what();
  }
  reconnects_.fetch_add(1, std::memory_order_relaxed);
  set_state(StreamState::reconnecting);
  if (at_once) {
    return true;
  }
  const auto delay = backoff_.next();
  emit(StreamEvent::Type::reconnecting, &error, backoff_.attempt(), delay);
  std::unique_lock lock(state_mutex_);
  state_changed_.wait_for(lock, stop, delay, [] { return false; });
  return true;
}

void EventPath::sign_of_life() {
  backoff_.reset();
  losses_in_a_row_ = 0;
  if (state() == StreamState::streaming) {
    return;
  }
  set_state(StreamState::streaming);
  emit(std::exchange(was_connected_, true) ? StreamEvent::Type::reconnected
                                           : StreamEvent::Type::connected);
}

void EventPath::fail(const Error& error) {
  {
    const std::lock_guard lock(state_mutex_);
    failure_.emplace(resilience::separate_copy(error));
  }
  // Told first: whoever sees the state has the event, too.
  emit(StreamEvent::Type::failed, &error);
  set_state(StreamState::failed);
}

// --- 2. taking in

bool EventPath::take_in(ChangeBatchPtr batch, const std::stop_token& stop) {
  sign_of_life();
  if (rereading_) {
    batch = without_known(std::move(batch));
  }
  const Position boundary = batch->boundary;
  const Position last = batch->changes.empty() ? Position{} : batch->changes.back().position;
  if (!boundary && batch->changes.empty() && batch->notices.empty()) {
    return !stop.stop_requested();
  }
  if (!queue_.push({SourceItem::Kind::batch, std::move(batch), {}, {}}, stop)) {
    return false;
  }
  if (last) {
    read_change_ = last;
  }
  if (boundary) {
    read_boundary_ = boundary;
  }
  return true;
}

ChangeBatchPtr EventPath::without_known(ChangeBatchPtr batch) {
  const auto& changes = batch->changes;
  const auto unknown = std::find_if(changes.begin(), changes.end(), [&](const Change& change) {
    return !at_or_before(change.position, read_change_);
  });
  if (unknown != changes.end()) {
    rereading_ = false;
  }
  const auto known = static_cast<std::size_t>(unknown - changes.begin());
  if (known == 0 && batch->notices.empty()) {
    return batch;
  }
  auto rest = std::make_shared<ChangeBatch>();
  rest->changes.assign(unknown, changes.end());
  rest->boundary = batch->boundary;
  for (const Notice& notice : batch->notices) {
    const auto& position =
        std::visit([](const auto& what) -> const Position& { return what.position; }, notice.what);
    const bool told = position ? at_or_before(position, read_change_) : notice.index < known;
    if (!told) {
      rest->notices.push_back({notice.index < known ? 0 : notice.index - known, notice.what});
    }
  }
  return rest;
}

void EventPath::caught_up(const Position& position, const std::stop_token& stop) {
  sign_of_life();
  if (!position || at_or_before(position, read_boundary_)) {
    return;
  }
  if (queue_.push({SourceItem::Kind::boundary, nullptr, position, {}}, stop)) {
    read_boundary_ = position;
  }
}

// --- 3. the dispatcher's thread

void EventPath::dispatch() {
  while (auto item = queue_.pop()) {
    attach_waiting();
    dispatch_item(*item);
    attach_waiting();
  }
  {
    const std::lock_guard lock(state_mutex_);
    dispatched_all_ = true;
  }
  state_changed_.notify_all();
}

void EventPath::dispatch_item(SourceItem& item) {
  switch (item.kind) {
    case SourceItem::Kind::batch:
      dispatch_batch(item.batch);
      break;
    case SourceItem::Kind::start:
    case SourceItem::Kind::boundary:
      reach(item.position);
      break;
    case SourceItem::Kind::resync:
      lose_history(item);
      break;
    case SourceItem::Kind::wake:
      break;
  }
}

void EventPath::attach(std::shared_ptr<SubscriptionState> state, Floors floors) {
  {
    const std::lock_guard lock(attach_mutex_);
    attaching_.push_back({std::move(state), std::move(floors)});
  }
  queue_.wake();
}

void EventPath::attach_waiting() {
  if (!at_boundary_ || !boundary_) {
    return;  // not in the middle of a transaction
  }
  std::vector<Attachment> attaching;
  {
    const std::lock_guard lock(attach_mutex_);
    attaching.swap(attaching_);
  }
  for (Attachment& each : attaching) {
    if (each.state->closed()) {
      continue;
    }
    Slot*& slot = slots_[each.state.get()];
    if (slot == nullptr) {
      slot = &index_.add(each.state->collections(), each.state->options().filter);
      slot->state = each.state;
      if (each.state->options().durable) {
        durable_.push_back(slot);
      }
    }
    Position ready = boundary_;
    for (const auto& [collection, floor] : each.floors) {
      ready = at_or_before(ready, floor) ? floor : ready;
    }
    slot->floors = std::move(each.floors);
    if (!clear_floors(*slot) && !std::exchange(slot->listed, true)) {
      floored_.push_back(slot);
    }
    std::vector<SeenCounter> seen;
    seen.reserve(slot->collections.size());
    for (const std::string& collection : slot->collections) {
      seen.push_back(index_.seen(collection));
    }
    each.state->attach(boundary_, ready, std::move(seen));
  }
}

void EventPath::sweep() {
  // Ended subscriptions are passed over until there are enough of them: taking n out costs O(n).
  constexpr std::size_t kTolerated = 64;
  if (index_.size() <= 2 * context_->size() + kTolerated) {
    return;
  }
  for (const auto& slot : index_.slots()) {
    slot->dead = slot->dead || slot->state->closed();
    if (slot->dead) {
      slots_.erase(slot->state.get());
    }
  }
  std::erase_if(durable_, [](const Slot* slot) { return slot->dead; });
  std::erase_if(floored_, [](const Slot* slot) { return slot->dead; });
  index_.sweep();
}

// --- 4. a batch

ChangeBatchPtr transformed(const PathHooks& hooks, ChangeBatchPtr batch, StreamContext& context) {
  if (!hooks.transform || batch->changes.empty()) {
    return batch;
  }
  StreamEvent event;
  try {
    return hooks.transform(batch);
  } catch (const std::exception& error) {
    event.message = error.what();
  } catch (...) {
    event.message = "an exception of unknown type";
  }
  event.type = StreamEvent::Type::error;
  event.error = ErrorKind::internal;
  event.position = end_of(*batch);
  context.emit(event);
  auto refused = std::make_shared<ChangeBatch>();
  refused->boundary = batch->boundary;
  refused->notices = batch->notices;
  for (Notice& notice : refused->notices) {
    notice.index = 0;
  }
  for (const Change& change : batch->changes) {
    auto& quarantine = std::get<Quarantine>(refused->notices.emplace_back().what);
    quarantine.collection = change.collection();
    quarantine.reason = event.message;
    quarantine.position = change.position;
  }
  return refused;
}

void EventPath::dispatch_batch(const ChangeBatchPtr& read) {
  sweep();
  changes_.fetch_add(read->changes.size(), std::memory_order_relaxed);
  if (options_.hooks.observe) {
    try {
      options_.hooks.observe(*read);
    } catch (...) {
      const Error error = resilience::as_error(std::current_exception());
      emit(StreamEvent::Type::error, &error);
    }
  }
  const ChangeBatchPtr batch = transformed(options_.hooks, read, *context_);
  collect(*batch);
  hand_over(batch);
  if (!read->changes.empty()) {
    last_change_ = read->changes.back().position;
  }
  at_boundary_ = false;
  if (batch->boundary) {
    reach(batch->boundary);
  }
}

void EventPath::collect(const ChangeBatch& batch) {
  index_.begin_batch();
  auto notice = batch.notices.begin();
  for (std::size_t i = 0; i < batch.changes.size(); ++i) {
    for (; notice != batch.notices.end() && notice->index <= i; ++notice) {
      collect(*notice);
    }
    const Change& change = batch.changes[i];
    if (change.op == Op::ddl) {
      StreamEvent event;
      event.type = StreamEvent::Type::ddl;
      event.message = change.statement;
      event.collection = change.collection();
      event.position = change.position;
      context_->emit(event);
    }
    index_.match(change, [&](Slot& slot, Op op) { collect(change, slot, op); });
  }
  std::for_each(notice, batch.notices.end(), [&](const Notice& each) { collect(each); });
}

void EventPath::collect(const Change& change, Slot& slot, Op op) {
  if (!slot.floors.empty() && below(slot.floors, change)) {
    return;
  }
  if (Slot* alive = touch(slot)) {
    alive->entries.push_back({&change, nullptr, op});
    alive->bytes += raw_bytes(change);
  }
}

void EventPath::collect(const Notice& notice) {
  StreamEvent event;
  if (const auto* quarantine = std::get_if<Quarantine>(&notice.what)) {
    quarantined_.fetch_add(1, std::memory_order_relaxed);
    event.type = StreamEvent::Type::quarantine;
    event.message = quarantine->reason;
    event.collection = quarantine->collection;
    event.position = quarantine->position;
  } else {
    const auto& resync = std::get<Resync>(notice.what);
    event.type = StreamEvent::Type::resync;
    event.message = resync.message;
    event.collection = resync.collection;
    event.position = resync.position;
  }
  context_->emit(event);
  index_.of_collection(event.collection, [&](Slot& slot) {
    if (Slot* alive = touch(slot)) {
      const Entry entry{nullptr, &notice, Op::create};
      alive->entries.push_back(entry);
      alive->bytes += raw_bytes(entry);
    }
  });
}

Slot* EventPath::touch(Slot& slot) {
  if (!slot.touched) {
    if (slot.state->closed()) {
      slot.dead = true;
      return nullptr;
    }
    slot.touched = true;
    touched_.push_back(&slot);
  }
  return &slot;
}

// --- 5. handing over

void EventPath::hand_over(const ChangeBatchPtr& batch) {
  // Posted together: waking a thread for each would cost more than everything before it. But not
  // too many together: the first does not wait for the last.
  constexpr std::size_t kTogether = 512;
  for (Slot* slot : touched_) {
    const bool marks = slot->state->options().durable && batch->boundary;
    slot->state->push(batch, std::exchange(slot->entries, {}), std::exchange(slot->bytes, 0),
                      marks ? batch->boundary : Position{}, due_);
    slot->touched = false;
    if (due_.size() >= kTogether) {
      context_->pool.post(due_);
    }
  }
  touched_.clear();
  context_->pool.post(due_);
}

void EventPath::reach(const Position& boundary) {
  boundary_ = boundary;
  at_boundary_ = true;
  for (Slot* slot : durable_) {
    slot->state->mark(boundary);
  }
  std::erase_if(floored_, [&](Slot* slot) {
    slot->listed = !clear_floors(*slot);
    return !slot->listed;
  });
  const std::lock_guard lock(state_mutex_);
  shown_boundary_ = boundary;
}

bool EventPath::clear_floors(Slot& slot) const {
  std::erase_if(slot.floors, [&](const auto& floor) {
    return !floor.second.comparable(boundary_) || floor.second.compare(boundary_) <= 0;
  });
  return slot.floors.empty();
}

void EventPath::lose_history(const SourceItem& item) {
  StreamEvent event;
  event.type = StreamEvent::Type::resync;
  event.message = item.message;
  event.error = ErrorKind::history_lost;
  event.position = item.position;
  context_->emit(event);
  last_change_ = {};
  for (const auto& slot : index_.slots()) {
    slot->state->notice(Resync{.reason = ResyncReason::history_lost,
                               .collection = {},
                               .message = item.message,
                               .position = item.position},
                        item.position);
  }
  reach(item.position);
}

// --- what others ask

void EventPath::stop_source() {
  source_thread_.request_stop();
  if (source_thread_.joinable()) {
    source_thread_.join();
  }
  queue_.close();
}

bool EventPath::drain(Clock::time_point deadline) {
  std::unique_lock lock(state_mutex_);
  return state_changed_.wait_until(lock, deadline,
                                   [&] { return dispatched_all_ || !dispatcher_.joinable(); });
}

void EventPath::abandon() {
  queue_.clear();
}

void EventPath::join() {
  if (dispatcher_.joinable()) {
    dispatcher_.join();
  }
  if (state() != StreamState::stopped) {
    set_state(StreamState::stopped);
  }
}

void EventPath::await_first_attempt() {
  std::unique_lock lock(state_mutex_);
  state_changed_.wait(lock, [&] { return state_ != StreamState::connecting; });
  if (state_ == StreamState::failed && failure_) {
    resilience::throw_copy(*failure_);
  }
}

StreamState EventPath::state() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

std::optional<Error> EventPath::failure() const {
  const std::lock_guard lock(state_mutex_);
  if (!failure_) {
    return std::nullopt;
  }
  return resilience::separate_copy(*failure_);
}

Position EventPath::boundary() const {
  const std::lock_guard lock(state_mutex_);
  return shown_boundary_;
}

PathStats EventPath::stats() const {
  return {changes_.load(std::memory_order_relaxed), quarantined_.load(std::memory_order_relaxed),
          reconnects_.load(std::memory_order_relaxed)};
}

void EventPath::set_state(StreamState state) {
  {
    const std::lock_guard lock(state_mutex_);
    state_ = state;
  }
  state_changed_.notify_all();
}

void EventPath::emit(StreamEvent::Type type, const Error* error, std::uint32_t attempt,
                     std::chrono::milliseconds delay) {
  StreamEvent event;
  event.type = type;
  event.attempt = attempt;
  event.delay = delay;
  event.position = boundary();
  if (error != nullptr) {
    event.error = error->kind();
    event.message = error->what();
  }
  context_->emit(event);
}

}  // namespace ustream::stream
