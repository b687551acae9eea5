#include "ustream/events.hpp"

namespace ustream {

std::string_view to_string(StreamEvent::Type type) noexcept {
  using Type = StreamEvent::Type;
  switch (type) {
    case Type::connecting:
      return "connecting";
    case Type::connected:
      return "connected";
    case Type::disconnected:
      return "disconnected";
    case Type::reconnecting:
      return "reconnecting";
    case Type::reconnected:
      return "reconnected";
    case Type::stopped:
      return "stopped";
    case Type::failed:
      return "failed";
    case Type::error:
      return "error";
    case Type::heartbeat:
      return "heartbeat";
    case Type::connection_lost:
      return "connection_lost";
    case Type::resync:
      return "resync";
    case Type::quarantine:
      return "quarantine";
    case Type::ddl:
      return "ddl";
  }
  return "unknown";
}

std::string_view to_string(StreamState state) noexcept {
  switch (state) {
    case StreamState::stopped:
      return "stopped";
    case StreamState::connecting:
      return "connecting";
    case StreamState::streaming:
      return "streaming";
    case StreamState::reconnecting:
      return "reconnecting";
    case StreamState::failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace ustream
