#include "connectors/mysql/server_error.hpp"

#include <optional>

#include <errmsg.h>
#include <mysqld_error.h>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

struct Meaning {
  ErrorKind kind;
  RetryAdvice advice;
  const char* message;
  bool tell_text = false;  ///< the server's words help the caller, who gave what they repeat
};

// Numbers that the two servers do not share, or that the client library's header lacks.
constexpr unsigned kPluginIsNotLoaded = 1524;
constexpr unsigned kAccessDeniedNoPassword = 1698;
constexpr unsigned kCheckFailedMysql = 3819;
constexpr unsigned kCheckFailedMariadb = 4025;
constexpr unsigned kInvalidJson = 3140;
constexpr unsigned kDataTooLongMariadb = 4078;
constexpr unsigned kLockNowait = 3572;
constexpr unsigned kSecureTransportRequired = 3159;
constexpr unsigned kAccountLocked = 3118;
constexpr unsigned kAccountLockedMariadb = 4151;
constexpr unsigned kPasswordExpired = 1820;
constexpr unsigned kPasswordExpiredLogin = 1862;
constexpr unsigned kClientInteractionTimeout = 4031;
constexpr unsigned kQueryTimeoutMysql = 3024;
constexpr unsigned kQueryTimeoutMariadb = 1969;
constexpr unsigned kTableDefinitionChanged = 1412;
constexpr unsigned kTooManyStatements = 1461;
constexpr unsigned kNeedsReprepare = 1615;

std::optional<Meaning> connection_meaning(unsigned code) {
  constexpr auto kKind = ErrorKind::connection;
  switch (code) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_IPSOCK_ERROR:
    case CR_SOCKET_CREATE_ERROR:
      return Meaning{kKind, RetryAdvice::retry,
                     "the server cannot be reached; check host, port and that it runs"};
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_ERR_NET_READ:
    case CR_ERR_NET_WRITE:
    case kClientInteractionTimeout:
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
      return Meaning{kKind, RetryAdvice::retry,
                     "the connection to the server was lost, or it did not answer in time"};
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_VERSION_ERROR:
    case CR_MALFORMED_PACKET:
      return Meaning{kKind, RetryAdvice::never,
                     "what answers there is no MySQL or MariaDB server; check host and port"};
    case CR_SSL_CONNECTION_ERROR:
      return Meaning{kKind, RetryAdvice::never,
                     "no TLS connection to the server; give the authority of its certificate with "
                     "tls_ca=FILE, or choose another tls= mode"};
    case kSecureTransportRequired:
      return Meaning{kKind, RetryAdvice::never,
                     "the server takes TLS connections only; choose tls=required or stricter"};
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
      return Meaning{kKind, RetryAdvice::retry,
                     "the server has no connection left; raise its max_connections or lower "
                     "pool_size"};
    case ER_HOST_IS_BLOCKED:
      return Meaning{kKind, RetryAdvice::never,
                     "the server blocks this host after many failed connections; run FLUSH HOSTS "
                     "there"};
    default:
      return std::nullopt;
  }
}

std::optional<Meaning> auth_meaning(unsigned code) {
  constexpr auto kKind = ErrorKind::auth;
  switch (code) {
    case ER_ACCESS_DENIED_ERROR:
    case kAccessDeniedNoPassword:
      return Meaning{kKind, RetryAdvice::never,
                     "the server refuses this user or password; check both, and from which hosts "
                     "the user may connect"};
    case ER_DBACCESS_DENIED_ERROR:
      return Meaning{kKind, RetryAdvice::never,
                     "the user may not use this database, or there is none of this name; GRANT it "
                     "to him"};
    case ER_HOST_NOT_PRIVILEGED:
      return Meaning{kKind, RetryAdvice::never,
                     "the server takes no connections from this host; create a user for it"};
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_PROCACCESS_DENIED_ERROR:
      return Meaning{kKind, RetryAdvice::never,
                     "the user lacks a privilege for this; GRANT it to "
                     "him",
                     true};
    case kPluginIsNotLoaded:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_PLUGIN_NOT_ALLOWED:
    case CR_ERR_LOAD_PLUGIN:
      return Meaning{kKind, RetryAdvice::never,
                     "the user's way to log in is not available here; install the client library's "
                     "plugin, allow get_server_public_key, or give the user another plugin"};
    case CR_AUTH_PLUGIN_ERR:
      return Meaning{kKind, RetryAdvice::never,
                     "logging in failed; check user and password, and the server's RSA key for "
                     "caching_sha2_password"};
    case kAccountLocked:
    case kAccountLockedMariadb:
      return Meaning{kKind, RetryAdvice::never,
                     "the account is locked; ALTER USER … ACCOUNT UNLOCK"};
    case kPasswordExpired:
    case kPasswordExpiredLogin:
      return Meaning{kKind, RetryAdvice::never,
                     "the password has expired; ALTER USER sets a new one"};
    default:
      return std::nullopt;
  }
}

std::optional<Meaning> data_meaning(unsigned code) {
  switch (code) {
    case kDuplicateKey:
    case kDuplicateKeyName:
    case ER_DUP_UNIQUE:
    case ER_ROW_IS_REFERENCED:
    case ER_ROW_IS_REFERENCED_2:
    case ER_NO_REFERENCED_ROW:
    case ER_NO_REFERENCED_ROW_2:
    case ER_BAD_NULL_ERROR:
    case ER_NO_DEFAULT_FOR_FIELD:
    case ER_VIEW_CHECK_FAILED:
    case kCheckFailedMysql:
    case kCheckFailedMariadb:
      return Meaning{ErrorKind::conflict, RetryAdvice::never,
                     "a constraint of the table refuses this row", true};
    case ER_SIGNAL_EXCEPTION:
      return Meaning{ErrorKind::conflict, RetryAdvice::never,
                     "a trigger of the table refuses this row", true};
    case ER_DATA_TOO_LONG:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case WARN_DATA_TRUNCATED:
    case ER_WRONG_VALUE:
    case ER_DATA_OUT_OF_RANGE:
    case ER_INVALID_CHARACTER_STRING:
    case ER_CANNOT_CONVERT_CHARACTER:
    case ER_CANT_CREATE_GEOMETRY_OBJECT:
    case kInvalidJson:
    case kDataTooLongMariadb:
      return Meaning{ErrorKind::validation, RetryAdvice::never, "a value does not fit its column",
                     true};
    case ER_TOO_BIG_ROWSIZE:
    case CR_NET_PACKET_TOO_LARGE:
    case ER_NET_PACKET_TOO_LARGE:
      return Meaning{ErrorKind::validation, RetryAdvice::never,
                     "a row or statement is too large; raise the server's max_allowed_packet"};
    case ER_BAD_DB_ERROR:
      return Meaning{ErrorKind::validation, RetryAdvice::never,
                     "there is no such database; check its name, or create it"};
    case kNoSuchTable:
    case ER_BAD_TABLE_ERROR:
    case kUnknownColumn:
      return Meaning{ErrorKind::validation, RetryAdvice::never,
                     "a table or column is not there (any more)", true};
    default:
      return std::nullopt;
  }
}

std::optional<Meaning> state_meaning(unsigned code) {
  switch (code) {
    case kLockWaitTimeout:
    case kLockNowait:
      return Meaning{ErrorKind::busy, RetryAdvice::retry,
                     "another transaction holds the lock; try again or raise timeout"};
    case kDeadlock:
      return Meaning{ErrorKind::busy, RetryAdvice::retry,
                     "a deadlock with another transaction; try again"};
    case kRowChanged:
    case kTableDefinitionChanged:
    case kNeedsReprepare:
      return Meaning{ErrorKind::busy, RetryAdvice::retry,
                     "another transaction has changed the row or its table since; try again"};
    case kTooManyStatements:
      return Meaning{ErrorKind::busy, RetryAdvice::retry,
                     "the server has no room for prepared statements; raise its "
                     "max_prepared_stmt_count or lower pool_size"};
    case ER_QUERY_INTERRUPTED:
    case kQueryTimeoutMysql:
    case kQueryTimeoutMariadb:
      return Meaning{ErrorKind::busy, RetryAdvice::retry, "the server interrupted the call"};
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
    case ER_OPEN_AS_READONLY:
      return Meaning{ErrorKind::connection, RetryAdvice::retry,
                     "the server is read-only; write to the primary, or SET GLOBAL read_only=OFF",
                     true};
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_LOCK_TABLE_FULL:
      return Meaning{ErrorKind::busy, RetryAdvice::retry, "the server has no room left", true};
    case ER_CRASHED_ON_USAGE:
    case ER_CRASHED_ON_REPAIR:
    case ER_NOT_KEYFILE:
      return Meaning{ErrorKind::corrupt, RetryAdvice::never,
                     "the table is damaged; check it with CHECK TABLE"};
    case ER_MASTER_FATAL_ERROR_READING_BINLOG:
      return Meaning{ErrorKind::streaming, RetryAdvice::retry,
                     "the server cannot send its binlog from there", true};
    case ER_NOT_SUPPORTED_YET:
      return Meaning{ErrorKind::unsupported, RetryAdvice::never, "the server cannot do that", true};
    default:
      return std::nullopt;
  }
}

Meaning meaning_of(unsigned code) {
  for (const auto family : {connection_meaning, auth_meaning, data_meaning, state_meaning}) {
    if (const auto meaning = family(code)) {
      return *meaning;
    }
  }
  return {ErrorKind::internal, RetryAdvice::never, "the server refused the statement", true};
}

}  // namespace

void throw_mysql_error(const ServerError& error, std::string_view where) {
  const Meaning meaning = meaning_of(error.code);
  std::string message(meaning.message);
  if (meaning.tell_text) {
    message += " (" + error.text + ")";
  }
  std::string detail =
      "error " + std::to_string(error.code) + " (" + error.state + "): " + error.text;
  switch (meaning.kind) {
    case ErrorKind::connection:
      throw ConnectionError(message, meaning.advice, std::string(where), std::move(detail));
    case ErrorKind::validation:
      throw ValidationError(message, std::string(where), std::move(detail));
    case ErrorKind::auth:
      throw AuthError(message, std::string(where), std::move(detail));
    case ErrorKind::streaming:
      throw StreamingError(message, meaning.kind, meaning.advice, std::string(where),
                           std::move(detail));
    default:
      throw Error(meaning.kind, message, meaning.advice, std::string(where), std::move(detail));
  }
}

bool ends_connection(unsigned code) noexcept {
  return (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) || connection_meaning(code).has_value();
}

}  // namespace ustream::mysql
