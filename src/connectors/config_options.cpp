#include "connectors/config_options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "ustream/error.hpp"

#include "base/atomic_file.hpp"

namespace ustream::connectors {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(24);
constexpr std::uint32_t kMostRetries = 1'000'000;
constexpr std::size_t kMaxPasswordBytes = 65'536;
constexpr std::string_view kPasswordFile = "password_file";

[[noreturn]] void out_of_range(std::string_view name, std::string_view range) {
  throw ValidationError("option '" + std::string(name) + "' must be " + std::string(range),
                        std::string(name));
}

milliseconds to_duration(std::string_view name, std::string_view value, milliseconds shortest) {
  std::chrono::microseconds duration{};
  try {
    duration = parse_duration(value);
  } catch (const ValidationError& error) {
    throw ValidationError("option '" + std::string(name) + "': " + error.what(), std::string(name));
  }
  if (duration < shortest || duration > kLongest) {
    out_of_range(name, "from " + std::to_string(shortest.count()) + "ms to 24h");
  }
  return std::chrono::duration_cast<milliseconds>(duration);
}

std::uint32_t to_count(std::string_view name, std::string_view value) {
  std::uint32_t count = 0;
  const char* const end = value.data() + value.size();
  const auto result = std::from_chars(value.data(), value.data() + value.size(), count);
  if (value.empty() || result.ec != std::errc{} || result.ptr != end || count > kMostRetries) {
    out_of_range(name, "a whole number from 0 to " + std::to_string(kMostRetries));
  }
  return count;
}

bool to_bool(std::string_view name, std::string_view value) {
  if (value != "true" && value != "false") {
    out_of_range(name, "true or false");
  }
  return value == "true";
}

LogLevel to_log_level(std::string_view name, std::string_view value) {
  try {
    return parse_log_level(value);
  } catch (const ValidationError& error) {
    throw ValidationError("option '" + std::string(name) + "': " + error.what(), std::string(name));
  }
}

template <class T>
void set_once(std::optional<T>& target, std::string_view name, T value) {
  if (target) {
    throw ValidationError("option '" + std::string(name) + "' is given twice", std::string(name));
  }
  target = value;
}

}  // namespace

bool CommonOptions::accept(std::string_view name, std::string_view value) {
  if (kPollingInterval.is(name)) {
    set_once(polling_interval_, name, to_duration(name, value, milliseconds(1)));
  } else if (kRetries.is(name)) {
    set_once(retries_, name, to_count(name, value));
  } else if (kRetryDelay.is(name)) {
    set_once(retry_delay_, name, to_duration(name, value, milliseconds(0)));
  } else if (kMaxRetryDelay.is(name)) {
    set_once(max_retry_delay_, name, to_duration(name, value, milliseconds(0)));
  } else if (kLogLevel.is(name)) {
    set_once(log_level_, name, to_log_level(name, value));
  } else if (kDebug.is(name)) {
    set_once(debug_, name, to_bool(name, value));
  } else {
    return false;
  }
  return true;
}

void CommonOptions::apply(SourceConfig& config) const {
  config.polling_interval = polling_interval_.value_or(config.polling_interval);
  config.retry.retries = retries_.value_or(config.retry.retries);
  config.retry.initial_delay = retry_delay_.value_or(config.retry.initial_delay);
  if (max_retry_delay_) {
    config.retry.max_delay = *max_retry_delay_;
    if (!retry_delay_) {
      config.retry.initial_delay = std::min(config.retry.initial_delay, config.retry.max_delay);
    }
  } else {
    config.retry.max_delay = std::max(config.retry.max_delay, config.retry.initial_delay);
  }
  if (config.retry.max_delay < config.retry.initial_delay) {
    out_of_range(kMaxRetryDelay.snake, "at least retry_delay");
  }
  if (debug_.value_or(false)) {
    config.log_level = LogLevel::debug;
  }
  config.log_level = log_level_.value_or(config.log_level);
}

void complete_password(SourceConfig& config, std::optional<std::string> given) {
  if (config.host.empty()) {
    return;
  }
  const auto file = config.options.find(kPasswordFile);
  if (given) {
    config.password = *std::move(given);
  } else if (file != config.options.end()) {
    config.password = base::read_file(file->second, kMaxPasswordBytes);
    if (config.password.ends_with('\n')) {
      config.password.pop_back();
    }
    if (config.password.ends_with('\r')) {
      config.password.pop_back();
    }
  } else if (const char* password = std::getenv("USTREAM_PASSWORD")) {
    config.password = password;
  }
  if (file != config.options.end()) {
    config.options.erase(file);
  }
}

}  // namespace ustream::connectors
