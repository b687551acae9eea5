// What MySQL's and MariaDB's SQL can say of a filter: docs/query-language.md, "What goes into SQL".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/schema.hpp"
#include "ustream/sql_dialect.hpp"
#include "ustream/value.hpp"

#include "connectors/mysql/catalog.hpp"

namespace ustream::mysql {

/// Conditions on the columns of one table, by what the catalogue says of them. Text compares by its
/// bytes in UTF-8, whatever the collation: no folding of case, no padding with spaces. Numbers
/// compare exactly: a constant that the column's type cannot hold is replaced by its neighbour.
///
/// A column stands plain, so that its indexes serve, wherever the server's own comparison is exact;
/// equality of text names the plain column beside the exact comparison.
class MySqlDialect final : public SqlDialect {
 public:
  explicit MySqlDialect(TablePtr table) noexcept : table_(std::move(table)) {}

  [[nodiscard]] std::string quote(std::string_view name) const override;
  [[nodiscard]] std::string placeholder(std::size_t n) const override;
  [[nodiscard]] std::optional<SqlFragment> compare_sql(const Column& column,
                                                       std::string_view quoted, Comparison op,
                                                       const Value& value,
                                                       bool& exact) const override;
  [[nodiscard]] std::optional<SqlFragment> null_sql(const Column& column,
                                                    std::string_view quoted) const override;
  [[nodiscard]] std::optional<SqlFragment> in_sql(const Column& column, std::string_view quoted,
                                                  const std::vector<Value>& values,
                                                  bool& exact) const override;
  [[nodiscard]] std::optional<SqlFragment> like_sql(const Column& column, std::string_view quoted,
                                                    std::string_view pattern,
                                                    bool& exact) const override;
  [[nodiscard]] std::optional<std::string> order_sql(const Column& column, std::string_view quoted,
                                                     bool descending) const override;

 private:
  [[nodiscard]] const TableColumn* find(const Column& column) const noexcept;

  TablePtr table_;
};

}  // namespace ustream::mysql
