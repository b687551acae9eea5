// Options that every connector has, by the names of URLs and of configuration objects.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/config.hpp"

namespace ustream::connectors {

/// One option under its two spellings: the original's camelCase, and snake_case.
struct OptionName {
  std::string_view camel;
  std::string_view snake;
  [[nodiscard]] bool is(std::string_view name) const noexcept {
    return name == camel || name == snake;
  }
};

inline constexpr OptionName kPollingInterval{"pollingInterval", "polling_interval"};
inline constexpr OptionName kRetries{"retries", "retries"};
inline constexpr OptionName kRetryDelay{"retryDelay", "retry_delay"};
inline constexpr OptionName kMaxRetryDelay{"maxRetryDelay", "max_retry_delay"};
inline constexpr OptionName kLogLevel{"logLevel", "log_level"};
inline constexpr OptionName kDebug{"debug", "debug"};
inline constexpr std::array<OptionName, 6> kCommonOptions = {
    kPollingInterval, kRetries, kRetryDelay, kMaxRetryDelay, kLogLevel, kDebug};

/// Collects the common options of one source, then sets them: which were given matters for the
/// defaults of others.
class CommonOptions {
 public:
  /// False when `name` is no common option. Throws ValidationError when it was given before, in
  /// either spelling, or its value is wrong.
  [[nodiscard]] bool accept(std::string_view name, std::string_view value);
  /// Throws ValidationError when the options contradict each other.
  void apply(SourceConfig& config) const;

 private:
  std::optional<std::chrono::milliseconds> polling_interval_;
  std::optional<std::uint32_t> retries_;
  std::optional<std::chrono::milliseconds> retry_delay_;
  std::optional<std::chrono::milliseconds> max_retry_delay_;
  std::optional<LogLevel> log_level_;
  std::optional<bool> debug_;
};

/// What a URL says; its password goes to `password` alone, unless the URL has none.
[[nodiscard]] SourceConfig read_url(std::string_view url, std::optional<std::string>& password);

/// Sets the password where none was given: from the file of the option password_file, which is
/// taken out of the options, or from the environment's USTREAM_PASSWORD. Nothing for embedded
/// databases. Throws ValidationError when the file cannot be read.
void complete_password(SourceConfig& config, std::optional<std::string> given);

}  // namespace ustream::connectors
