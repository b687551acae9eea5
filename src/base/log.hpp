// Logger: what ustream logs with. Passed explicitly; there is no global one.
#pragma once

#include <charconv>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "ustream/config.hpp"

namespace ustream::base {

/// A cheap handle that can be copied; copies share the sink. Any thread may log.
///
/// Arguments are put together only when the level is enabled:
///
///     log.info("source ", name, " stands at ", rows, " rows");
///
/// What must stay secret is the caller's to redact.
class Logger {
 public:
  /// Receives each message of an enabled level; called by any thread, one at a time per logger.
  using Sink = std::function<void(LogLevel, std::string_view)>;

  /// Writes lines to stderr: UTC time with microseconds, level, message. Control characters in a
  /// message are escaped, so that data which ends up in it cannot forge a line.
  explicit Logger(LogLevel level);
  /// Hands messages to `sink` instead, as they are.
  Logger(LogLevel level, Sink sink);
  /// Logs nothing.
  [[nodiscard]] static Logger null() noexcept { return {}; }

  [[nodiscard]] bool enabled(LogLevel level) const noexcept { return level >= level_; }
  [[nodiscard]] LogLevel level() const noexcept { return level_; }
  /// Logs one message when `level` is enabled. Does not throw: what cannot be logged is dropped.
  void log(LogLevel level, std::string_view message) const noexcept;

  template <class... Parts>
  void trace(const Parts&... parts) const {
    write(LogLevel::trace, parts...);
  }
  template <class... Parts>
  void debug(const Parts&... parts) const {
    write(LogLevel::debug, parts...);
  }
  template <class... Parts>
  void info(const Parts&... parts) const {
    write(LogLevel::info, parts...);
  }
  template <class... Parts>
  void warn(const Parts&... parts) const {
    write(LogLevel::warn, parts...);
  }
  template <class... Parts>
  void error(const Parts&... parts) const {
    write(LogLevel::error, parts...);
  }

 private:
  class Output;

  Logger() noexcept = default;

  template <class... Parts>
  void write(LogLevel level, const Parts&... parts) const {
    if (!enabled(level)) {
      return;
    }
    std::string message;
    (append(message, parts), ...);
    log(level, message);
  }
  static void append(std::string& out, std::string_view text) { out += text; }
  // A template: a pointer to characters must not become a bool on its way here.
  template <class Part>
    requires(std::is_arithmetic_v<Part>)
  static void append(std::string& out, Part part) {
    if constexpr (std::is_same_v<Part, bool>) {
      out += part ? "true" : "false";
    } else if constexpr (std::is_same_v<Part, char>) {
      out += part;
    } else {
      char text[64];
      const auto end = std::to_chars(text, text + sizeof text, part).ptr;
      out.append(text, end);
    }
  }

  LogLevel level_ = LogLevel::off;
  std::shared_ptr<Output> output_;
};

}  // namespace ustream::base
