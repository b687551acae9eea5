// Many operations at once: statements of many rows, in few transactions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ustream/connector.hpp"

#include "connectors/mysql/crud.hpp"
#include "connectors/mysql/pool.hpp"

namespace ustream::mysql {

/// Runs one bulk on one connection. Neighbouring operations of one shape (collection, columns,
/// mode) become one statement; when that is refused, its operations are run one by one, so that
/// each failure is told with its own reason. What runs in one transaction is committed together or,
/// when the transaction cannot be committed, told as failed together. Not thread-safe.
class BulkWriter {
 public:
  BulkWriter(Connection& connection, const std::vector<BulkOperation>& operations)
      : connection_(connection), operations_(operations), access_(connection) {}

  /// Everything but the position of the report.
  [[nodiscard]] BulkReport run();

 private:
  enum class Form : std::uint8_t {
    single,  ///< by RowAccess
    upsert,  ///< INSERT … ON DUPLICATE KEY UPDATE: there is no other row that it could meet
    insert,  ///< plain, or an upsert when all the rows are there and locked
    remove
  };
  /// What the operations of a statement have in common.
  struct Shape {
    TablePtr table;
    Form form = Form::single;
    WriteMode mode = WriteMode::merge;
    bool has_key = false;
    std::vector<std::size_t> columns;  // of values, in order
    [[nodiscard]] bool operator==(const Shape&) const = default;
  };

  void run_chunk(std::size_t begin, std::size_t end);
  void run_transaction(std::size_t begin, std::size_t end);
  void add(std::size_t index);
  void add_bound(std::size_t index, const TablePtr& table);
  [[nodiscard]] Form form_of(const Table& table, const BulkOperation& operation,
                             const std::vector<Assignment>& values) const;
  void flush();
  void run_rows(std::size_t from, std::size_t count);
  void run_single(std::size_t index);
  [[nodiscard]] bool try_rows(Form form, std::size_t from, std::size_t count);
  [[nodiscard]] bool lock_rows(std::size_t from, std::size_t count);
  [[nodiscard]] std::string keys_condition(std::size_t rows) const;
  [[nodiscard]] std::string statement_text(Form form, std::size_t rows) const;
  void fail(std::size_t index, const Error& error);
  [[nodiscard]] bool ends_transaction(const Error& error) const;

  Connection& connection_;
  const std::vector<BulkOperation>& operations_;
  RowAccess access_;
  BulkReport report_;

  // The statement that is gathered: one set of parameters for each row.
  Shape shape_;
  std::vector<std::size_t> members_;
  std::vector<Parameters> rows_;  // kept for their memory; the first members_.size() count
  std::size_t bytes_ = 0;
  Parameters joined_;
  bool rows_exist_ = false;  // those of the statement before did
  std::vector<std::string> reloaded_;
};

}  // namespace ustream::mysql
