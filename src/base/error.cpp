#include "ustream/error.hpp"

#include <utility>

namespace ustream {

Error::Error(ErrorKind kind, const std::string& message, RetryAdvice advice, std::string where,
             std::string detail, std::source_location location)
    : std::runtime_error(message),
      kind_(kind),
      advice_(advice),
      where_(std::move(where)),
      detail_(std::move(detail)),
      location_(location) {}

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::connection:
      return "connection";
    case ErrorKind::auth:
      return "auth";
    case ErrorKind::validation:
      return "validation";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::busy:
      return "busy";
    case ErrorKind::streaming:
      return "streaming";
    case ErrorKind::history_lost:
      return "history_lost";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::internal:
      break;
  }
  return "internal";
}

}  // namespace ustream
