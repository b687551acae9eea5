#include "connectors/mysql/client.hpp"

#include <algorithm>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

using std::chrono::milliseconds;

/// mysql_init() would do this by itself, but not when two threads connect at once.
void initialize_library() {
  static const int kResult = mysql_server_init(0, nullptr, nullptr);
  if (kResult != 0) {
    throw Error(ErrorKind::internal, "MariaDB's client library cannot be initialized");
  }
}

/// Per-thread data of the library: made at a thread's first call, freed when the thread ends.
void initialize_thread() {
  struct ThreadData {
    ThreadData() noexcept { mysql_thread_init(); }
    ThreadData(const ThreadData&) = delete;
    ThreadData& operator=(const ThreadData&) = delete;
    ~ThreadData() { mysql_thread_end(); }
  };
  thread_local const ThreadData kData;
}

/// Seconds. The server ends a wait for a lock before its answer is given up on, which costs the
/// connection.
constexpr unsigned kGrace = 5;

unsigned whole_seconds(milliseconds time) {
  return static_cast<unsigned>((time.count() + 999) / 1000);
}

ServerInfo server_info(MYSQL* handle) {
  ServerInfo info;
  const char* text = mysql_get_server_info(handle);
  info.version_text = text == nullptr ? "" : text;
  info.is_mariadb =
      mariadb_connection(handle) != 0 || info.version_text.find("MariaDB") != std::string::npos;
  info.version = static_cast<std::uint32_t>(mysql_get_server_version(handle));
  return info;
}

struct FreeResult {
  void operator()(MYSQL_RES* result) const noexcept { mysql_free_result(result); }
};
using ResultPtr = std::unique_ptr<MYSQL_RES, FreeResult>;

std::string quoted(std::string_view text, char quote, std::string_view doubled) {
  std::string result(1, quote);
  for (const char c : text) {
    if (doubled.find(c) != std::string_view::npos) {
      result += c;
    }
    result += c;
  }
  return result += quote;
}

}  // namespace

Client::Client(const Options& options) : where_(options.display()) {
  initialize_library();
  initialize_thread();
  handle_.reset(mysql_init(nullptr));
  if (!handle_) {
    throw Error(ErrorKind::internal, "out of memory", RetryAdvice::retry, where_);
  }
  apply(options);
  connect(options);
  socket_.reset(::fcntl(mysql_get_socket(handle()), F_DUPFD_CLOEXEC, 0));
  server_ = server_info(handle());
  set_up_session(options);
}

Client::~Client() = default;

void Client::apply(const Options& options) {
  const auto set = [&](mysql_option option, const void* value) {
    mysql_optionsv(handle(), option, value);
  };
  const unsigned connect_timeout = whole_seconds(options.connect_timeout);
  const unsigned timeout = whole_seconds(options.timeout) + kGrace;
  set(MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  set(MYSQL_OPT_READ_TIMEOUT, &timeout);
  set(MYSQL_OPT_WRITE_TIMEOUT, &timeout);
  set(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const unsigned no_files = 0;  // a server may ask for any file of ours otherwise
  set(MYSQL_OPT_LOCAL_INFILE, &no_files);
  const my_bool no = 0;
  set(MYSQL_OPT_RECONNECT, &no);
  // TLS below `required` may be stripped by whoever stands between, who then gives a key of his
  // own.
  if (!options.get_server_public_key && options.tls < TlsMode::required) {
    set(MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,client_ed25519");
  }
  const bool is_local = !options.socket.empty() && options.tls == TlsMode::preferred;
  if (options.tls == TlsMode::off || is_local) {
    return;
  }
  const my_bool yes = 1;
  set(MYSQL_OPT_SSL_ENFORCE, &yes);
  if (!options.tls_ca.empty()) {
    set(MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
  } else if (options.tls == TlsMode::verify_ca) {
    set(MYSQL_OPT_SSL_CAPATH, "/etc/ssl/certs");  // with none given the library checks none
  }
  if (!options.tls_cert.empty()) {
    set(MYSQL_OPT_SSL_CERT, options.tls_cert.c_str());
    set(MYSQL_OPT_SSL_KEY, options.tls_key.c_str());
  }
  if (options.tls == TlsMode::verify_identity) {
    set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
  }
}

void Client::connect(const Options& options) {
  const bool by_socket = !options.socket.empty();
  const unsigned protocol = by_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_optionsv(handle(), MYSQL_OPT_PROTOCOL, &protocol);
  if (mysql_real_connect(handle(), by_socket ? "localhost" : options.host.c_str(),
                         options.user.c_str(), options.password.c_str(), options.database.c_str(),
                         options.port, by_socket ? options.socket.c_str() : nullptr,
                         CLIENT_FOUND_ROWS) == nullptr) {
    fail();
  }
  // The library is satisfied without TLS when the server offers none.
  if (options.tls >= TlsMode::required && mysql_get_ssl_cipher(handle()) == nullptr) {
    throw ConnectionError(
        "the server offers no TLS; set it up there, or choose tls=preferred or tls=off",
        RetryAdvice::never, where_);
  }
}

void Client::set_up_session(const Options& options) {
  const std::string wait = std::to_string(whole_seconds(options.timeout));
  // A slow reader of rows may take its time: what it reads may be held back on purpose.
  execute(
      "SET SESSION time_zone='+00:00',autocommit=1,net_write_timeout=3600,"
      "sql_mode='STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,"
      "NO_ENGINE_SUBSTITUTION',sql_safe_updates=0,sql_select_limit=DEFAULT,"
      "max_sort_length=" +
      std::to_string(kMaxSortLength) + ",lock_wait_timeout=" + wait +
      ",innodb_lock_wait_timeout=" + wait);
}

std::uint64_t Client::execute(std::string_view sql) {
  initialize_thread();
  if (mysql_real_query(handle(), sql.data(), sql.size()) != 0) {
    fail();
  }
  const ResultPtr result(mysql_store_result(handle()));
  const auto rows = mysql_affected_rows(handle());
  return rows == MYSQL_COUNT_ERROR ? 0 : rows;
}

TextRows Client::query(std::string_view sql) {
  initialize_thread();
  if (mysql_real_query(handle(), sql.data(), sql.size()) != 0) {
    fail();
  }
  const ResultPtr result(mysql_store_result(handle()));
  if (!result) {
    if (mysql_errno(handle()) != 0) {
      fail();
    }
    return {};
  }
  TextRows rows;
  const unsigned columns = mysql_num_fields(result.get());
  while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    TextRow& cells = rows.emplace_back();
    cells.reserve(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] == nullptr) {
        cells.emplace_back();
      } else {
        cells.emplace_back(std::string(row[i], lengths[i]));
      }
    }
  }
  return rows;
}

std::optional<std::string> Client::query_value(std::string_view sql) {
  TextRows rows = query(sql);
  return rows.empty() || rows.front().empty() ? std::nullopt : std::move(rows.front().front());
}

void Client::ping() {
  initialize_thread();
  if (mysql_ping(handle()) != 0) {
    fail();
  }
}

void Client::cancel() noexcept {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

void Client::abandon() noexcept {
  usable_ = false;
  // A server that is told in the ordinary way goes on writing for a while, and holds its locks.
  const linger reset{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  cancel();
}

bool Client::is_stale() const noexcept {
  // What can be read now is the end of the connection, or an error that ends it.
  pollfd socket{socket_.get(), POLLIN, 0};
  return !usable_ || ::poll(&socket, 1, 0) != 0;
}

void Client::fail() {
  fail({mysql_errno(handle()), mysql_sqlstate(handle()), mysql_error(handle())});
}

void Client::fail(const ServerError& error) {
  last_error_ = error.code;
  usable_ = usable_ && !ends_connection(error.code);
  throw_mysql_error(error, where_);
}

std::string quote_identifier(std::string_view name) {
  return quoted(name, '`', "`");
}

std::string quote_literal(std::string_view text) {
  return quoted(text, '\'', "'\\");
}

}  // namespace ustream::mysql
