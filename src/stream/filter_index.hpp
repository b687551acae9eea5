// Which subscriptions a change concerns, and as what op.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stream/segment.hpp"

namespace ustream::stream {

class SubscriptionState;

/// What the change is for a subscriber with this filter; nullopt when it is nothing to him. With a
/// before-image, a row that enters the filter is `create` and one that leaves it is `remove`;
/// without one, an update is `update` when the row matches now, else `remove` for its key, and a
/// delete is always told. `truncate` and `ddl` are always told.
[[nodiscard]] std::optional<Op> effective_op(const Filter& filter, const Change& change,
                                             Scratch& scratch);

/// "Nothing of this collection up to here", by collection; an empty name is any collection.
using Floors = std::vector<std::pair<std::string, Position>>;

/// Whether the change is at or before a floor.
[[nodiscard]] bool below(const Floors& floors, const Change& change);

/// How many changes of a collection were matched; written by the index's thread alone.
using SeenCounter = std::shared_ptr<const std::atomic<std::uint64_t>>;

/// One subscription of the index, with room for what a batch has for it.
struct Slot {
  std::shared_ptr<SubscriptionState> state;  ///< the dispatcher's; the index does not look at it
  std::vector<std::string> collections;
  Filter filter;
  Floors floors;
  bool listed = false;  ///< the dispatcher's: among those whose floors it watches
  bool dead = false;

  std::vector<Entry> entries;
  std::size_t bytes = 0;
  bool touched = false;
};

/// Finds the subscriptions of a change without asking each: by collection, then by the filter's
/// indexable equality, whose candidates run the whole filter. Adding is O(1); removing marks a slot
/// dead and sweep() takes all the dead out at once.
///
/// One thread, the dispatcher's: it is changed between batches only, so that reading takes no lock.
class FilterIndex {
 public:
  Slot& add(std::vector<std::string> collections, Filter filter);
  /// Takes out the slots for which `dead` is set.
  void sweep();
  /// The counter of a collection that has a slot. REQUIRES such a one.
  [[nodiscard]] SeenCounter seen(const std::string& collection) const {
    return collections_.find(collection)->second.seen;
  }
  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
  [[nodiscard]] std::deque<std::unique_ptr<Slot>>& slots() noexcept { return slots_; }

  /// Calls `found(Slot&, Op)` for every slot that the change concerns, each once.
  template <class Found>
  void match(const Change& change, Found&& found);
  /// Calls `found(Slot&)` for every slot of the collection; every slot when it is empty.
  template <class Found>
  void of_collection(std::string_view collection, Found&& found);
  /// Must be called before the first match() of a batch: schemas are remembered within one.
  void begin_batch() noexcept { last_schema_ = nullptr; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  /// Subscriptions whose filters fix the same field.
  struct Field {
    std::string name;
    std::vector<Slot*> all;
    std::unordered_map<std::uint64_t, std::vector<Slot*>> by_hash;
  };
  struct Collection {
    std::shared_ptr<std::atomic<std::uint64_t>> seen =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    std::vector<Slot*> all;    ///< every subscription of the collection
    std::vector<Slot*> plain;  ///< those without an indexable equality
    std::vector<Field> fields;
  };
  /// The hash of a field in one image. `any`: the hash can't tell (several values, or no image).
  struct Probe {
    bool any = false;
    std::uint64_t hash = 0;
  };

  void insert(Slot& slot);
  [[nodiscard]] Collection* find(const Change& change);
  [[nodiscard]] static Probe probe(const Document& image, const std::string& field,
                                   Scratch& scratch);
  /// Which buckets of `field` can hold a match: all, or up to two.
  [[nodiscard]] static std::pair<Probe, std::optional<std::uint64_t>> probes(const Change& change,
                                                                             const Field& field,
                                                                             Scratch& scratch);

  template <class Found>
  void test(std::vector<Slot*>& slots, const Change& change, Found& found) {
    for (Slot* slot : slots) {
      if (slot->dead) {
        continue;
      }
      if (const auto op = effective_op(slot->filter, change, scratch_)) {
        found(*slot, *op);
      }
    }
  }

  /// Below this many subscriptions of a field, asking each is cheaper than hashing.
  static constexpr std::size_t kWorthIndexing = 4;

  std::deque<std::unique_ptr<Slot>> slots_;
  std::unordered_map<std::string, Collection, Hash, std::equal_to<>> collections_;
  const Schema* last_schema_ = nullptr;
  Collection* last_collection_ = nullptr;
  Scratch scratch_;
};

template <class Found>
void FilterIndex::match(const Change& change, Found&& found) {
  Collection* collection = find(change);
  if (collection == nullptr) {
    return;
  }
  // The only writer: no read-modify-write needed.
  collection->seen->store(collection->seen->load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
  test(collection->plain, change, found);
  for (Field& field : collection->fields) {
    if (field.all.size() < kWorthIndexing) {
      test(field.all, change, found);
      continue;
    }
    const auto [first, second] = probes(change, field, scratch_);
    if (first.any) {
      test(field.all, change, found);
      continue;
    }
    if (const auto bucket = field.by_hash.find(first.hash); bucket != field.by_hash.end()) {
      test(bucket->second, change, found);
    }
    if (second) {
      if (const auto bucket = field.by_hash.find(*second); bucket != field.by_hash.end()) {
        test(bucket->second, change, found);
      }
    }
  }
  scratch_.clear();
}

template <class Found>
void FilterIndex::of_collection(std::string_view collection, Found&& found) {
  if (collection.empty()) {
    for (const auto& slot : slots_) {
      if (!slot->dead) {
        found(*slot);
      }
    }
    return;
  }
  const auto it = collections_.find(collection);
  if (it == collections_.end()) {
    return;
  }
  for (Slot* slot : it->second.all) {
    if (!slot->dead) {
      found(*slot);
    }
  }
}

}  // namespace ustream::stream
