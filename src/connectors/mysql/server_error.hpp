// What the servers' and the client library's error numbers mean to a caller.
#pragma once

#include <string>
#include <string_view>

namespace ustream::mysql {

// Error numbers of both servers that decide something outside of throw_mysql_error().
inline constexpr unsigned kRowChanged = 1020;  // MariaDB, with innodb_snapshot_isolation
inline constexpr unsigned kUnknownColumn = 1054;
inline constexpr unsigned kDuplicateKey = 1062;
inline constexpr unsigned kNoSuchTable = 1146;
inline constexpr unsigned kLockWaitTimeout = 1205;
inline constexpr unsigned kDeadlock = 1213;
inline constexpr unsigned kDuplicateKeyName = 1586;

/// An Error of the server, with its number: for whoever does something about it. Thrown by nobody;
/// throw_mysql_error() throws the typed error for it.
struct ServerError {
  unsigned code = 0;
  std::string state;  ///< SQLSTATE
  std::string text;   ///< the server's words
};

/// Whether the transaction, begun again from its start, may succeed where it met others now.
[[nodiscard]] constexpr bool is_worth_repeating(unsigned code) noexcept {
  return code == kDeadlock || code == kRowChanged;
}

/// Throws the typed error for what the server or the client library told. The server's words go to
/// detail(); what() repeats them only where they name what the caller himself gave (constraints,
/// values that do not fit, statements of ours that are refused).
[[noreturn]] void throw_mysql_error(const ServerError& error, std::string_view where);

/// Whether no further call can be made on the connection after this error. Also true for errors of
/// the client library that leave it in doubt.
[[nodiscard]] bool ends_connection(unsigned code) noexcept;

}  // namespace ustream::mysql
