#include "package/heartbeat.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "ustream/error.hpp"

namespace ustream::package {

HeartbeatSystem::HeartbeatSystem(std::function<void()> ping, EventCallback on_event,
                                 HeartbeatOptions options)
    : ping_(std::move(ping)), on_event_(std::move(on_event)), options_(options) {}

HeartbeatSystem::~HeartbeatSystem() {
  stop();
}

void HeartbeatSystem::start() {
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
}

void HeartbeatSystem::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void HeartbeatSystem::run(const std::stop_token& stop) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, options_.interval, [] { return false; });
    }
    if (stop.stop_requested()) {
      return;
    }
    beat();
  }
}

void HeartbeatSystem::beat() {
  std::string why;
  std::optional<ErrorKind> kind;
  try {
    ping_();
  } catch (const Error& error) {
    why = error.what();
    kind = error.kind();
  } catch (const std::exception& error) {
    why = error.what();
    kind = ErrorKind::internal;
  }
  using Type = StreamEvent::Type;
  if (!kind) {
    failures_ = 0;
    if (std::exchange(lost_, false)) {
      tell(Type::reconnected, "the source answers again", kind);
    }
    tell(Type::heartbeat, "healthy", kind);
    return;
  }
  ++failures_;
  tell(Type::heartbeat, "unhealthy: " + why, kind);
  if (failures_ >= options_.failures_until_lost && !std::exchange(lost_, true)) {
    tell(Type::connection_lost, why, kind);
  }
}

void HeartbeatSystem::tell(StreamEvent::Type type, std::string message,
                           std::optional<ErrorKind> error) const noexcept {
  try {
    StreamEvent event;
    event.type = type;
    event.message = std::move(message);
    event.attempt = failures_;
    event.error = error;
    on_event_(event);
  } catch (...) {
    // Nobody is left to tell.
  }
}

}  // namespace ustream::package
