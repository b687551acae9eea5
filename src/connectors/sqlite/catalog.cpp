#include "connectors/sqlite/catalog.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "ustream/config.hpp"

namespace ustream::sqlite {

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

namespace {

/// SQLite's rules for a column's affinity (datatype3.html, 3.1), reduced to how a key's text is
/// read.
KeyAffinity key_affinity(std::string_view declared) {
  const std::string type = upper(declared);
  const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
  if (has("INT")) {
    return KeyAffinity::number;
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return KeyAffinity::text;
  }
  return has("BLOB") ? KeyAffinity::bytes : KeyAffinity::number;
}

/// Reads what does not need the indexes.
void read_columns(Database& database, std::string_view name, Table& table,
                  std::vector<Column>& columns, std::vector<std::size_t>& key) {
  std::vector<std::pair<std::int64_t, std::size_t>> key_order;
  Statement& info = database.cached(
      "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1)");
  const ResetGuard guard(info);
  info.bind(1, name);
  while (info.step()) {
    if (info.int64(5) == 1) {
      continue;  // a virtual table's hidden column
    }
    Column column;
    column.name = info.text(0);
    column.declared_type = info.text(1);
    column.affinity = key_affinity(column.declared_type);
    column.nullable = info.int64(2) == 0;
    if (info.int64(4) > 0) {
      key_order.emplace_back(info.int64(4), columns.size());
    }
    table.not_null.push_back(info.int64(2) != 0);
    table.defaults.emplace_back(info.text(3));
    table.generated.push_back(info.int64(5) >= 2);
    columns.push_back(std::move(column));
  }
  std::sort(key_order.begin(), key_order.end());
  for (const auto& [order, index] : key_order) {
    key.push_back(index);
  }
}

std::string free_rowid_name(const std::vector<Column>& columns) {
  constexpr std::array<const char*, 3> kNames{"_rowid_", "rowid", "oid"};
  for (const char* name : kNames) {
    const bool hidden = std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
      return upper(column.name) == upper(name);
    });
    if (!hidden) {
      return name;
    }
  }
  return {};
}

bool is_integer_key(const std::vector<Column>& columns, const std::vector<std::size_t>& key) {
  return key.size() == 1 && upper(columns[key.front()].declared_type) == "INTEGER";
}

/// One unique index; nullopt when a column is an expression.
std::optional<UniqueSet> read_index(Database& database, const std::string& index) {
  UniqueSet set;
  Statement& info =
      database.cached("SELECT cid, coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno");
  const ResetGuard guard(info);
  info.bind(1, index);
  while (info.step()) {
    if (info.int64(0) < 0) {
      return std::nullopt;
    }
    set.columns.push_back(static_cast<std::size_t>(info.int64(0)));
    set.collations.push_back(upper(info.text(1)));
  }
  return set;
}

void read_uniques(Database& database, std::string_view name, Table& table,
                  const std::vector<std::size_t>& key) {
  if (table.has_rowid_key) {
    table.uniques.push_back({key, {"BINARY"}});
  }
  std::vector<std::string> indexes;
  {
    Statement& list = database.cached(
        "SELECT name, partial, origin FROM pragma_index_list(?1) WHERE \"unique\" = 1");
    const ResetGuard guard(list);
    list.bind(1, name);
    while (list.step()) {
      if (list.int64(1) != 0) {
        table.has_partial_unique = true;
        continue;
      }
      // An INTEGER PRIMARY KEY DESC is an ordinary key with an index of its own.
      if (list.text(2) == "pk" && !table.without_rowid) {
        table.has_rowid_key = false;
        std::erase_if(table.uniques, [&](const UniqueSet& set) { return set.columns == key; });
      }
      indexes.emplace_back(list.text(0));
    }
  }
  for (const std::string& index : indexes) {
    if (auto set = read_index(database, index)) {
      table.uniques.push_back(std::move(*set));
    } else {
      table.has_partial_unique = true;
    }
  }
}

TablePtr read_table(Database& database, std::string_view name, std::int64_t version) {
  auto table = std::make_shared<Table>();
  {
    Statement& list = database.cached(
        "SELECT l.wr, s.sql FROM pragma_table_list AS l JOIN sqlite_schema AS s "
        "ON s.name = l.name AND s.type = 'table' "
        "WHERE l.schema = 'main' AND l.type = 'table' AND l.name = ?1");
    const ResetGuard guard(list);
    list.bind(1, name);
    if (!list.step()) {
      return nullptr;
    }
    table->without_rowid = list.int64(0) != 0;
    table->definition = list.text(1);
  }
  std::vector<Column> columns;
  std::vector<std::size_t> key;
  read_columns(database, name, *table, columns, key);
  table->has_rowid_key = !table->without_rowid && is_integer_key(columns, key);
  if (!table->without_rowid) {
    table->rowid_name = free_rowid_name(columns);
  }
  read_uniques(database, name, *table, key);
  table->schema = std::make_shared<const Schema>(
      std::string(name), std::move(columns), std::move(key), static_cast<std::uint64_t>(version));
  table->codec = std::make_shared<const RowCodec>(table->schema);
  return table;
}

/// What to do when there is no table `name`.
std::string advice(std::string_view name, const std::vector<std::string>& tables) {
  constexpr std::size_t kMany = 10;
  if (name.starts_with(kOwnPrefix) || name.starts_with("sqlite_")) {
    return "such names belong to ustream or SQLite itself and cannot be used";
  }
  if (const std::string nearest = nearest_name(name, tables); !nearest.empty()) {
    return "did you mean '" + nearest + "'?";
  }
  if (tables.empty()) {
    return "the database has no tables; create one first";
  }
  std::string text = "the database has";
  for (std::size_t i = 0; i < std::min(tables.size(), kMany); ++i) {
    text += (i == 0 ? " '" : ", '") + tables[i] + "'";
  }
  return tables.size() > kMany ? text + ", …" : text;
}

}  // namespace

void Catalog::refresh(Database& database) {
  const std::int64_t version = database.query_int64("PRAGMA main.schema_version");
  if (version != version_) {
    tables_.clear();
    has_log_.reset();
    version_ = version;
  }
}

TablePtr Catalog::find(Database& database, std::string_view name) {
  refresh(database);
  if (const auto found = tables_.find(name); found != tables_.end()) {
    return found->second;
  }
  if (name.starts_with(kOwnPrefix) || name.starts_with("sqlite_")) {
    return nullptr;
  }
  TablePtr table = read_table(database, name, version_);
  if (table) {
    tables_.emplace(std::string(name), table);
  }
  return table;
}

TablePtr Catalog::get(Database& database, std::string_view name) {
  TablePtr table = find(database, name);
  if (!table) {
    throw ValidationError("there is no table '" + std::string(name) + "'; " +
                          advice(name, names(database)));
  }
  return table;
}

std::vector<std::string> Catalog::names(Database& database) {
  std::vector<std::string> result;
  Statement& list = database.cached(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
      "'\\' AND name NOT LIKE '\\_ustream\\_%' ESCAPE '\\' ORDER BY name");
  const ResetGuard guard(list);
  while (list.step()) {
    result.emplace_back(list.text(0));
  }
  return result;
}

bool Catalog::has_log(Database& database) {
  refresh(database);
  if (!has_log_) {
    has_log_ = database.query_int64(
                   "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                   "('_ustream_log', '_ustream_meta', '_ustream_shape')") == 3;
  }
  return *has_log_;
}

}  // namespace ustream::sqlite
