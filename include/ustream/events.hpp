// What happens to a stream itself: its states, and the events that tell of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/error.hpp"
#include "ustream/position.hpp"

namespace ustream {

/// Something that happened to the stream itself.
struct StreamEvent {
  enum class Type : std::uint8_t {
    connecting,
    connected,
    disconnected,
    reconnecting,
    reconnected,
    stopped,
    failed,
    error,
    heartbeat,
    connection_lost,
    resync,
    quarantine,
    ddl
  };
  Type type = Type::heartbeat;
  std::string message;
  std::uint32_t attempt = 0;           ///< reconnecting: which attempt
  std::chrono::milliseconds delay{0};  ///< reconnecting: until the attempt
  std::optional<ErrorKind> error;
  std::string collection;  ///< error in a callback, resync, quarantine, ddl
  Position position;
};
[[nodiscard]] std::string_view to_string(StreamEvent::Type type) noexcept;
using EventCallback = std::function<void(const StreamEvent&)>;

enum class StreamState : std::uint8_t { stopped, connecting, streaming, reconnecting, failed };
[[nodiscard]] std::string_view to_string(StreamState state) noexcept;

}  // namespace ustream
