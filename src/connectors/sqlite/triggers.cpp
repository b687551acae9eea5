// Three rules shape this SQL:
//  1. The user's ALTER TABLE … DROP COLUMN must go on working, and SQLite refuses it while a
//  trigger names the column as
//     NEW.x or OLD.x. So a row is read by unqualified names from `t NATURAL LEFT JOIN pad`: a
//     dropped column's name then means the pad's (NULL). The pad's key makes the planner leave the
//     join out as long as nothing was dropped. Where the row is gone (OLD), the name is written as
//     (SELECT OLD."x") inside a FROM item that is itself called OLD, which takes over once the real
//     OLD has no such column. Key columns cannot be dropped and are named plainly.
//  2. What is logged is what the row became: a user's own trigger may have changed it before ours
//  ran.
//  3. REPLACE evicts rows without firing delete triggers unless recursive_triggers is on in the
//  writer's connection, so rows
//     that stand in the way are logged beforehand as candidates.
#include "connectors/sqlite/triggers.hpp"

#include <algorithm>

namespace ustream::sqlite {
namespace {

class Writer {
 public:
  Writer(const Table& table, std::int64_t shape_id)
      : table_(table), shape_id_(shape_id), name_(quote_identifier(table.schema->collection())) {}

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> all() const {
    std::vector<std::pair<std::string, std::string>> result;
    const auto add = [&](const char* suffix, const std::string& rest) {
      std::string name = std::string(kOwnPrefix) + std::to_string(shape_id_) + "_" + suffix;
      std::string sql = "CREATE TRIGGER " + name + " " + rest;
      result.emplace_back(std::move(name), std::move(sql));
    };
    if (!table_.uniques.empty()) {
      add("x", "BEFORE INSERT ON " + name_ + " WHEN " + conflict_exists() + " BEGIN " +
                   candidates({}) + " END");
      add("y", "BEFORE UPDATE OF " + unique_columns() + " ON " + name_ + " BEGIN " +
                   candidates(" AND NOT (" + same_row("OLD") + ")") + " END");
    }
    add("c", "AFTER INSERT ON " + name_ + " BEGIN " + row_now(LogOp::inserted, same_row("NEW")) +
                 " END");
    add("u", "AFTER UPDATE ON " + name_ + " BEGIN " + row_before(LogOp::before) + " " +
                 row_now(LogOp::after, same_row("NEW")) + " END");
    add("d", "AFTER DELETE ON " + name_ + " BEGIN " + row_before(LogOp::deleted) + " END");
    return result;
  }

 private:
  [[nodiscard]] const Column& column(std::size_t index) const {
    return table_.schema->columns()[index];
  }
  [[nodiscard]] std::size_t columns() const { return table_.schema->columns().size(); }

  [[nodiscard]] std::string kind(LogOp op) const {
    return std::to_string(shape_id_ * 8 + static_cast<std::int64_t>(op));
  }

  [[nodiscard]] std::string into_log() const {
    std::string sql = "INSERT INTO _ustream_log(kind,ts";
    for (std::size_t i = 0; i < columns(); ++i) {
      sql += ",c" + std::to_string(i);
    }
    return sql + ") ";
  }

  /// The row(s) of the table that satisfy `where`, as they are now.
  [[nodiscard]] std::string row_now(LogOp op, const std::string& where) const {
    std::string sql = into_log() + "SELECT " + kind(op) + ",julianday()";
    for (std::size_t i = 0; i < columns(); ++i) {
      sql += "," + quote_identifier(column(i).name);
    }
    return sql + " FROM " + name_ + " NATURAL LEFT JOIN " + pad_name(shape_id_) + " WHERE " +
           where + ";";
  }

  /// OLD, whole.
  [[nodiscard]] std::string row_before(LogOp op) const {
    std::string sql = into_log() + "SELECT " + kind(op) + ",julianday()";
    std::string fallback;
    for (std::size_t i = 0; i < columns(); ++i) {
      const std::string name = quote_identifier(column(i).name);
      if (table_.schema->is_key_column(i)) {
        sql += ",OLD." + name;
      } else {
        sql += ",(SELECT OLD." + name + ")";
        fallback += (fallback.empty() ? "NULL AS " : ",NULL AS ") + name;
      }
    }
    return fallback.empty() ? sql + ";" : sql + " FROM (SELECT " + fallback + ") AS OLD;";
  }

  /// The table's row that NEW or OLD is.
  [[nodiscard]] std::string same_row(const std::string& image) const {
    if (!table_.rowid_name.empty()) {
      return name_ + "." + table_.rowid_name + "=" + image + "." + table_.rowid_name;
    }
    return equal_on(table_.schema->key_columns(), image);
  }

  [[nodiscard]] std::string equal_on(const std::vector<std::size_t>& indexes,
                                     const std::string& image) const {
    std::string sql;
    for (const std::size_t index : indexes) {
      const std::string name = quote_identifier(column(index).name);
      sql += sql.empty() ? "" : " AND ";
      sql.append(name_).append(".").append(name).append("=").append(image).append(".").append(name);
    }
    return sql;
  }

  [[nodiscard]] bool is_rowid_key(const UniqueSet& set) const {
    return table_.has_rowid_key && set.columns == table_.schema->key_columns();
  }

  [[nodiscard]] std::string conflict_exists() const {
    std::string sql;
    for (const UniqueSet& set : table_.uniques) {
      sql += sql.empty() ? "" : " OR ";
      // In a BEFORE INSERT trigger the rowid reads -1 when SQLite is going to choose it: nothing
      // can stand in its way.
      if (is_rowid_key(set)) {
        sql += "NEW." + quote_identifier(column(set.columns.front()).name) + " IS NOT -1 AND ";
      }
      sql += "EXISTS(SELECT 1 FROM " + name_ + " WHERE " + equal_on(set.columns, "NEW") + ")";
    }
    return sql;
  }

  [[nodiscard]] std::string candidates(const std::string& further) const {
    std::string any;
    for (const UniqueSet& set : table_.uniques) {
      any += (any.empty() ? "(" : " OR (") + equal_on(set.columns, "NEW") + ")";
    }
    return row_now(LogOp::candidate, "(" + any + ")" + further);
  }

  [[nodiscard]] std::string unique_columns() const {
    std::vector<std::string> names;
    for (const UniqueSet& set : table_.uniques) {
      for (const std::size_t index : set.columns) {
        names.push_back(quote_identifier(column(index).name));
      }
    }
    // SET rowid = … does not count as SET of the column that is the rowid, so its other names are
    // listed too.
    if (table_.has_rowid_key) {
      for (const char* name : {"rowid", "_rowid_", "oid"}) {
        if (!table_.schema->find(name)) {
          names.emplace_back(name);
        }
      }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string sql;
    for (const std::string& name : names) {
      sql += (sql.empty() ? "" : ",") + name;
    }
    return sql;
  }

  const Table& table_;
  std::int64_t shape_id_;
  std::string name_;
};

/// A type name of the same affinity: datatype3.html, 3.1.
std::string affinity_name(std::string_view declared) {
  const std::string type = upper(declared);
  const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
  if (has("INT")) {
    return "INTEGER";
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return "TEXT";
  }
  if (type.empty() || has("BLOB")) {
    return "BLOB";
  }
  return has("REAL") || has("FLOA") || has("DOUB") ? "REAL" : "NUMERIC";
}

std::string key_collation(const Table& table, std::size_t column) {
  for (const UniqueSet& set : table.uniques) {
    if (set.columns != table.schema->key_columns()) {
      continue;
    }
    for (std::size_t i = 0; i < set.columns.size(); ++i) {
      if (set.columns[i] == column &&
          (set.collations[i] == "NOCASE" || set.collations[i] == "RTRIM")) {
        return " COLLATE " + set.collations[i];
      }
    }
  }
  return {};
}

}  // namespace

std::string pad_name(std::int64_t shape_id) {
  return std::string(kOwnPrefix) + "pad_" + std::to_string(shape_id);
}

std::string pad_table(const Table& table, std::int64_t shape_id) {
  std::string sql = "CREATE TABLE " + pad_name(shape_id) + "(";
  for (std::size_t i = 0; i < table.schema->columns().size(); ++i) {
    sql += (i == 0 ? "" : ",") + quote_identifier(table.schema->columns()[i].name);
    // The key has the same affinity and collation as the table's, so that the planner can leave the
    // join out.
    if (table.schema->is_key_column(i)) {
      sql +=
          " " + affinity_name(table.schema->columns()[i].declared_type) + key_collation(table, i);
    }
  }
  if (table.schema->has_key()) {
    sql += ",PRIMARY KEY(";
    bool first = true;
    for (const std::size_t index : table.schema->key_columns()) {
      sql += (first ? "" : ",") + quote_identifier(table.schema->columns()[index].name);
      first = false;
    }
    sql += ")";
  }
  return sql + ")" + (table.schema->has_key() && !table.has_rowid_key ? " WITHOUT ROWID" : "");
}

std::vector<std::pair<std::string, std::string>> capture_triggers(const Table& table,
                                                                  std::int64_t shape_id) {
  return Writer(table, shape_id).all();
}

}  // namespace ustream::sqlite
