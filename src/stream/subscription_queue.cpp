#include "stream/subscription_queue.hpp"

#include <algorithm>
#include <utility>

namespace ustream::stream {

namespace {

bool creates(Op op) {
  return op == Op::create || op == Op::snapshot;
}

/// Whether this update gives the row another key: then it must not be folded with changes of
/// either, or the old key's row would stay with the subscriber.
bool moves_key(const Change& change) {
  if (!change.after || !change.before || !change.schema->has_key()) {
    return false;
  }
  Scratch scratch;
  const auto& columns = change.schema->columns();
  const auto& key = change.schema->key_columns();
  return !std::all_of(key.begin(), key.end(), [&](std::size_t index) {
    const auto after = change.after.view(columns[index].name, scratch);
    const auto before = change.before.view(columns[index].name, scratch);
    return !before || (after && after->to_value() == before->to_value());
  });
}

/// What changes are folded by: the collection and the row's key. Empty: not to be folded.
std::string fold_key(const Change& change, Op op) {
  if (op != Op::create && op != Op::update && op != Op::remove) {
    return {};
  }
  const auto text = change.key_text();
  if (!text || moves_key(change)) {
    return {};
  }
  std::string key = change.collection();
  key.push_back('\0');
  key += *text;
  return key;
}

}  // namespace

SubscriptionQueue::SubscriptionQueue(const SubscriptionOptions& options)
    : capacity_(std::max({options.queue_capacity, options.batch_size, std::size_t{1}})),
      max_bytes_(std::max<std::size_t>(options.queue_bytes, 1)),
      batch_size_(options.batch_size),
      batch_timeout_(options.batch_timeout),
      debounce_(options.debounce),
      is_folded_(options.debounce.count() > 0) {}

bool SubscriptionQueue::has_room(std::size_t changes, std::size_t bytes) const noexcept {
  return count_ == 0 || (count_ + changes <= capacity_ && bytes_ + bytes <= max_bytes_);
}

void SubscriptionQueue::append(Segment segment, TimePoint now) {
  if (is_folded_) {
    append_folded(std::move(segment), now);
    return;
  }
  segment.arrived = now;
  if (segment.notice.index() != 0) {
    ++notices_;
  }
  for (const Entry& entry : segment.entries) {
    ++count_;
    bytes_ += raw_bytes(entry);
    notices_ += entry.change == nullptr ? 1 : 0;
  }
  segments_.push_back(std::move(segment));
}

void SubscriptionQueue::mark(const Position& boundary) {
  if (!is_folded_) {
    segments_.back().boundary = boundary;
  } else if (!marks_.empty() && marks_.back().ordinal == ordinal_) {
    marks_.back().boundary = boundary;
  } else {
    marks_.push_back({ordinal_, boundary});
  }
}

void SubscriptionQueue::fold(TimePoint now) {
  if (is_folded_) {
    return;
  }
  is_folded_ = true;
  std::deque<Segment> segments = std::exchange(segments_, {});
  const std::size_t next = std::exchange(next_, 0);
  if (!segments.empty()) {
    auto& entries = segments.front().entries;
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(next));
  }
  count_ = notices_ = bytes_ = 0;
  for (Segment& segment : segments) {
    append_folded(std::move(segment), now);
  }
}

void SubscriptionQueue::splice(SubscriptionQueue& other, TimePoint now) {
  for (Segment& segment : other.segments_) {
    append(std::move(segment), now);
  }
  other.drop_all();
}

SubscriptionQueue::Dropped SubscriptionQueue::drop_all() {
  Dropped dropped{count_, false};
  std::optional<Segment> ready;
  const auto look = [&](Segment& segment) {
    dropped.resync = dropped.resync || std::holds_alternative<Resync>(segment.notice);
    if (std::holds_alternative<Ready>(segment.notice)) {
      ready = std::move(segment);
    }
  };
  std::for_each(segments_.begin(), segments_.end(), look);
  std::for_each(folded_.begin(), folded_.end(), [&](Folded& item) { look(item.segment); });
  segments_.clear();
  next_ = 0;
  by_key_.clear();
  folded_.clear();
  marks_.clear();
  count_ = notices_ = bytes_ = 0;
  is_folded_ = debounce_.count() > 0;
  if (ready) {
    // Its own boundary still holds; what was marked behind it does not.
    ready->boundary = {};
    append(std::move(*ready), {});
  }
  return dropped;
}

// --- folding

void SubscriptionQueue::append_folded(Segment segment, TimePoint now) {
  if (segment.notice.index() != 0) {
    place({.segment =
               {.batch = {}, .entries = {}, .notice = std::move(segment.notice), .boundary = {}},
           .key = {},
           .touched = now},
          true);
    ++notices_;
  }
  for (const Entry& entry : segment.entries) {
    fold_in(segment.batch, entry, now);
  }
  if (segment.boundary) {
    mark(segment.boundary);
  }
}

void SubscriptionQueue::fold_in(const ChangeBatchPtr& batch, const Entry& entry, TimePoint now) {
  Folded item{.segment = {.batch = batch, .entries = {entry}, .notice = {}, .boundary = {}},
              .key = {},
              .touched = now};
  ++count_;
  bytes_ += raw_bytes(entry);
  if (entry.change == nullptr) {
    ++notices_;
    place(std::move(item), true);
    return;
  }
  item.key = fold_key(*entry.change, entry.op);
  item.existed = !creates(entry.op);
  if (item.key.empty()) {
    place(std::move(item), true);
    return;
  }
  if (const auto found = by_key_.find(item.key); found != by_key_.end()) {
    const Folded& old = *found->second;
    // The net effect of both: the row was there before the first, or it was not.
    item.existed = old.existed;
    if (entry.op != Op::remove) {
      item.segment.entries.front().op = old.existed ? Op::update : Op::create;
    }
    --count_;
    bytes_ -= raw_bytes(old.segment.entries.front());
    folded_.erase(found->second);
    by_key_.erase(found);
  }
  place(std::move(item), false);
}

void SubscriptionQueue::place(Folded item, bool barrier) {
  item.ordinal = ++ordinal_;
  if (barrier) {
    // Nothing may pass what cannot be folded: order holds, and it is not held back.
    by_key_.clear();
    flush_ordinal_ = ordinal_;
  }
  folded_.push_back(std::move(item));
  if (!barrier) {
    by_key_[folded_.back().key] = std::prev(folded_.end());
  }
}

bool SubscriptionQueue::is_due(const Folded& item, TimePoint now) const {
  return debounce_.count() == 0 || item.ordinal <= flush_ordinal_ ||
         item.touched + debounce_ <= now;
}

// --- handing over

SubscriptionQueue::Due SubscriptionQueue::due(TimePoint now) const {
  if (empty()) {
    return {};
  }
  if (is_folded_ && debounce_.count() > 0) {
    if (folded_.empty() || is_due(folded_.front(), now)) {
      return {.now = true, .later = {}};
    }
    return {.now = false, .later = folded_.front().touched + debounce_};
  }
  if (batch_size_ == 0 || flushing_ || notices_ > 0 || count_ == 0 || count_ >= batch_size_) {
    return {.now = true, .later = {}};
  }
  const auto first = is_folded_ ? folded_.front().touched : segments_.front().arrived;
  const auto end = first + batch_timeout_;
  return end <= now ? Due{.now = true, .later = {}} : Due{.now = false, .later = end};
}

Position SubscriptionQueue::take(TimePoint now, std::vector<Delivery>& out) {
  if (!due(now).now) {
    return {};
  }
  const std::size_t limit = batch_size_ > 0 ? batch_size_ : kHandover;
  // A notice takes along what stands before it; what stands behind it makes batches of its own.
  through_notices_ = notices_ > 0 && batch_size_ > 0;
  Position boundary = is_folded_ ? take_folded(now, limit, out) : take_segments(limit, out);
  if (empty()) {
    flushing_ = false;
    is_folded_ = debounce_.count() > 0;
  }
  return boundary;
}

void SubscriptionQueue::hand_over(const ChangeBatchPtr& batch, const Entry& entry,
                                  std::vector<Delivery>& out) {
  Delivery& delivery = out.emplace_back();
  delivery.batch = batch;
  delivery.change = entry.change;
  delivery.op = entry.op;
  if (entry.notice != nullptr) {
    std::visit([&](const auto& what) { delivery.notice = what; }, entry.notice->what);
    --notices_;
  }
  --count_;
  bytes_ -= raw_bytes(entry);
}

Position SubscriptionQueue::take_segments(std::size_t limit, std::vector<Delivery>& out) {
  Position boundary;
  while (!segments_.empty()) {
    Segment& segment = segments_.front();
    if (segment.notice.index() != 0 && next_ == 0) {
      if (out.size() == limit) {
        break;
      }
      out.emplace_back().notice = std::move(segment.notice);
      --notices_;
      next_ = 1;
    }
    for (; next_ < segment.entries.size() && out.size() < limit && !is_through(); ++next_) {
      hand_over(segment.batch, segment.entries[next_], out);
    }
    if (next_ < segment.entries.size()) {
      break;
    }
    if (segment.boundary) {
      boundary = std::move(segment.boundary);
    }
    segments_.pop_front();
    next_ = 0;
  }
  return boundary;
}

Position SubscriptionQueue::take_folded(TimePoint now, std::size_t limit,
                                        std::vector<Delivery>& out) {
  while (!folded_.empty() && out.size() < limit && is_due(folded_.front(), now) && !is_through()) {
    Folded& item = folded_.front();
    if (item.segment.notice.index() != 0) {
      out.emplace_back().notice = std::move(item.segment.notice);
      --notices_;
    } else {
      hand_over(item.segment.batch, item.segment.entries.front(), out);
    }
    if (const auto found = by_key_.find(item.key);
        found != by_key_.end() && &*found->second == &item) {
      by_key_.erase(found);
    }
    folded_.pop_front();
  }
  // Ordinals ascend in the list, so a mark is reached once the first item is newer.
  Position boundary;
  while (!marks_.empty() && (folded_.empty() || folded_.front().ordinal > marks_.front().ordinal)) {
    boundary = std::move(marks_.front().boundary);
    marks_.pop_front();
  }
  return boundary;
}

void SubscriptionQueue::flush() noexcept {
  flushing_ = true;
  flush_ordinal_ = ordinal_;
}

}  // namespace ustream::stream
