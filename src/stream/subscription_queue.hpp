// The bounded queue of one subscription: how it folds, debounces and batches.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "stream/segment.hpp"

namespace ustream::stream {

/// What waits for one subscriber, in order. Not thread-safe, and blocks nobody: SubscriptionState
/// does both. Times are the caller's.
///
/// It has two shapes. Usually a FIFO of segments. Folded (debounce, or after fold()), the newest
/// change of every key in the order of the newest; it stays folded until it is empty.
class SubscriptionQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Bounds, debounce and batching of `options`.
  explicit SubscriptionQueue(const SubscriptionOptions& options);

  /// False when `changes` more with `bytes` would go over the bounds. An empty queue has room for
  /// anything: a batch larger than the bounds is one that the source holds in memory already.
  [[nodiscard]] bool has_room(std::size_t changes, std::size_t bytes) const noexcept;
  [[nodiscard]] bool over_bounds() const noexcept {
    return count_ > capacity_ || bytes_ > max_bytes_;
  }
  void append(Segment segment, TimePoint now);
  /// All that was appended so far stands up to `boundary`. REQUIRES !empty().
  void mark(const Position& boundary);
  /// Keeps only the newest change of each key.
  void fold(TimePoint now);
  /// Moves `other`'s content to the end of this queue.
  void splice(SubscriptionQueue& other, TimePoint now);

  struct Dropped {
    std::size_t changes = 0;
    bool resync = false;  ///< a Resync of the engine's own was among it
  };
  /// Empties the queue, except for a Ready that was not delivered yet.
  Dropped drop_all();

  struct Due {
    bool now = false;
    std::optional<TimePoint> later;  ///< when not now: when to ask again, if nothing is appended
  };
  [[nodiscard]] Due due(TimePoint now) const;
  /// Appends what is due to `out`, at most one handover. Returns the boundary up to which
  /// everything is processed once `out` is; no position when there is none.
  Position take(TimePoint now, std::vector<Delivery>& out);
  /// Debounce and batching hold nothing back any more that is in the queue now.
  void flush() noexcept;

  [[nodiscard]] bool empty() const noexcept {
    return segments_.empty() && folded_.empty() && marks_.empty();
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  static constexpr std::size_t kHandover = 4096;  ///< deliveries in one call, without batch_size

 private:
  struct Folded {
    Segment segment;  ///< of one entry, or a notice
    std::string key;  ///< empty: nothing folds into it
    TimePoint touched;
    std::uint64_t ordinal = 0;  ///< of its newest change
    bool existed = false;       ///< before the changes that were folded
  };
  struct Mark {
    std::uint64_t ordinal = 0;
    Position boundary;
  };

  void append_folded(Segment segment, TimePoint now);
  void fold_in(const ChangeBatchPtr& batch, const Entry& entry, TimePoint now);
  void place(Folded item, bool barrier);
  [[nodiscard]] bool is_due(const Folded& item, TimePoint now) const;
  [[nodiscard]] bool is_through() const noexcept { return through_notices_ && notices_ == 0; }
  Position take_segments(std::size_t limit, std::vector<Delivery>& out);
  Position take_folded(TimePoint now, std::size_t limit, std::vector<Delivery>& out);
  void hand_over(const ChangeBatchPtr& batch, const Entry& entry, std::vector<Delivery>& out);

  std::size_t capacity_;
  std::size_t max_bytes_;
  std::size_t batch_size_;
  std::chrono::milliseconds batch_timeout_;
  std::chrono::milliseconds debounce_;

  std::size_t count_ = 0;    // changes and notices out of batches
  std::size_t notices_ = 0;  // of either origin: a notice is never held back by batching
  std::size_t bytes_ = 0;
  bool flushing_ = false;
  bool through_notices_ = false;  // this handover ends with the last notice

  std::deque<Segment> segments_;
  std::size_t next_ = 0;  // in the first segment

  bool is_folded_;
  std::list<Folded> folded_;
  std::unordered_map<std::string, std::list<Folded>::iterator> by_key_;
  std::deque<Mark> marks_;
  std::uint64_t ordinal_ = 0;
  std::uint64_t flush_ordinal_ = 0;  // items up to here are due whatever debounce says
};

}  // namespace ustream::stream
