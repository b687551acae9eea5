// Many writes and deletes on one connection: operations of the same form share a statement.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ustream/connector.hpp"

#include "connectors/sqlite/crud.hpp"

namespace ustream::sqlite {

/// Runs operations inside the transaction that its connection has open. One thread at a time.
///
/// Merges with a key that follow each other, of one collection and with the same fields, become one
/// upsert of several rows: SQLite keeps an undo journal for every statement that fires triggers,
/// and copies the pages it changes into it. When such a statement fails, nothing of it is left, and
/// its operations are run one by one, so that each failure is told of the operation that it is.
class BulkWriter {
 public:
  /// `operations` is kept, not copied; `report` gets what was done and what failed.
  BulkWriter(Connection& connection, const std::vector<BulkOperation>& operations,
             BulkReport& report)
      : connection_(connection), access_(connection), operations_(operations), report_(report) {}

  /// Throws what ended the transaction; other errors are failures in the report.
  void run(std::size_t begin, std::size_t end);

 private:
  /// What a field of the data is to the statement.
  struct Field {
    std::string name;
    std::size_t column = 0;
    std::optional<std::size_t> key_part;  ///< set for a key column: it must repeat the key's value
  };
  /// The upsert for operations of one form.
  struct Form {
    std::string collection;
    std::vector<Field> fields;
    TablePtr table;  ///< null: no operation of this form can be an upsert
    std::string head;
    std::string row;
    std::string tail;
    Statement* one = nullptr;
    Statement* full = nullptr;
  };
  struct Waiting {
    std::size_t index;
    Key key;
  };

  void add(std::size_t index);
  [[nodiscard]] bool has_form(const BulkOperation& operation) const;
  void set_form(const BulkOperation& operation);
  void check_key(const BulkOperation& operation, const Key& key) const;
  void flush();
  void flush_together();
  /// The values of `count` operations from `first` on.
  void bind(Statement& statement, std::size_t first, std::size_t count);
  /// Adds to `done` how many of the rows were done, also when it throws.
  void run(Statement& statement, std::size_t rows, std::size_t& done);
  [[nodiscard]] Statement& statement_for(std::size_t rows);
  void run_singly(std::size_t index);
  void fail(std::size_t index, const Error& error);

  Connection& connection_;
  RowAccess access_;
  const std::vector<BulkOperation>& operations_;
  BulkReport& report_;
  Form form_;
  std::vector<Waiting> waiting_;
};

}  // namespace ustream::sqlite
