#include "connectors/mysql/catalog.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

constexpr std::uint32_t kBinaryCollation = 63;
constexpr std::string_view kTableTypes = "('BASE TABLE','SYSTEM VERSIONED')";

constexpr std::array kKinds{std::pair{"tinyint", ColumnKind::integer},
                            std::pair{"smallint", ColumnKind::integer},
                            std::pair{"mediumint", ColumnKind::integer},
                            std::pair{"int", ColumnKind::integer},
                            std::pair{"bigint", ColumnKind::integer},
                            std::pair{"float", ColumnKind::float32},
                            std::pair{"double", ColumnKind::float64},
                            std::pair{"decimal", ColumnKind::decimal},
                            std::pair{"bit", ColumnKind::bit},
                            std::pair{"year", ColumnKind::year},
                            std::pair{"date", ColumnKind::date},
                            std::pair{"time", ColumnKind::time},
                            std::pair{"datetime", ColumnKind::datetime},
                            std::pair{"timestamp", ColumnKind::timestamp},
                            std::pair{"char", ColumnKind::text},
                            std::pair{"varchar", ColumnKind::text},
                            std::pair{"tinytext", ColumnKind::text},
                            std::pair{"text", ColumnKind::text},
                            std::pair{"mediumtext", ColumnKind::text},
                            std::pair{"longtext", ColumnKind::text},
                            std::pair{"binary", ColumnKind::bytes},
                            std::pair{"varbinary", ColumnKind::bytes},
                            std::pair{"tinyblob", ColumnKind::bytes},
                            std::pair{"blob", ColumnKind::bytes},
                            std::pair{"mediumblob", ColumnKind::bytes},
                            std::pair{"longblob", ColumnKind::bytes},
                            std::pair{"enum", ColumnKind::enumeration},
                            std::pair{"set", ColumnKind::set},
                            std::pair{"json", ColumnKind::json},
                            std::pair{"uuid", ColumnKind::uuid},
                            std::pair{"inet4", ColumnKind::inet},
                            std::pair{"inet6", ColumnKind::inet},
                            std::pair{"vector", ColumnKind::vector},
                            std::pair{"geometry", ColumnKind::geometry},
                            std::pair{"point", ColumnKind::geometry},
                            std::pair{"linestring", ColumnKind::geometry},
                            std::pair{"polygon", ColumnKind::geometry},
                            std::pair{"multipoint", ColumnKind::geometry},
                            std::pair{"multilinestring", ColumnKind::geometry},
                            std::pair{"multipolygon", ColumnKind::geometry},
                            std::pair{"geometrycollection", ColumnKind::geometry},
                            std::pair{"geomcollection", ColumnKind::geometry}};

ColumnKind kind_of(std::string_view data_type) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const auto& kind) { return data_type == kind.first; });
  return found == kKinds.end() ? ColumnKind::other : found->second;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

template <class Number>
Number number_of(const std::optional<std::string>& text, Number otherwise = 0) {
  if (text) {
    std::from_chars(text->data(), text->data() + text->size(), otherwise);
  }
  return otherwise;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Where the columns of read_columns()' query stand.
constexpr std::size_t kName = 0;
constexpr std::size_t kDataType = 1;
constexpr std::size_t kColumnType = 2;
constexpr std::size_t kNullable = 3;
constexpr std::size_t kExtra = 4;
constexpr std::size_t kCharset = 5;
constexpr std::size_t kCollation = 6;
constexpr std::size_t kCollationId = 7;
constexpr std::size_t kTimeDigits = 8;
constexpr std::size_t kScale = 9;
constexpr std::size_t kPrecision = 10;
constexpr std::size_t kDefault = 11;
constexpr std::size_t kMaxLength = 12;

TableColumn column_of(const TextRow& row) {
  const auto text = [&](std::size_t at) { return row[at].value_or(std::string()); };
  TableColumn column;
  column.name = text(kName);
  column.data_type = lower(text(kDataType));
  column.column_type = text(kColumnType);
  column.kind = kind_of(column.data_type);
  column.is_unsigned = has(column.column_type, " unsigned");
  column.nullable = text(kNullable) == "YES";
  const std::string extra = lower(text(kExtra));
  // MySQL's "default_generated" is a default that is an expression.
  column.generated =
      has(extra, "virtual generated") || has(extra, "stored generated") || has(extra, "persistent");
  column.auto_increment = has(extra, "auto_increment");
  column.invisible = has(extra, "invisible");
  column.charset = text(kCharset);
  column.collation = text(kCollation);
  column.collation_id = number_of<std::uint32_t>(row[kCollationId], kBinaryCollation);
  column.digits = column.kind == ColumnKind::decimal ? number_of<std::uint8_t>(row[kScale])
                                                     : number_of<std::uint8_t>(row[kTimeDigits]);
  column.precision = number_of<std::uint8_t>(row[kPrecision]);
  if (column.kind == ColumnKind::enumeration || column.kind == ColumnKind::set) {
    column.labels = parse_labels(column.column_type);
  }
  column.max_length = number_of<std::uint64_t>(row[kMaxLength]);
  column.default_text = row[kDefault];
  return column;
}

/// The condition on a view of information_schema whose columns of schema and table are called so.
std::string of_table(std::string_view name, const char* schema_column = "TABLE_SCHEMA",
                     const char* table_column = "TABLE_NAME") {
  return std::string(" WHERE ") + schema_column + "=DATABASE() AND " + table_column + "=" +
         quote_literal(name);
}

std::vector<TableColumn> read_columns(Client& client, std::string_view name) {
  std::vector<TableColumn> columns;
  for (const TextRow& row : client.query(
           "SELECT c.COLUMN_NAME,c.DATA_TYPE,c.COLUMN_TYPE,c.IS_NULLABLE,c.EXTRA,"
           "c.CHARACTER_SET_NAME,c.COLLATION_NAME,"
           "(SELECT max(ID) FROM information_schema.COLLATIONS AS l "
           "WHERE l.COLLATION_NAME=c.COLLATION_NAME),"
           "c.DATETIME_PRECISION,c.NUMERIC_SCALE,c.NUMERIC_PRECISION,c.COLUMN_DEFAULT,"
           "c.CHARACTER_MAXIMUM_LENGTH "
           "FROM information_schema.COLUMNS AS c" +
           of_table(name, "c.TABLE_SCHEMA", "c.TABLE_NAME") + " ORDER BY c.ORDINAL_POSITION")) {
    columns.push_back(column_of(row));
  }
  if (client.server().is_mariadb) {
    for (const TextRow& row :
         client.query("SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS "
                      "WHERE CONSTRAINT_SCHEMA=DATABASE() AND TABLE_NAME=" +
                      quote_literal(name))) {
      for (TableColumn& column : columns) {
        if (row[0] == "json_valid(" + quote_identifier(column.name) + ")" &&
            column.data_type == "longtext") {
          column.data_type = "json";
          column.kind = ColumnKind::json;
        }
      }
    }
  }
  return columns;
}

/// Fills in the key and what other unique indexes there are.
std::vector<std::size_t> read_indexes(Client& client, std::string_view name, Table& table) {
  std::vector<std::size_t> key;
  for (const TextRow& row :
       client.query("SELECT INDEX_NAME,COLUMN_NAME FROM information_schema.STATISTICS" +
                    of_table(name) + " AND NON_UNIQUE=0 ORDER BY INDEX_NAME,SEQ_IN_INDEX")) {
    if (row[0] != "PRIMARY") {
      table.has_other_unique = true;
      continue;
    }
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(),
                     [&](const TableColumn& candidate) { return row[1] == candidate.name; });
    if (column != table.columns.end()) {
      key.push_back(static_cast<std::size_t>(column - table.columns.begin()));
    }
  }
  return key;
}

std::shared_ptr<Table> read_table(Client& client, std::string_view name, std::uint64_t version) {
  const TextRows tables =
      client.query("SELECT TABLE_NAME,CREATE_TIME FROM information_schema.TABLES" + of_table(name) +
                   " AND TABLE_TYPE IN " + std::string(kTableTypes));
  // The comparison may ignore case, but names of tables may not.
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const TextRow& row) { return row[0] == name; });
  if (found == tables.end()) {
    return nullptr;
  }
  auto table = std::make_shared<Table>();
  table->read_at = std::chrono::steady_clock::now();
  table->create_time = (*found)[1].value_or(std::string());
  table->columns = read_columns(client, name);
  std::vector<std::size_t> key = read_indexes(client, name, *table);
  table->has_triggers =
      client
          .query_value("SELECT 1 FROM information_schema.TRIGGERS" +
                       of_table(name, "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE") + " LIMIT 1")
          .has_value();
  std::vector<Column> columns;
  columns.reserve(table->columns.size());
  for (const TableColumn& column : table->columns) {
    columns.push_back({column.name, column.column_type, affinity_of(column), column.nullable});
  }
  table->schema = std::make_shared<const Schema>(std::string(name), std::move(columns),
                                                 std::move(key), version);
  return table;
}

}  // namespace

std::vector<std::string> parse_labels(std::string_view column_type) {
  std::vector<std::string> labels;
  std::size_t at = column_type.find('\'');
  while (at != std::string_view::npos && at < column_type.size()) {
    std::string label;
    for (++at; at < column_type.size(); ++at) {
      if (column_type[at] == '\'') {
        if (at + 1 >= column_type.size() || column_type[at + 1] != '\'') {
          break;
        }
        ++at;
      }
      label += column_type[at];
    }
    labels.push_back(std::move(label));
    at = column_type.find('\'', at + 1);
  }
  return labels;
}

KeyAffinity affinity_of(const TableColumn& column) {
  switch (column.kind) {
    case ColumnKind::integer:
    case ColumnKind::bit:
    case ColumnKind::year:
    case ColumnKind::float32:
    case ColumnKind::float64:
      return KeyAffinity::number;
    case ColumnKind::bytes:
      return KeyAffinity::bytes;
    default:
      return KeyAffinity::text;
  }
}

TablePtr Catalog::find(Client& client, std::string_view name) {
  std::uint64_t version = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(name);
    if (found != tables_.end() &&
        std::chrono::steady_clock::now() - found->second->read_at < kMaxAge) {
      return found->second;
    }
    version = ++readings_;
  }
  TablePtr table = read_table(client, name, version);
  const std::lock_guard lock(mutex_);
  if (table) {
    tables_.insert_or_assign(std::string(name), table);
  } else if (const auto found = tables_.find(name); found != tables_.end()) {
    tables_.erase(found);
  }
  return table;
}

TablePtr Catalog::get(Client& client, std::string_view name) {
  TablePtr table = find(client, name);
  if (!table) {
    const std::string nearest = nearest_name(name, names(client));
    throw ValidationError("there is no table '" + std::string(name) + "'" +
                          (nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?"));
  }
  return table;
}

TablePtr Catalog::reload(Client& client, std::string_view name) {
  invalidate(name);
  return get(client, name);
}

void Catalog::invalidate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = tables_.find(name); found != tables_.end()) {
    tables_.erase(found);
  }
}

std::vector<std::string> Catalog::names(Client& client) {
  std::vector<std::string> names;
  for (TextRow& row : client.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE "
                                   "TABLE_SCHEMA=DATABASE() AND TABLE_TYPE IN " +
                                   std::string(kTableTypes) + " ORDER BY TABLE_NAME")) {
    names.push_back(std::move(row[0]).value_or(std::string()));
  }
  return names;
}

}  // namespace ustream::mysql
