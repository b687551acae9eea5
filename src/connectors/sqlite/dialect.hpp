// What SQLite's SQL can say of a filter: docs/query-language.md, "What goes into SQL".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/schema.hpp"
#include "ustream/sql_dialect.hpp"
#include "ustream/value.hpp"

namespace ustream::sqlite {

/// How the database file stores text (PRAGMA encoding). Only UTF-8 orders text by its UTF-8 bytes,
/// so in a UTF-16 database what concerns text is left to the evaluator.
enum class TextEncoding : std::uint8_t { utf8, utf16 };

/// SQLite 3.32 and later. Values are compared by their storage class, whatever the column's
/// declared type: integers and reals are numbers, text is string, blobs are bytes; booleans, dates,
/// UUIDs, arrays and objects are never found.
///
/// A column stands plain wherever its affinity does not change the parameter it is compared with,
/// so that SQLite can use its indexes; else as +column. Text compares by COLLATE BINARY whatever
/// the column declares. Format of affinities: https://www.sqlite.org/datatype3.html, section 3.1.
class SqliteDialect final : public SqlDialect {
 public:
  explicit SqliteDialect(TextEncoding encoding = TextEncoding::utf8) noexcept
      : encoding_(encoding) {}

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
  TextEncoding encoding_;
};

}  // namespace ustream::sqlite
