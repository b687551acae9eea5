// What the program's exit code says.
#pragma once

#include "ustream/error.hpp"

namespace ustream::app {

enum ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,          ///< the command line, a URL, a filter, a key, a cursor
  no_connection = 3,  ///< cannot connect or authenticate
  record_not_found = 4,
  stream_history_lost = 5
};

[[nodiscard]] constexpr ExitCode exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::validation:
      return usage;
    case ErrorKind::connection:
    case ErrorKind::auth:
      return no_connection;
    case ErrorKind::not_found:
      return record_not_found;
    case ErrorKind::history_lost:
      return stream_history_lost;
    default:
      return failed;
  }
}

}  // namespace ustream::app
