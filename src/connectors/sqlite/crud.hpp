// Reading and writing rows on one connection; shared by single calls, bulks and transactions.
#pragma once

#include <string_view>

#include "ustream/connector.hpp"

#include "connectors/sqlite/pool.hpp"

namespace ustream::sqlite {

/// Each call runs inside the transaction that its connection has open. One thread at a time; lives
/// for one call or one transaction.
class RowAccess {
 public:
  explicit RowAccess(Connection& connection) : connection_(connection) {}

  [[nodiscard]] std::optional<Document> read(std::string_view collection, std::string_view key);
  /// The result has no position: that is known at the end of the transaction.
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode);
  DeleteResult remove(std::string_view collection, std::string_view key);
  void query(std::string_view collection, const QueryOptions& options, const RowCallback& row);
  [[nodiscard]] std::uint64_t count(std::string_view collection, const Filter& filter);
  /// Its definition, looked up anew only when it is another than the last: within one call or one
  /// transaction of ours no definition changes. Throws ValidationError when there is none.
  [[nodiscard]] TablePtr table(std::string_view collection);

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

  Connection& connection_;
  TablePtr last_;
};

/// A key column in the data says something else than the key.
[[noreturn]] void throw_other_key(const std::string& column);

/// Text of a row that is not valid UTF-8.
struct BadText {
  std::string reason;  ///< names the column
  std::string raw;
};

/// Builds the document of a statement's current row, whose columns are `columns` of the table;
/// an empty one, and what was wrong, when a text is not valid UTF-8.
[[nodiscard]] Document row_document(Statement& select, const Table& table,
                                    const std::vector<std::size_t>& columns, RowStorage& storage,
                                    std::optional<BadText>& bad);
/// The same; throws Error(corrupt) when a text is not valid UTF-8.
[[nodiscard]] Document row_document(Statement& select, const Table& table,
                                    const std::vector<std::size_t>& columns, RowStorage& storage);

}  // namespace ustream::sqlite
