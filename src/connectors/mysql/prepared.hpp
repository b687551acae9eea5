// Prepared statements: parameters in, raw rows of the binary protocol out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mysql.h>

#include "connectors/mysql/client.hpp"

namespace ustream::mysql {

/// The parameters of one run of a statement, in order. Owns their bytes; clear() keeps its memory.
class Parameters {
 public:
  void clear() noexcept {
    cells_.clear();
    bytes_.clear();
  }
  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  /// Of everything in it, about.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size() + cells_.size() * 9; }

  /// The first `count` of another's, behind its own.
  void append(const Parameters& others, std::size_t count = static_cast<std::size_t>(-1));
  void add_null() { cells_.push_back({MYSQL_TYPE_NULL}); }
  void add(std::int64_t number) { cells_.push_back({MYSQL_TYPE_LONGLONG, false, number}); }
  void add(std::uint64_t number) {
    cells_.push_back({MYSQL_TYPE_LONGLONG, true, static_cast<std::int64_t>(number)});
  }
  void add(double number);
  void add_text(std::string_view text) { add_bytes(MYSQL_TYPE_STRING, text); }
  void add_binary(std::string_view bytes) { add_bytes(MYSQL_TYPE_BLOB, bytes); }
  void add_decimal(std::string_view digits) { add_bytes(MYSQL_TYPE_NEWDECIMAL, digits); }

 private:
  friend class Statement;
  struct Cell {
    enum_field_types type = MYSQL_TYPE_NULL;
    bool is_unsigned = false;
    std::int64_t number = 0;  // or the bits of a double
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  void add_bytes(enum_field_types type, std::string_view bytes);

  std::vector<Cell> cells_;
  std::string bytes_;
};

/// One prepared statement of a client. At most one statement of a client has rows that are not read
/// yet. REQUIRES a client that outlives it. Same thread rule as the client. Every call may throw as
/// throw_mysql_error() does.
class Statement {
 public:
  Statement(Client& client, std::string_view sql);

  /// Runs it to its end. Returns the number of rows it found (UPDATE), changed or inserted.
  std::uint64_t run(const Parameters& parameters);
  /// Runs a statement that gives rows; fetch() reads them from the connection one by one.
  void open(const Parameters& parameters);
  /// The next row, as the binary protocol has it behind its first byte: the bitmap of nulls, then
  /// the values. Empty at the end of the rows. The bytes are valid until the next call, and may be
  /// followed by others: a row does not know its size.
  [[nodiscard]] std::string_view fetch();
  /// Ends the rows: reads the few that are left, else gives the connection up.
  void close_rows() noexcept;

  [[nodiscard]] unsigned field_count() const noexcept { return handle_->field_count; }
  /// REQUIRES open(): they are of this run.
  [[nodiscard]] const MYSQL_FIELD* fields() const noexcept { return handle_->fields; }
  /// The AUTO_INCREMENT value that the last run() made, or 0.
  [[nodiscard]] std::uint64_t insert_id() const noexcept {
    return mysql_stmt_insert_id(handle_.get());
  }

 private:
  void execute(const Parameters& parameters);
  [[noreturn]] void fail();

  struct Close {
    void operator()(MYSQL_STMT* handle) const noexcept { mysql_stmt_close(handle); }
  };
  Client* client_;
  std::unique_ptr<MYSQL_STMT, Close> handle_;
  std::vector<MYSQL_BIND> binds_;
  bool has_rows_ = false;
};

/// Ends a statement's rows, however its user leaves.
class RowsGuard {
 public:
  explicit RowsGuard(Statement& statement) noexcept : statement_(statement) {}
  RowsGuard(const RowsGuard&) = delete;
  RowsGuard& operator=(const RowsGuard&) = delete;
  ~RowsGuard() { statement_.close_rows(); }

 private:
  Statement& statement_;
};

/// The statements of one connection, found by their text. A statement stays until the next get().
class StatementCache {
 public:
  explicit StatementCache(Client& client) noexcept : client_(client) {}
  [[nodiscard]] Statement& get(std::string_view sql);
  void clear() noexcept { statements_.clear(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  Client& client_;
  std::unordered_map<std::string, Statement, Hash, std::equal_to<>> statements_;
};

}  // namespace ustream::mysql
