// The one family of exceptions that public calls throw.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ustream {

/// What went wrong, as coarse as a caller can act on.
enum class ErrorKind {
  connection,    ///< the database cannot be opened or reached, or went away
  auth,          ///< credentials refused or a permission is missing
  validation,    ///< the caller's input: URL, configuration, key, filter, cursor, row
  not_found,     ///< the record asked for is not there
  conflict,      ///< a constraint of the database refused the write
  busy,          ///< locked by somebody else for longer than the timeout
  streaming,     ///< the change stream cannot go on
  history_lost,  ///< the position asked for is no longer in the source's history
  corrupt,       ///< the database's own data is damaged
  unsupported,   ///< this source cannot do that
  internal       ///< a defect of ustream
};

/// Whether doing the same again may help.
enum class RetryAdvice {
  never,      ///< the same call will fail again until the caller changes it
  retry,      ///< temporary: the same call may succeed later
  resnapshot  ///< take a new snapshot and go on from its position
};

/// Base of everything that ustream throws.
///
/// `what()` is fit for a client: it names what failed and what to do, never a secret. The server's
/// own text is in `detail()`, which belongs in logs only. Copying is cheap enough for a catch by
/// value; immutable, so thread-safe.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, RetryAdvice advice = RetryAdvice::never,
        std::string where = {}, std::string detail = {},
        std::source_location location = std::source_location::current());

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] RetryAdvice retry_advice() const noexcept { return advice_; }
  [[nodiscard]] bool temporary() const noexcept { return advice_ == RetryAdvice::retry; }
  /// The source, collection or option concerned, without credentials; may be empty.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  /// The server's or library's own words; for logs, not for clients. May be empty.
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  /// Where in ustream the error was raised.
  [[nodiscard]] const std::source_location& location() const noexcept { return location_; }

 private:
  ErrorKind kind_;
  RetryAdvice advice_;
  std::string where_;
  std::string detail_;
  std::source_location location_;
};

/// The database cannot be opened or reached.
class ConnectionError : public Error {
 public:
  explicit ConnectionError(const std::string& message, RetryAdvice advice = RetryAdvice::retry,
                           std::string where = {}, std::string detail = {},
                           std::source_location location = std::source_location::current())
      : Error(ErrorKind::connection, message, advice, std::move(where), std::move(detail),
              location) {}
};

/// The caller's input is wrong: URL, configuration, key, filter, cursor or row.
class ValidationError : public Error {
 public:
  explicit ValidationError(const std::string& message, std::string where = {},
                           std::string detail = {},
                           std::source_location location = std::source_location::current())
      : Error(ErrorKind::validation, message, RetryAdvice::never, std::move(where),
              std::move(detail), location) {}
};

/// The change stream cannot go on; `kind()` is `streaming` or `history_lost`.
class StreamingError : public Error {
 public:
  explicit StreamingError(const std::string& message, ErrorKind kind = ErrorKind::streaming,
                          RetryAdvice advice = RetryAdvice::retry, std::string where = {},
                          std::string detail = {},
                          std::source_location location = std::source_location::current())
      : Error(kind, message, advice, std::move(where), std::move(detail), location) {}
};

/// Credentials were refused, or the account may not do that.
class AuthError : public Error {
 public:
  explicit AuthError(const std::string& message, std::string where = {}, std::string detail = {},
                     std::source_location location = std::source_location::current())
      : Error(ErrorKind::auth, message, RetryAdvice::never, std::move(where), std::move(detail),
              location) {}
};

/// The name of a kind as clients see it: "connection", "validation", "history_lost", …
[[nodiscard]] std::string_view to_string(ErrorKind kind) noexcept;

}  // namespace ustream
