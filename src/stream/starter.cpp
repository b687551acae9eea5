#include "stream/starter.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "resilience/backoff.hpp"

namespace ustream::stream {

namespace {

enum class Outcome : std::uint8_t { done, stopped, lost };

Segment notice_segment(OwnNotice notice, const Position& boundary = {}) {
  return {
      .batch = {}, .entries = {}, .notice = std::move(notice), .arrived = {}, .boundary = boundary};
}

/// Filters what is replayed and puts it ahead of what is held.
class ReplaySink final : public ChangeSink {
 public:
  ReplaySink(const StartContext& context, SubscriptionState& state, Floors& floors,
             const std::stop_token& stop)
      : context_(context), state_(state), floors_(floors), stop_(stop) {}

  [[nodiscard]] bool deliver(ChangeBatchPtr read) override {
    const ChangeBatchPtr batch =
        transformed(context_.options.hooks, std::move(read), context_.stream);
    Segment segment{
        .batch = batch, .entries = {}, .notice = {}, .arrived = {}, .boundary = batch->boundary};
    std::uint64_t filtered = 0;
    auto notice = batch->notices.begin();
    for (std::size_t i = 0; i < batch->changes.size(); ++i) {
      for (; notice != batch->notices.end() && notice->index <= i; ++notice) {
        append(segment, *notice);
      }
      filtered += append(segment, batch->changes[i]) ? 0 : 1;
    }
    std::for_each(notice, batch->notices.end(), [&](const Notice& each) { append(segment, each); });
    state_.count_filtered(filtered);
    scratch_.clear();
    if ((!segment.entries.empty() || segment.boundary) &&
        !state_.push_ahead(std::move(segment), stop_)) {
      return false;
    }
    const Position end = end_of(*batch);
    if (end) {
      reached_ = end;  // a second attempt does not deliver it again
    }
    if (batch->boundary) {
      boundary_ = batch->boundary;
    }
    return true;
  }
  void caught_up(const Position& /*position*/) override {}

  [[nodiscard]] const Position& boundary() const noexcept { return boundary_; }

 private:
  [[nodiscard]] bool concerns(const std::string& collection) const {
    const auto& collections = state_.collections();
    return collection.empty() ||
           std::find(collections.begin(), collections.end(), collection) != collections.end();
  }
  bool append(Segment& segment, const Change& change) {
    if (!concerns(change.collection()) || below(floors_, change) ||
        at_or_before(change.position, reached_)) {
      return false;
    }
    const auto op = effective_op(state_.options().filter, change, scratch_);
    if (op) {
      segment.entries.push_back({&change, nullptr, *op});
    }
    return op.has_value();
  }
  void append(Segment& segment, const Notice& notice) {
    const bool wanted = std::visit(
        [&](const auto& what) {
          return concerns(what.collection) && !at_or_before(what.position, reached_);
        },
        notice.what);
    if (wanted) {
      segment.entries.push_back({nullptr, &notice, Op::create});
    }
  }

  const StartContext& context_;
  SubscriptionState& state_;
  const Floors& floors_;
  const std::stop_token& stop_;
  Scratch scratch_;
  Position reached_;
  Position boundary_;
};

/// One start of one subscription.
class Starter {
 public:
  Starter(const StartContext& context, SubscriptionState& state, const StartPlan& plan,
          const std::stop_token& stop)
      : context_(context), state_(state), plan_(plan), stop_(stop), retry_(context.options.retry) {}

  bool run(const std::shared_ptr<SubscriptionState>& shared) {
    state_.hold();
    if (!(plan_.snapshot ? take_snapshots() : begin_at_since())) {
      return false;
    }
    for (;;) {
      context_.path.attach(shared, floors_);
      const auto attached = state_.await_attached(stop_);
      if (!attached) {
        return false;
      }
      if (!deliver_up_to(*attached)) {
        return false;
      }
      if (state_.join()) {
        return true;
      }
      state_.detach();
      from_ = *attached;
    }
  }

 private:
  bool ready(const Position& position) {
    ready_told_ = true;
    return state_.push_ahead(notice_segment(Ready{position}, position), stop_);
  }

  bool begin_at_since() {
    from_ = plan_.since;
    if (plan_.history_lost) {
      lost_ = true;
      lost_message_ = "the position to go on from is not in the source's history";
      return true;
    }
    floors_ = {{std::string(), from_}};
    return ready(from_);
  }

  bool take_snapshots() {
    for (const std::string& collection : state_.collections()) {
      const auto position = take_snapshot(collection);
      if (!position) {
        return false;
      }
      if (!*position) {
        continue;  // failed for good, and told
      }
      // Every collection has its own moment: the history of each begins there.
      floors_.emplace_back(collection, *position);
      if (!from_ || position->compare(from_) < 0) {
        from_ = *position;
      }
    }
    if (!from_) {
      lost_ = true;
      lost_reason_ = ResyncReason::source_lost;
      lost_message_ = "the snapshot failed";
      return true;
    }
    return ready(from_);
  }

  /// The snapshot's position; an empty one when it cannot be had; nullopt when stopped.
  std::optional<Position> take_snapshot(const std::string& collection) {
    resilience::Backoff backoff(retry_);
    for (;;) {
      bool ended = false;
      bool some = false;
      try {
        Position position = context_.snapshotter->snapshot(
            collection, state_.options().filter, [&](ChangeBatchPtr rows) {
              some = true;
              ended = !deliver_rows(
                  transformed(context_.options.hooks, std::move(rows), context_.stream));
              return !ended;
            });
        if (ended || !position) {
          return std::nullopt;
        }
        return position;
      } catch (...) {
        const Error error = resilience::as_error(std::current_exception());
        if (ended || stop_.stop_requested()) {
          return std::nullopt;
        }
        tell(error, collection);
        const bool again = error.temporary() && backoff.may_retry();
        if ((some || !again) && !resync(ResyncReason::source_lost, collection,
                                        again ? "the snapshot starts again" : error.what(), {})) {
          return std::nullopt;
        }
        if (!again) {
          return Position{};
        }
        wait(backoff.next());
      }
    }
  }

  bool deliver_rows(const ChangeBatchPtr& rows) {
    Segment segment{.batch = rows, .entries = {}, .notice = {}, .arrived = {}, .boundary = {}};
    for (const Notice& notice : rows->notices) {
      tell(notice);
      segment.entries.push_back({nullptr, &notice, Op::create});
    }
    for (const Change& row : rows->changes) {
      segment.entries.push_back({&row, nullptr, Op::snapshot});
    }
    return state_.push_ahead(std::move(segment), stop_);
  }

  /// The history from `from_` to `until`, or a Resync when there is none.
  bool deliver_up_to(const Position& until) {
    if (!lost_ && !from_.comparable(until)) {
      lost_ = true;
      lost_message_ = "the source's history has begun anew";
    }
    if (!lost_ && from_.compare(until) < 0) {
      switch (replay(until)) {
        case Outcome::stopped:
          return false;
        case Outcome::lost:
          lost_ = true;
          break;
        case Outcome::done:
          break;
      }
    }
    if (!std::exchange(lost_, false)) {
      return true;
    }
    return resync(lost_reason_, {}, lost_message_, until) && (ready_told_ || ready(until));
  }

  Outcome replay(const Position& until) {
    resilience::Backoff backoff(retry_);
    ReplaySink sink(context_, state_, floors_, stop_);
    for (;;) {
      try {
        const Position& from = sink.boundary() ? sink.boundary() : from_;
        if (at_or_before(until, from)) {
          return Outcome::done;
        }
        return context_.source.replay(from, until, sink, stop_) ? Outcome::done : Outcome::stopped;
      } catch (...) {
        const Error error = resilience::as_error(std::current_exception());
        if (stop_.stop_requested()) {
          return Outcome::stopped;
        }
        tell(error, {});
        const auto kind = resilience::classify(error);
        if (kind != resilience::ErrorClass::retry || !backoff.may_retry()) {
          lost_reason_ = kind == resilience::ErrorClass::history_lost ? ResyncReason::history_lost
                                                                      : ResyncReason::source_lost;
          lost_message_ = error.what();
          return Outcome::lost;
        }
        wait(backoff.next());
      }
    }
  }

  bool resync(ResyncReason reason, const std::string& collection, std::string message,
              const Position& position) {
    return state_.push_ahead(notice_segment(Resync{.reason = reason,
                                                   .collection = collection,
                                                   .message = std::move(message),
                                                   .position = position},
                                            position),
                             stop_);
  }

  void tell(const Notice& notice) {
    if (const auto* quarantine = std::get_if<Quarantine>(&notice.what)) {
      StreamEvent event;
      event.type = StreamEvent::Type::quarantine;
      event.message = quarantine->reason;
      event.collection = quarantine->collection;
      event.position = quarantine->position;
      context_.stream.emit(event);
    }
  }

  void tell(const Error& error, const std::string& collection) {
    StreamEvent event;
    event.type = StreamEvent::Type::error;
    event.error = error.kind();
    event.message = error.what();
    event.collection = collection.empty() ? state_.collections().front() : collection;
    event.position = from_;
    context_.stream.emit(event);
  }

  void wait(std::chrono::milliseconds delay) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop_, delay, [] { return false; });
  }

  const StartContext& context_;
  SubscriptionState& state_;
  const StartPlan& plan_;
  const std::stop_token& stop_;
  const RetryPolicy retry_;
  Position from_;
  Floors floors_;
  bool ready_told_ = false;
  bool lost_ = false;
  ResyncReason lost_reason_ = ResyncReason::history_lost;
  std::string lost_message_;
};

}  // namespace

bool start_subscription(const StartContext& context,
                        const std::shared_ptr<SubscriptionState>& state, const StartPlan& plan,
                        const std::stop_token& stop) {
  try {
    return Starter(context, *state, plan, stop).run(state);
  } catch (const std::exception& error) {
    StreamEvent event;
    event.type = StreamEvent::Type::error;
    event.error = ErrorKind::internal;
    event.message = error.what();
    context.stream.emit(event);
    return false;
  }
}

}  // namespace ustream::stream
