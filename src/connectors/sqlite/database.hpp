// Thin owners of SQLite's handles, and the one place where its result codes become typed errors.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include "ustream/error.hpp"
#include "ustream/value.hpp"

namespace ustream::sqlite {

/// A prepared statement. One thread at a time, like its connection, which must outlive it.
class Statement {
 public:
  Statement() noexcept = default;
  Statement(sqlite3* database, std::string_view sql, bool persistent = true);

  /// Whether SQLite copies text and bytes, or they stay where they are until the next reset().
  enum class Text : std::uint8_t { copied, kept };

  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view text, Text lifetime = Text::copied);
  void bind_null(int index);
  /// Binds any value that SQLite can hold exactly; throws ValidationError for others, naming
  /// `what`.
  void bind_value(int index, const ValueView& value, std::string_view what,
                  Text lifetime = Text::copied);

  /// True when a row is there, false when done. Throws on errors.
  [[nodiscard]] bool step();
  /// Runs to the end, for statements without rows.
  void run();
  void reset() noexcept;

  [[nodiscard]] int column_count() const noexcept { return sqlite3_column_count(handle_.get()); }
  [[nodiscard]] std::int64_t int64(int column) const noexcept {
    return sqlite3_column_int64(handle_.get(), column);
  }
  [[nodiscard]] bool is_null(int column) const noexcept {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  /// Valid until the next step or reset.
  [[nodiscard]] std::string_view text(int column) const noexcept;
  /// Null, int64, float64, string or bytes by the storage class; valid until the next step or
  /// reset.
  [[nodiscard]] ValueView value(int column) const noexcept;
  [[nodiscard]] sqlite3_stmt* handle() const noexcept { return handle_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// Resets a statement when the scope ends, so that no read transaction stays open by accident.
class ResetGuard {
 public:
  explicit ResetGuard(Statement& statement) noexcept : statement_(statement) {}
  ~ResetGuard() { statement_.reset(); }
  ResetGuard(const ResetGuard&) = delete;
  ResetGuard& operator=(const ResetGuard&) = delete;

 private:
  Statement& statement_;
};

enum class Access : std::uint8_t { read_only, read_write, create };
/// What a connection is made ready for: firing triggers takes memory of its own.
enum class Workload : std::uint8_t { reading, writing };

/// Which file a path leads to. An open connection goes on with its own file when another takes the
/// path, and what it writes then is lost, so whoever keeps a connection compares.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  ///< 0: no file
  [[nodiscard]] static FileIdentity of(const std::string& path) noexcept;
  bool operator==(const FileIdentity&) const = default;
};

/// One connection. Used by one thread at a time (SQLite's multi-thread mode).
class Database {
 public:
  /// Throws ConnectionError when the file is missing, is no database, or may not be opened.
  Database(const std::string& path, Access access, std::chrono::milliseconds busy_timeout,
           Workload workload = Workload::reading);

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  /// Runs SQL text of our own making; never one with values in it.
  void execute(const std::string& sql);
  /// A statement kept for the connection's life, found by its text. The guard of its user must
  /// reset it.
  [[nodiscard]] Statement& cached(std::string_view sql);
  /// First column of the first row; `otherwise` when there is none.
  [[nodiscard]] std::int64_t query_int64(std::string_view sql, std::int64_t otherwise = 0);
  [[nodiscard]] std::string query_text(std::string_view sql);
  [[nodiscard]] std::int64_t changes() const noexcept { return sqlite3_changes64(handle()); }
  [[nodiscard]] std::int64_t last_insert_rowid() const noexcept {
    return sqlite3_last_insert_rowid(handle());
  }
  [[nodiscard]] bool in_transaction() const noexcept {
    return sqlite3_get_autocommit(handle()) == 0;
  }
  [[nodiscard]] bool read_only() const noexcept {
    return sqlite3_db_readonly(handle(), "main") == 1;
  }

  /// How long calls wait for another's lock from now on.
  void set_busy_timeout(std::chrono::milliseconds timeout) noexcept { busy_->timeout = timeout; }

 private:
  /// SQLite's own busy timeout sleeps longer and longer, so it loses against a writer that commits
  /// without pause; short random sleeps meet one of the gaps.
  struct BusyWait {
    std::chrono::milliseconds timeout{0};
    std::chrono::steady_clock::time_point since;
    std::uint32_t random = 1;
    static int wait(void* self, int count) noexcept;
  };
  std::unique_ptr<BusyWait> busy_ = std::make_unique<BusyWait>();
  struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  // Declared after the handle: statements must go before their connection.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Statement, Hash, std::equal_to<>> statements_;
};

/// A transaction that rolls back unless it was committed.
class TransactionScope {
 public:
  enum class Kind : std::uint8_t { read, write };
  TransactionScope(Database& database, Kind kind);
  ~TransactionScope();
  TransactionScope(const TransactionScope&) = delete;
  TransactionScope& operator=(const TransactionScope&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

/// Keeps the undo journals of statements in memory while it lives; beyond 64 KB SQLite would make a
/// file for each statement. Not inside a transaction. Sorters and temporary tables are in memory
/// then, too, so this is for writing only.
class UndoInMemory {
 public:
  explicit UndoInMemory(Database& database);
  ~UndoInMemory();
  UndoInMemory(const UndoInMemory&) = delete;
  UndoInMemory& operator=(const UndoInMemory&) = delete;

 private:
  Database& database_;
};

/// `name` in double quotes, quotes doubled.
[[nodiscard]] std::string quote_identifier(std::string_view name);
/// 'text' with quotes doubled, for the places where SQLite takes no parameter (trigger bodies).
[[nodiscard]] std::string quote_literal(std::string_view text);

/// Throws the typed error for an extended result code of `database`.
[[noreturn]] void throw_sqlite_error(sqlite3* database, int code, std::string_view doing);

}  // namespace ustream::sqlite
