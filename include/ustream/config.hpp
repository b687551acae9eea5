// Where a source is and how to reach it: from a URL, or from the keys of the JavaScript original.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/value.hpp"

namespace ustream {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

/// Parses "trace" … "error", "off"; also the original's "verbose" (= debug). Throws
/// ValidationError.
[[nodiscard]] LogLevel parse_log_level(std::string_view text);

/// Retrying with exponential backoff and full jitter: the n-th wait is uniform in [0, min(max,
/// initial * 2^n)].
struct RetryPolicy {
  std::uint32_t retries = 5;  ///< attempts after the first; for a stream: reconnects without a
                              ///< success between them; 0 = none
  std::chrono::milliseconds initial_delay{1000};
  std::chrono::milliseconds max_delay{30'000};
};

/// One source, taken apart and checked. A regular value.
struct SourceConfig {
  std::string scheme;      ///< connector name or alias: "sqlite", "mysql", …
  std::string host;        ///< empty for embedded databases
  std::uint16_t port = 0;  ///< 0: the database's default
  std::string user;
  std::string password;  ///< never printed: see display()
  std::string database;  ///< database name; for sqlite the file's path
  std::map<std::string, std::string, std::less<>>
      options;  ///< query parameters; each connector documents its own and refuses others
  std::chrono::milliseconds polling_interval{
      1000};  ///< the slow poll behind change notifications (pollingInterval)
  RetryPolicy retry;
  LogLevel log_level = LogLevel::warn;

  /// "sqlite:PATH", "mysql://user:password@host:port/db?option=value". The password also from
  /// ?password_file= or the environment's USTREAM_PASSWORD. Percent-encoding as in RFC 3986. Throws
  /// ValidationError; never repeats a password.
  [[nodiscard]] static SourceConfig from_url(std::string_view url);
  /// {dbType, host, port, user, password, database | connectionString, pollingInterval, retries,
  /// retryDelay, maxRetryDelay, debug, logLevel, …}. An unknown key throws ValidationError with the
  /// nearest right name.
  [[nodiscard]] static SourceConfig from_object(const Value::Object& object);
  [[nodiscard]] static SourceConfig from_json(std::string_view json);
  /// The URL without its secrets: for logs and messages.
  [[nodiscard]] std::string display() const;
  /// An option's value, or nullopt.
  [[nodiscard]] std::optional<std::string> option(std::string_view name) const;
};

/// The candidate nearest to `name` by edit distance, or empty when none is near.
[[nodiscard]] std::string nearest_name(std::string_view name,
                                       const std::vector<std::string>& candidates);

/// "500ms", "10s", "5m", "1h", "250us", or a plain number of milliseconds. Throws ValidationError.
[[nodiscard]] std::chrono::microseconds parse_duration(std::string_view text);

}  // namespace ustream
