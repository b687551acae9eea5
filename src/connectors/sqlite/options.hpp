// The options of a SQLite source, from its URL or configuration.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ustream/config.hpp"

#include "connectors/sqlite/database.hpp"

namespace ustream::sqlite {

struct Options {
  std::string path;
  Access access = Access::read_write;  ///< create=true: make the file when it is missing
  std::chrono::milliseconds busy_timeout{
      5000};                  ///< busy_timeout: how long to wait for another's lock
  std::size_t pool_size = 4;  ///< pool_size: connections for data calls
  std::chrono::seconds log_max_age{24 *
                                   3600};  ///< log_max_age: older changes are trimmed from the log
  std::int64_t log_max_rows = 1'000'000;   ///< log_max_rows: more than these are trimmed
  std::chrono::milliseconds polling_interval{1000};
  LogLevel log_level = LogLevel::warn;

  /// Throws ValidationError for an unknown option or a value out of range.
  [[nodiscard]] static Options from(const SourceConfig& config);
};

}  // namespace ustream::sqlite
