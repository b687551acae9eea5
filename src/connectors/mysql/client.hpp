// Client: one connection to a MySQL or MariaDB server, over MariaDB's client library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mysql.h>

#include "base/unique_fd.hpp"
#include "connectors/mysql/options.hpp"
#include "connectors/mysql/server_error.hpp"

namespace ustream::mysql {

/// Which server answers.
struct ServerInfo {
  bool is_mariadb = false;
  std::uint32_t version = 0;  ///< 101106 is 10.11.6, 80400 is 8.4.0
  std::string version_text;   ///< as the server tells it
};

/// Rows as text; a null is nullopt.
using TextRow = std::vector<std::optional<std::string>>;
using TextRows = std::vector<TextRow>;

/// How many bytes of a value a session sorts by: more than the longest key has.
inline constexpr std::uint64_t kMaxSortLength = 4096;

/// A session that is set up the same way for every use: utf8mb4, UTC, strict mode, autocommit; lock
/// waits end before the call's timeout. An UPDATE counts the rows it found.
///
/// Thread rule: one thread at a time, cancel() excepted. Every call blocks, at most the timeout of
/// the options for each answer.
class Client {
 public:
  /// Connects. Throws ConnectionError, AuthError, or ValidationError when there is no such
  /// database; what() says what to do.
  explicit Client(const Options& options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Runs one statement that gives no rows. Returns the number of rows it found (UPDATE) or
  /// changed.
  std::uint64_t execute(std::string_view sql);
  /// Runs one statement and returns all its rows.
  [[nodiscard]] TextRows query(std::string_view sql);
  /// First column of the first row; nullopt when there is none or it is null.
  [[nodiscard]] std::optional<std::string> query_value(std::string_view sql);
  /// A cheap round trip. Throws ConnectionError.
  void ping();
  /// Ends a call that another thread is blocked in, and every call after it: they throw
  /// ConnectionError. Any thread, as long as the client lives.
  void cancel() noexcept;

  /// Gives the connection up, with whatever the server is still sending. Own thread.
  void abandon() noexcept;
  /// Whether the server may have ended the connection while nothing was asked of it. Asks nobody.
  [[nodiscard]] bool is_stale() const noexcept;

  [[nodiscard]] MYSQL* handle() const noexcept { return handle_.get(); }
  [[nodiscard]] const ServerInfo& server() const noexcept { return server_; }
  /// False after an error which says that the connection is gone.
  [[nodiscard]] bool usable() const noexcept { return usable_; }
  [[nodiscard]] bool in_transaction() const noexcept {
    return (handle_->server_status & SERVER_STATUS_IN_TRANS) != 0;
  }
  /// The error number of the last call that failed.
  [[nodiscard]] unsigned last_error() const noexcept { return last_error_; }
  /// "mysql://host:port/database", without secrets.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }

  /// Throws the typed error for the handle's last error and remembers it.
  [[noreturn]] void fail();
  /// The same for an error that came by another way (a statement's).
  [[noreturn]] void fail(const ServerError& error);

 private:
  void apply(const Options& options);
  void connect(const Options& options);
  void set_up_session(const Options& options);

  struct Close {
    void operator()(MYSQL* handle) const noexcept { mysql_close(handle); }
  };
  std::string where_;
  std::unique_ptr<MYSQL, Close> handle_;
  /// The socket once more: cancel() may use it while the library closes its own.
  base::UniqueFd socket_;
  ServerInfo server_;
  unsigned last_error_ = 0;
  bool usable_ = true;
};

/// `name` in backticks, backticks doubled.
[[nodiscard]] std::string quote_identifier(std::string_view name);
/// 'text' as a literal of a session of Client: quotes and backslashes doubled.
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace ustream::mysql
