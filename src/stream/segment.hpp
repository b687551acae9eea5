// What waits for a subscriber: parts of batches.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "ustream/subscription.hpp"

namespace ustream::stream {

/// One thing out of a batch: a change with its effective op, or a notice. Valid while the batch
/// lives.
struct Entry {
  const Change* change = nullptr;
  const Notice* notice = nullptr;  ///< set when `change` is not
  Op op = Op::create;
};

using OwnNotice = std::variant<std::monostate, Ready, Quarantine, Resync>;

/// What one batch has for one subscriber, in order; or one notice of the engine's own.
struct Segment {
  ChangeBatchPtr batch;
  std::vector<Entry> entries;
  OwnNotice notice;  ///< when set there are no entries
  std::chrono::steady_clock::time_point arrived{};
  Position boundary;  ///< once everything up to here is processed, so is this boundary
};

/// The raw bytes that a change keeps in memory, roughly.
[[nodiscard]] inline std::size_t raw_bytes(const Change& change) noexcept {
  return change.after.raw().size() + change.before.raw().size() + change.key_fields.raw().size();
}

[[nodiscard]] inline std::size_t raw_bytes(const Notice& notice) noexcept {
  const auto* quarantine = std::get_if<Quarantine>(&notice.what);
  return quarantine == nullptr ? 0 : quarantine->raw.size();
}

[[nodiscard]] inline std::size_t raw_bytes(const Entry& entry) noexcept {
  return entry.change != nullptr ? raw_bytes(*entry.change) : raw_bytes(*entry.notice);
}

/// The position after which nothing of the batch comes: its boundary, or its last change's.
[[nodiscard]] inline Position end_of(const ChangeBatch& batch) {
  return batch.boundary || batch.changes.empty() ? batch.boundary : batch.changes.back().position;
}

/// True when `position` is at or before `other` in the same history.
[[nodiscard]] inline bool at_or_before(const Position& position, const Position& other) noexcept {
  return position && other && position.comparable(other) && position.compare(other) <= 0;
}

}  // namespace ustream::stream
