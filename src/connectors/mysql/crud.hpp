// Reading and writing rows on one connection.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ustream/connector.hpp"
#include "ustream/sql_dialect.hpp"

#include "connectors/mysql/pool.hpp"
#include "connectors/mysql/result_row.hpp"

namespace ustream::mysql {

/// Whether rows are handed out while the connection still sends them, or after all of them came:
/// then the callback may use the connection.
enum class RowDelivery : std::uint8_t { streamed, gathered };

/// The operations of Crud and Query on one connection, without positions. A definition that turns
/// out to be of before an ALTER TABLE is read again, once. Throws as Crud and Query do. Not
/// thread-safe.
class RowAccess {
 public:
  explicit RowAccess(Connection& connection, RowDelivery delivery = RowDelivery::streamed)
      : connection_(connection), delivery_(delivery) {}

  [[nodiscard]] std::optional<Document> read(std::string_view collection, std::string_view key);
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode);
  DeleteResult remove(std::string_view collection, std::string_view key);
  void query(std::string_view collection, const QueryOptions& options, const RowCallback& row);
  [[nodiscard]] std::uint64_t count(std::string_view collection, const Filter& filter);

  /// Rows were handed out by query(): it must not be begun again.
  [[nodiscard]] bool delivered() const noexcept { return delivered_; }

 private:
  template <class Body>
  auto with_table(std::string_view collection, const Body& body);
  void stream(const TablePtr& table, const std::string& sql,
              const std::vector<std::size_t>& columns, const RowCallback& row);
  /// A query as a statement, whose parameters are bound.
  struct Select {
    std::string sql;
    std::vector<std::size_t> columns;  // what it fetches
    std::vector<std::size_t> shown;    // what the caller sees
    bool is_exact = false;             // the filter is all in it
    bool is_sorted = false;
    [[nodiscard]] bool in_sql() const noexcept { return is_exact && is_sorted; }
  };
  [[nodiscard]] Select prepare_select(const Table& table, const QueryOptions& options,
                                      const SqlDialect& dialect);
  void stream_checked(const TablePtr& table, const Select& select, const QueryOptions& options,
                      const RowCallback& row);
  void query_table(const TablePtr& table, const QueryOptions& options, const RowCallback& row);
  [[nodiscard]] std::optional<Key> own_key(const TablePtr& table, const Key& key);
  [[nodiscard]] std::string key_text(const TablePtr& table, const Key& key, std::string_view given);

  WriteResult write_row(const TablePtr& table, std::string_view key, const Value::Object& data,
                        WriteMode mode);
  WriteResult insert_generated(const TablePtr& table, const Value::Object& data);

  Connection& connection_;
  RowDelivery delivery_;
  Parameters parameters_;
  bool delivered_ = false;
  std::vector<std::string> reloaded_;  // tables that this access has read anew
};

/// One column of a row that is written.
struct Assignment {
  std::size_t column = 0;
  const Value* value = nullptr;
};

/// The columns that `data` sets, in its order, without those of the key when there is one. Throws
/// ValidationError for an unknown or generated column, and for a key in `data` that is not `key`.
[[nodiscard]] std::vector<Assignment> assignments(const Table& table, const Key& key,
                                                  const Value::Object& data);
/// Adds the key's parts for "WHERE key"; false when no row can have this key.
[[nodiscard]] bool bind_key(Parameters& parameters, const Table& table, const Key& key);
/// Same for a row that is written: throws ValidationError when no row can have this key.
void bind_key_to_write(Parameters& parameters, const Table& table, const Key& key);
/// Whether a row that is found by this key has this very key: no collation, rounding or other
/// spelling lies between.
[[nodiscard]] bool is_own_key(const Table& table, const Key& key) noexcept;
/// "`a`,`b`" of the columns.
[[nodiscard]] std::string column_list(const Table& table, const std::vector<std::size_t>& columns);
/// " WHERE `a`=? AND `b`=?" of the key.
[[nodiscard]] std::string where_key(const Table& table);
/// Sets a column to what it is when a row is inserted without it: "`c`=DEFAULT".
[[nodiscard]] std::string reset_column(const TableColumn& column);

}  // namespace ustream::mysql
