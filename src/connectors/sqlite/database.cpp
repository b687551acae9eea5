#include "connectors/sqlite/database.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include <sys/stat.h>

#include "ustream/json.hpp"

namespace ustream::sqlite {
namespace {

struct Meaning {
  ErrorKind kind;
  RetryAdvice advice;
  const char* message;
};

Meaning meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::busy, RetryAdvice::retry,
              "the database is locked by another writer; try again or raise busy_timeout"};
    case SQLITE_CONSTRAINT:
      return {ErrorKind::conflict, RetryAdvice::never,
              "a constraint of the table refuses this row"};
    case SQLITE_READONLY:
      return {ErrorKind::connection, RetryAdvice::never,
              "the database is read-only; make the file and its directory writable"};
    case SQLITE_CANTOPEN:
      return {ErrorKind::connection, RetryAdvice::retry,
              "the database file cannot be opened; check the path and its permissions"};
    case SQLITE_NOTADB:
      return {ErrorKind::connection, RetryAdvice::never,
              "the file is not a SQLite database (or is encrypted); check the path, or restore it "
              "from a "
              "backup"};
    case SQLITE_CORRUPT:
      return {
          ErrorKind::corrupt, RetryAdvice::never,
          "the database file is damaged; restore it from a backup, or try .recover of the sqlite3 "
          "shell"};
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorKind::auth, RetryAdvice::never, "access to the database is denied"};
    case SQLITE_FULL:
      return {ErrorKind::busy, RetryAdvice::retry, "the disk is full"};
    case SQLITE_IOERR:
      return {ErrorKind::connection, RetryAdvice::retry,
              "reading or writing the database file failed"};
    case SQLITE_MISMATCH:
      return {ErrorKind::validation, RetryAdvice::never,
              "a value has the wrong type for its column"};
    case SQLITE_TOOBIG:
      return {ErrorKind::validation, RetryAdvice::never, "a value or statement is too large"};
    case SQLITE_INTERRUPT:
      return {ErrorKind::busy, RetryAdvice::retry, "the call was interrupted"};
    case SQLITE_NOMEM:
      return {ErrorKind::internal, RetryAdvice::retry, "out of memory"};
    default:
      return {ErrorKind::internal, RetryAdvice::never, "SQLite refused the statement"};
  }
}

}  // namespace

void throw_sqlite_error(sqlite3* database, int code, std::string_view doing) {
  const Meaning meaning = meaning_of(code);
  const std::string detail = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  std::string message(meaning.message);
  // Constraint and statement texts name tables and columns, which the caller needs and already
  // knows.
  if (meaning.kind == ErrorKind::conflict || meaning.kind == ErrorKind::internal) {
    message += " (" + detail + ")";
  }
  switch (meaning.kind) {
    case ErrorKind::connection:
      throw ConnectionError(message, meaning.advice, std::string(doing), detail);
    case ErrorKind::validation:
      throw ValidationError(message, std::string(doing), detail);
    case ErrorKind::auth:
      throw AuthError(message, std::string(doing), detail);
    default:
      throw Error(meaning.kind, message, meaning.advice, std::string(doing), detail);
  }
}

Statement::Statement(sqlite3* database, std::string_view sql, bool persistent) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      persistent ? SQLITE_PREPARE_PERSISTENT : 0U, &raw, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) {
    throw_sqlite_error(database, code, "preparing a statement");
  }
}

namespace {

void check_bind(sqlite3_stmt* statement, int code) {
  if (code != SQLITE_OK) {
    throw_sqlite_error(sqlite3_db_handle(statement), code, "binding a parameter");
  }
}

}  // namespace

void Statement::bind(int index, std::int64_t value) {
  check_bind(handle(), sqlite3_bind_int64(handle(), index, value));
}

void Statement::bind(int index, std::string_view text, Text lifetime) {
  const auto destructor = lifetime == Text::kept ? SQLITE_STATIC : SQLITE_TRANSIENT;
  check_bind(handle(), sqlite3_bind_text64(handle(), index, text.empty() ? "" : text.data(),
                                           text.size(), destructor, SQLITE_UTF8));
}

void Statement::bind_null(int index) {
  check_bind(handle(), sqlite3_bind_null(handle(), index));
}

void Statement::bind_value(int index, const ValueView& value, std::string_view what,
                           Text lifetime) {
  const auto refuse = [&](const std::string& why) {
    throw ValidationError("SQLite cannot hold the value of '" + std::string(what) + "': " + why);
  };
  switch (value.type()) {
    case ValueType::null:
      return bind_null(index);
    case ValueType::boolean:
      return bind(index, std::int64_t{value.boolean() ? 1 : 0});
    case ValueType::int64:
      return bind(index, value.int64());
    case ValueType::uint64:
      if (value.uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        refuse("its integers end at 9223372036854775807; send it as a string");
      }
      return bind(index, static_cast<std::int64_t>(value.uint64()));
    case ValueType::float32:
    case ValueType::float64:
      if (std::isnan(value.float64())) {
        refuse("NaN would become null");
      }
      return check_bind(handle(), sqlite3_bind_double(handle(), index, value.float64()));
    case ValueType::decimal:
      refuse("this number does not fit a 64-bit integer or double exactly; send it as a string");
      return;
    case ValueType::string:
      if (!is_valid_utf8(value.text())) {
        refuse("the text is not valid UTF-8");
      }
      return bind(index, value.text(), lifetime);
    case ValueType::bytes:
      return check_bind(
          handle(),
          sqlite3_bind_blob64(handle(), index, value.text().empty() ? "" : value.text().data(),
                              value.text().size(),
                              lifetime == Text::kept ? SQLITE_STATIC : SQLITE_TRANSIENT));
    case ValueType::json:
      return bind(index, value.text(), lifetime);
    case ValueType::array:
    case ValueType::object:
      return bind(index, to_json(value));
    case ValueType::extended:
      refuse("type '" + value.extended().type + "' belongs to another database");
      return;
    default: {
      // Dates, times, UUIDs and ObjectIds are stored as the text that JSON shows, without its
      // quotes.
      const std::string quoted = to_json(value);
      return bind(index, std::string_view(quoted).substr(1, quoted.size() - 2));
    }
  }
}

bool Statement::step() {
  const int code = sqlite3_step(handle());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  sqlite3* database = sqlite3_db_handle(handle());
  const int extended = sqlite3_extended_errcode(database);
  try {
    throw_sqlite_error(database, extended, "running a statement");
  } catch (...) {
    reset();
    throw;
  }
}

void Statement::run() {
  const ResetGuard guard(*this);
  while (step()) {
  }
}

void Statement::reset() noexcept {
  if (handle_) {
    sqlite3_reset(handle());
  }
}

std::string_view Statement::text(int column) const noexcept {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle(), column));
  if (bytes == nullptr) {
    return {};
  }
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
}

ValueView Statement::value(int column) const noexcept {
  // Each sqlite3_column_… looks the column up again and takes a lock; the value's own functions do
  // not, and may be used as long as its connection has one thread.
  sqlite3_value* const cell = sqlite3_column_value(handle(), column);
  switch (sqlite3_value_type(cell)) {
    case SQLITE_INTEGER:
      return ValueView::of(std::int64_t{sqlite3_value_int64(cell)});
    case SQLITE_FLOAT:
      return ValueView::of(sqlite3_value_double(cell));
    case SQLITE_TEXT: {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(cell));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(cell));
      return ValueView::of_text(ValueType::string, {bytes == nullptr ? "" : bytes, size});
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(cell));
      const auto size = static_cast<std::size_t>(sqlite3_value_bytes(cell));
      return ValueView::of_text(ValueType::bytes, {bytes == nullptr ? "" : bytes, size});
    }
    default:
      return {};
  }
}

FileIdentity FileIdentity::of(const std::string& path) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return {};
  }
  return {status.st_dev, status.st_ino};
}

Database::Database(const std::string& path, Access access, std::chrono::milliseconds busy_timeout,
                   Workload workload) {
  std::error_code error;
  if (access != Access::create && !std::filesystem::exists(path, error)) {
    throw ConnectionError(
        "there is no file '" + path + "'; check the path, or create it first with ?create=true",
        RetryAdvice::never, "sqlite:" + path);
  }
  if (std::filesystem::is_directory(path, error)) {
    throw ConnectionError("'" + path + "' is a directory, not a database file", RetryAdvice::never,
                          "sqlite:" + path);
  }
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (access == Access::create) {
    flags |= SQLITE_OPEN_CREATE;
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) {
    throw_sqlite_error(raw, code, "sqlite:" + path);
  }
  if (workload == Workload::writing) {
    // What a trigger's run takes is larger than SQLite's own slots (1200 bytes), and beyond them
    // each allocation takes a lock of the whole process. Where it is refused the default stays.
    constexpr int kSlotBytes = 4096;
    constexpr int kSlots = 64;
    (void)sqlite3_db_config(raw, SQLITE_DBCONFIG_LOOKASIDE, nullptr, kSlotBytes, kSlots);
  }
  busy_->timeout = busy_timeout;
  sqlite3_busy_handler(raw, &BusyWait::wait, busy_.get());
}

int Database::BusyWait::wait(void* self, int count) noexcept {
  auto& busy = *static_cast<BusyWait*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (count == 0) {
    busy.since = now;
    busy.random ^= static_cast<std::uint32_t>(now.time_since_epoch().count());
  }
  if (now - busy.since >= busy.timeout) {
    return 0;
  }
  busy.random = busy.random * 1'664'525U + 1'013'904'223U;
  std::this_thread::sleep_for(std::chrono::microseconds(100 + (busy.random >> 16U) % 900));
  return 1;
}

void Database::execute(const std::string& sql) {
  if (const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
      code != SQLITE_OK) {
    throw_sqlite_error(handle(), sqlite3_extended_errcode(handle()), "running a statement");
  }
}

Statement& Database::cached(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    return found->second;
  }
  // Filters of any shape come through here, so the cache is bounded; a plain flush is enough for a
  // bound never met.
  constexpr std::size_t kMaxStatements = 256;
  if (statements_.size() >= kMaxStatements && !in_transaction()) {
    statements_.clear();
  }
  return statements_.emplace(std::string(sql), Statement(handle(), sql)).first->second;
}

std::int64_t Database::query_int64(std::string_view sql, std::int64_t otherwise) {
  Statement& statement = cached(sql);
  const ResetGuard guard(statement);
  return statement.step() && !statement.is_null(0) ? statement.int64(0) : otherwise;
}

std::string Database::query_text(std::string_view sql) {
  Statement& statement = cached(sql);
  const ResetGuard guard(statement);
  return statement.step() ? std::string(statement.text(0)) : std::string();
}

TransactionScope::TransactionScope(Database& database, Kind kind) : database_(database) {
  database_.cached(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN").run();
}

TransactionScope::~TransactionScope() {
  // SQLite itself rolls back on some errors, so ask before doing it.
  if (open_ && database_.in_transaction()) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void TransactionScope::commit() {
  database_.cached("COMMIT").run();
  open_ = false;
}

UndoInMemory::UndoInMemory(Database& database) : database_(database) {
  // Takes effect when it is prepared, so it cannot be a statement that is kept.
  database_.execute("PRAGMA temp_store = MEMORY");
}

UndoInMemory::~UndoInMemory() {
  sqlite3_exec(database_.handle(), "PRAGMA temp_store = DEFAULT", nullptr, nullptr, nullptr);
}

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    result += c;
    if (c == quote) {
      result += quote;
    }
  }
  return result += quote;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}
std::string quote_literal(std::string_view text) {
  return quoted(text, '\'');
}

}  // namespace ustream::sqlite
