// Reading and writing rows on one connection; shared by single calls, bulks and transactions.
#pragma once

#include <string_view>

#include "ustream/connector.hpp"

#include "connectors/sqlite/pool.hpp"

namespace ustream::sqlite {

/// Each call runs inside the transaction that its connection has open. One thread at a time.
class RowAccess {
 public:
  explicit RowAccess(Connection& connection) : connection_(connection) {}

  [[nodiscard]] std::optional<Document> read(std::string_view collection, std::string_view key);
  /// The result has no position: that is known at the end of the transaction.
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode);
  /// As write() with a key, but does not find out whether the row was there, which saves a
  /// statement where an upsert can do: SQLite checks NOT NULL before it looks for the row, so the
  /// data must have every column that needs a value.
  void put(std::string_view collection, std::string_view key, const Value::Object& data,
           WriteMode mode);
  DeleteResult remove(std::string_view collection, std::string_view key);
  void query(std::string_view collection, const QueryOptions& options, const RowCallback& row);
  [[nodiscard]] std::uint64_t count(std::string_view collection, const Filter& filter);

 private:
  struct Assignment {
    std::size_t column;
    const Value* value;
  };
  [[nodiscard]] std::vector<Assignment> assignments(const Table& table, const Key& key,
                                                    const Value::Object& data) const;
  bool update(const Table& table, const Key& key, const std::vector<Assignment>& values);
  bool exists(const Table& table, const Key& key);
  void insert(const Table& table, const Key& key, const std::vector<Assignment>& values,
              WriteMode mode, WriteResult& result);

  /// The upsert of the last put(), found again when the next one is of the same form.
  struct UpsertPlan {
    TablePtr table;
    std::vector<std::size_t> columns;
    Statement* statement = nullptr;
  };
  Statement& upsert(const TablePtr& table, const std::vector<Assignment>& values);

  Connection& connection_;
  UpsertPlan plan_;
};

/// Builds the document of a statement's current row, whose columns are `columns` of the table (all
/// of them when empty). Throws Error(corrupt) when a text is not valid UTF-8.
[[nodiscard]] Document row_document(Statement& select, const Table& table,
                                    const std::vector<std::size_t>& columns, RowStorage& storage);

}  // namespace ustream::sqlite
