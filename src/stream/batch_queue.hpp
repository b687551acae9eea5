// The queue between the source's thread and the dispatcher's.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "ustream/change.hpp"

#include "stream/segment.hpp"

namespace ustream::stream {

/// What the source's thread tells the dispatcher's.
struct SourceItem {
  enum class Kind : std::uint8_t {
    batch,     ///< `batch`
    start,     ///< the stream starts at `position`
    boundary,  ///< nothing more up to `position`
    resync,    ///< history was lost: it goes on from `position`, `message` says why
    wake       ///< somebody waits for the dispatcher
  };
  Kind kind = Kind::wake;
  ChangeBatchPtr batch;
  Position position;
  std::string message;
};

/// Bounded by the changes inside and by their raw bytes, not by batches; one batch always fits when
/// it is empty. One producer, one consumer; close() and wake() by any thread.
class BatchQueue {
 public:
  BatchQueue(std::size_t max_changes, std::size_t max_bytes)
      : max_{.changes = std::max<std::size_t>(max_changes, 1), .bytes = max_bytes} {}

  /// Blocks while it is full. False when stopped or closed; the item is then not in.
  [[nodiscard]] bool push(SourceItem item, const std::stop_token& stop) {
    const Weight weight = weight_of(item);
    {
      std::unique_lock lock(mutex_);
      not_full_.wait(lock, stop, [&] {
        return closed_ || weight.changes == 0 || inside_.changes == 0 ||
               (inside_.changes + weight.changes <= max_.changes &&
                inside_.bytes + weight.bytes <= max_.bytes);
      });
      if (closed_ || stop.stop_requested()) {
        return false;
      }
      if (item.kind == SourceItem::Kind::boundary && !items_.empty() &&
          items_.back().item.kind == SourceItem::Kind::boundary) {
        items_.back().item = std::move(item);  // the later one says it all
        return true;
      }
      inside_.changes += weight.changes;
      inside_.bytes += weight.bytes;
      items_.push_back({std::move(item), weight});
    }
    not_empty_.notify_one();
    return true;
  }

  /// Blocks while it is empty. A `wake` item when wake() was called; nullopt once it is closed and
  /// empty.
  [[nodiscard]] std::optional<SourceItem> pop() {
    std::optional<SourceItem> item;
    {
      std::unique_lock lock(mutex_);
      not_empty_.wait(lock, [&] { return closed_ || wake_ || !items_.empty(); });
      if (std::exchange(wake_, false)) {
        return SourceItem{};
      }
      if (items_.empty()) {
        return std::nullopt;
      }
      item = std::move(items_.front().item);
      inside_.changes -= items_.front().weight.changes;
      inside_.bytes -= items_.front().weight.bytes;
      items_.pop_front();
    }
    not_full_.notify_one();
    return item;
  }

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      wake_ = true;
    }
    not_empty_.notify_one();
  }

  /// Nothing more comes in; what is inside can be taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    not_empty_.notify_one();
    not_full_.notify_one();
  }
  /// Drops what is inside.
  void clear() {
    const std::lock_guard lock(mutex_);
    items_.clear();
    inside_ = {};
  }
  void reopen() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
  }
  [[nodiscard]] std::size_t changes() const {
    const std::lock_guard lock(mutex_);
    return inside_.changes;
  }

 private:
  struct Weight {
    std::size_t changes = 0;  // and notices
    std::size_t bytes = 0;
  };
  struct Waiting {
    SourceItem item;
    Weight weight;
  };

  static Weight weight_of(const SourceItem& item) noexcept {
    if (!item.batch) {
      return {};
    }
    Weight weight{.changes = item.batch->changes.size() + item.batch->notices.size()};
    for (const Change& change : item.batch->changes) {
      weight.bytes += raw_bytes(change);
    }
    for (const Notice& notice : item.batch->notices) {
      weight.bytes += raw_bytes(notice);
    }
    return weight;
  }

  const Weight max_;
  mutable std::mutex mutex_;
  std::condition_variable_any not_full_;
  std::condition_variable not_empty_;
  std::deque<Waiting> items_;
  Weight inside_;
  bool wake_ = false;
  bool closed_ = false;
};

}  // namespace ustream::stream
