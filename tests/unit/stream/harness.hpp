// What the tests of the event path share: an engine over a scripted source, and what it delivered.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "scripted_source.hpp"
#include "stream/engine.hpp"

namespace ustream::stream::testing {

using std::chrono::milliseconds;
using test::ScriptedConnector;
using test::ScriptedSource;

constexpr std::chrono::seconds kPatience{20};  ///< a deadline for what must happen, not a wait

/// "c 1", "u 1", "d 1", "r 1", "t", "ddl", "ready", "resync history_lost", "quarantine <reason>".
inline std::string describe(const Delivery& delivery) {
  if (delivery.change != nullptr) {
    std::string text(to_string(delivery.op));
    if (const auto key = delivery.change->key_text()) {
      text += " " + *key;
    }
    return text;
  }
  if (const auto* resync = std::get_if<Resync>(&delivery.notice)) {
    return "resync " + std::string(to_string(resync->reason));
  }
  if (const auto* quarantine = std::get_if<Quarantine>(&delivery.notice)) {
    return "quarantine " + quarantine->reason;
  }
  return std::holds_alternative<Ready>(delivery.notice) ? "ready" : "?";
}

/// Keeps what it was called with, and can be made to block.
class Recorder {
 public:
  [[nodiscard]] DeliveryCallback callback() {
    return [this](std::span<const Delivery> deliveries) { receive(deliveries); };
  }
  void receive(std::span<const Delivery> deliveries) {
    std::unique_lock lock(mutex_);
    ++calls_;
    sizes_.push_back(deliveries.size());
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_; });
    --inside_;
    for (const Delivery& delivery : deliveries) {
      texts_.push_back(describe(delivery));
      deliveries_.push_back(delivery);
    }
    changed_.notify_all();
  }
  void block() {
    const std::lock_guard lock(mutex_);
    blocked_ = true;
  }
  void unblock() {
    {
      const std::lock_guard lock(mutex_);
      blocked_ = false;
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool wait(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, done);
  }
  /// Waits until so many deliveries were taken.
  [[nodiscard]] bool wait_for(std::size_t count) {
    return wait([&] { return texts_.size() >= count; });
  }
  [[nodiscard]] bool wait_for(const std::string& text) {
    return wait([&] { return !texts_.empty() && texts_.back() == text; });
  }
  [[nodiscard]] bool wait_inside() {
    return wait([&] { return inside_ > 0; });
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }
  [[nodiscard]] std::vector<Delivery> deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }
  [[nodiscard]] std::vector<std::size_t> sizes() const {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }
  [[nodiscard]] std::size_t count(const std::string& text) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(texts_.begin(), texts_.end(), text));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
  std::vector<Delivery> deliveries_;
  std::vector<std::size_t> sizes_;
  std::size_t calls_ = 0;
  int inside_ = 0;
  bool blocked_ = false;
};

/// Keeps stream events.
class Events {
 public:
  [[nodiscard]] EventCallback callback() {
    return [this](const StreamEvent& event) {
      {
        const std::lock_guard lock(mutex_);
        events_.push_back(event);
      }
      changed_.notify_all();
    };
  }
  [[nodiscard]] bool wait_for(StreamEvent::Type type, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return count_locked(type) >= times; });
  }
  [[nodiscard]] std::size_t count(StreamEvent::Type type) const {
    const std::lock_guard lock(mutex_);
    return count_locked(type);
  }
  [[nodiscard]] std::vector<StreamEvent> of(StreamEvent::Type type) const {
    const std::lock_guard lock(mutex_);
    std::vector<StreamEvent> found;
    std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
                 [&](const StreamEvent& event) { return event.type == type; });
    return found;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const StreamEvent& event : events_) {
      names.emplace_back(to_string(event.type));
    }
    return names;
  }

 private:
  [[nodiscard]] std::size_t count_locked(StreamEvent::Type type) const {
    return static_cast<std::size_t>(
        std::count_if(events_.begin(), events_.end(),
                      [&](const StreamEvent& event) { return event.type == type; }));
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StreamEvent> events_;
};

/// Retries without noticeable waits.
inline EngineOptions quick(std::uint32_t retries = 100) {
  EngineOptions options;
  options.path.retry = {
      .retries = retries, .initial_delay = milliseconds(1), .max_delay = milliseconds(2)};
  options.path.backoff_seed = 7;
  options.offset_interval = milliseconds(1);
  return options;
}

/// A source with the collections "a" and "b", and what an engine over it tells.
class Harness {
 public:
  explicit Harness(ScriptedSource::Options options = {}) : source({"a", "b"}, options) {}

  StreamEngine& make(EngineOptions options = quick()) {
    engine.reset();
    engine = std::make_unique<StreamEngine>(connector, std::move(options), events.callback());
    return *engine;
  }
  StreamEngine& start(EngineOptions options = quick()) {
    make(std::move(options)).start();
    return *engine;
  }
  [[nodiscard]] Subscription subscribe(Recorder& recorder, SubscriptionOptions options = {}) {
    return engine->subscribe({"a"}, std::move(options), recorder.callback());
  }

  ScriptedSource source;
  ScriptedConnector connector{&source};
  Events events;
  std::unique_ptr<StreamEngine> engine;
};

inline Value::Object fields(std::int64_t v) {
  return {{"v", Value(v)}};
}

using Texts = std::vector<std::string>;

}  // namespace ustream::stream::testing
