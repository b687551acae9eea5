#include "base/log.hpp"

#include <mutex>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace ustream::base {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

std::string on_one_line(std::string_view message) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  line.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 0xf];
    }
  }
  return line;
}

Logger::Sink stderr_sink() {
  auto logger = std::make_shared<spdlog::logger>("ustream",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::trace);
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc));
  logger->flush_on(spdlog::level::trace);
  return [logger = std::move(logger)](LogLevel level, std::string_view message) {
    const std::string line = on_one_line(message);
    logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  };
}

}  // namespace

class Logger::Output {
 public:
  explicit Output(Sink sink) : sink_(std::move(sink)) {}
  void write(LogLevel level, std::string_view message) {
    const std::scoped_lock lock(mutex_);
    sink_(level, message);
  }

 private:
  std::mutex mutex_;
  Sink sink_;
};

Logger::Logger(LogLevel level) : Logger(level, stderr_sink()) {}

Logger::Logger(LogLevel level, Sink sink)
    : level_(level), output_(std::make_shared<Output>(std::move(sink))) {}

void Logger::log(LogLevel level, std::string_view message) const noexcept {
  if (output_ == nullptr || level == LogLevel::off || !enabled(level)) {
    return;
  }
  try {
    output_->write(level, message);
  } catch (...) {  // a full disk behind stderr must not stop a stream
  }
}

}  // namespace ustream::base
