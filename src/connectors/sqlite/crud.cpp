#include "connectors/sqlite/crud.hpp"

#include <algorithm>

#include "ustream/sql_dialect.hpp"

#include "connectors/sqlite/dialect.hpp"

namespace ustream::sqlite {
namespace {

std::string column_name(const Table& table, std::size_t index) {
  return quote_identifier(table.schema->columns()[index].name);
}

std::string select_list(const Table& table, const std::vector<std::size_t>& columns) {
  std::string sql;
  for (const std::size_t index : columns) {
    sql += (sql.empty() ? "" : ",") + column_name(table, index);
  }
  // A projection may name no column of the table at all.
  return sql.empty() ? "NULL" : sql;
}

std::vector<std::size_t> all_columns(const Table& table) {
  std::vector<std::size_t> columns(table.schema->columns().size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = i;
  }
  return columns;
}

std::string from_table(const Table& table) {
  return " FROM " + quote_identifier(table.schema->collection());
}

std::string where_key(const Table& table) {
  std::string sql;
  for (const std::size_t index : table.schema->key_columns()) {
    sql += (sql.empty() ? " WHERE " : " AND ") + column_name(table, index) + "=?";
  }
  return sql;
}

int bind_key(Statement& statement, const Key& key, int from) {
  for (const Value& part : key.parts()) {
    statement.bind_value(from++, part, "key");
  }
  return from;
}

/// No key where the database or the data makes one. In a text column that nothing fills by itself
/// the empty text is a key as any other.
Key key_of(const Table& table, std::string_view text, const Value::Object& data) {
  const Schema& schema = *table.schema;
  if (!text.empty()) {
    return Key::parse(text, schema);
  }
  if (schema.key_columns().size() != 1) {
    return {};
  }
  const std::size_t column = schema.key_columns().front();
  const auto names_it = [&](const Member& member) { return schema.find(member.name) == column; };
  const bool is_value = schema.columns()[column].affinity == KeyAffinity::text &&
                        table.defaults[column].empty() && !table.generated[column] &&
                        std::none_of(data.begin(), data.end(), names_it);
  return is_value ? Key::parse(text, schema) : Key();
}

Document project(const Document& row, const Table& table, const std::vector<std::size_t>& columns) {
  auto storage = std::make_shared<RowStorage>();
  storage->begin(table.codec);
  for (const std::size_t index : columns) {
    if (const auto value = table.codec->cell(row.raw(), index)) {
      (void)storage->set(index, *value);  // it was checked when the row was read
    }
  }
  return storage->finish();
}

}  // namespace

Document row_document(Statement& select, const Table& table,
                      const std::vector<std::size_t>& columns, RowStorage& storage,
                      std::optional<BadText>& bad) {
  storage.begin(table.codec);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ValueView value = select.value(static_cast<int>(i));
    if (!storage.set(columns[i], value)) {
      bad = BadText{not_utf8(table.schema->columns()[columns[i]].name), std::string(value.text())};
      return {};
    }
  }
  return storage.finish();
}

Document row_document(Statement& select, const Table& table,
                      const std::vector<std::size_t>& columns, RowStorage& storage) {
  std::optional<BadText> bad;
  Document document = row_document(select, table, columns, storage, bad);
  if (bad) {
    throw Error(ErrorKind::corrupt, "a row of '" + table.schema->collection() +
                                        "' cannot be read: " + bad->reason +
                                        "; store it as a blob or mend it");
  }
  return document;
}

void throw_other_key(const std::string& column) {
  throw ValidationError("the data's '" + column +
                        "' is not the key's; leave it out, or name the same key");
}

TablePtr RowAccess::table(std::string_view collection) {
  if (!last_ || last_->schema->collection() != collection) {
    last_ = connection_.catalog.get(connection_.database, collection);
  }
  return last_;
}

std::optional<Document> RowAccess::read(std::string_view collection, std::string_view key) {
  const TablePtr table = this->table(collection);
  const Key parsed = Key::parse(key, *table->schema);
  const std::vector<std::size_t> columns = all_columns(*table);
  Statement& select = connection_.database.cached("SELECT " + select_list(*table, columns) +
                                                  from_table(*table) + where_key(*table));
  const ResetGuard guard(select);
  bind_key(select, parsed, 1);
  if (!select.step()) {
    return std::nullopt;
  }
  auto storage = std::make_shared<RowStorage>();
  return row_document(select, *table, columns, *storage);
}

std::vector<RowAccess::Assignment> RowAccess::assignments(const Table& table, const Key& key,
                                                          const Value::Object& data) const {
  const Schema& schema = *table.schema;
  std::vector<Assignment> result;
  for (const Member& member : data) {
    const auto index = schema.find(member.name);
    if (!index) {
      std::vector<std::string> names;
      for (const Column& column : schema.columns()) {
        names.push_back(column.name);
      }
      const std::string nearest = nearest_name(member.name, names);
      throw ValidationError(
          "'" + schema.collection() + "' has no column '" + member.name + "'" +
          (nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?"));
    }
    if (table.generated[*index]) {
      throw ValidationError("column '" + member.name + "' is generated and cannot be written");
    }
    const auto& keys = schema.key_columns();
    const auto part = std::find(keys.begin(), keys.end(), *index);
    if (part == keys.end() || key.empty()) {
      result.push_back({*index, &member.value});
    } else if (!values_equal(member.value,
                             key.parts()[static_cast<std::size_t>(part - keys.begin())])) {
      throw_other_key(member.name);
    }
  }
  return result;
}

bool RowAccess::exists(const Table& table, const Key& key) {
  Statement& select =
      connection_.database.cached("SELECT 1" + from_table(table) + where_key(table));
  const ResetGuard guard(select);
  bind_key(select, key, 1);
  return select.step();
}

bool RowAccess::update(const Table& table, const Key& key, const std::vector<Assignment>& values) {
  if (values.empty()) {
    return exists(table, key);
  }
  std::string sql = "UPDATE " + quote_identifier(table.schema->collection()) + " SET ";
  for (std::size_t i = 0; i < values.size(); ++i) {
    sql += (i == 0 ? "" : ",") + column_name(table, values[i].column) + "=?";
  }
  Statement& statement = connection_.database.cached(sql + where_key(table));
  int at = 1;
  for (const Assignment& assignment : values) {
    statement.bind_value(at++, *assignment.value, table.schema->columns()[assignment.column].name);
  }
  bind_key(statement, key, at);
  statement.run();
  return connection_.database.changes() > 0;
}

void RowAccess::insert(const Table& table, const Key& key, const std::vector<Assignment>& values,
                       WriteMode mode, WriteResult& result) {
  const Schema& schema = *table.schema;
  std::string names;
  std::string marks;
  const auto add = [&](std::size_t column) {
    names += (names.empty() ? "" : ",") + column_name(table, column);
    marks += marks.empty() ? "?" : ",?";
  };
  if (!key.empty()) {
    std::for_each(schema.key_columns().begin(), schema.key_columns().end(), add);
  }
  for (const Assignment& assignment : values) {
    add(assignment.column);
  }
  std::string sql = "INSERT INTO " + quote_identifier(schema.collection());
  sql += names.empty() ? " DEFAULT VALUES" : "(" + names + ") VALUES(" + marks + ")";
  if (!key.empty() && mode == WriteMode::replace) {
    // `excluded` holds the default of every column that was not given.
    std::string conflict;
    std::string set;
    for (std::size_t i = 0; i < schema.columns().size(); ++i) {
      if (schema.is_key_column(i)) {
        conflict += (conflict.empty() ? "" : ",") + column_name(table, i);
      } else if (!table.generated[i]) {
        set +=
            (set.empty() ? "" : ",") + column_name(table, i) + "=excluded." + column_name(table, i);
      }
    }
    sql += " ON CONFLICT(" + conflict + ") DO " + (set.empty() ? "NOTHING" : "UPDATE SET " + set);
  }
  const bool generated_key = key.empty() && schema.has_key();
  if (generated_key) {
    std::string list;
    for (const std::size_t index : schema.key_columns()) {
      list += (list.empty() ? " RETURNING " : ",") + column_name(table, index);
    }
    sql += list;
  }
  Statement& statement = connection_.database.cached(sql);
  const ResetGuard guard(statement);
  int at = bind_key(statement, key, 1);
  for (const Assignment& assignment : values) {
    statement.bind_value(at++, *assignment.value, schema.columns()[assignment.column].name);
  }
  std::vector<Value> parts;
  while (statement.step()) {
    for (int i = 0; i < statement.column_count(); ++i) {
      parts.push_back(statement.value(i).to_value());
    }
  }
  if (generated_key) {
    result.key = Key(std::move(parts)).text(schema);
  }
}

WriteResult RowAccess::write(std::string_view collection, std::string_view key,
                             const Value::Object& data, WriteMode mode) {
  const TablePtr table = this->table(collection);
  const Key parsed = key_of(*table, key, data);
  const std::vector<Assignment> values = assignments(*table, parsed, data);
  WriteResult result;
  result.key = key;
  if (parsed.empty()) {
    insert(*table, parsed, values, mode, result);
    result.created = true;
  } else if (mode == WriteMode::merge) {
    // Not an upsert: SQLite checks NOT NULL before it looks for the row, so a merge of some columns
    // would fail.
    result.created = !update(*table, parsed, values);
    if (result.created) {
      insert(*table, parsed, values, mode, result);
    }
  } else {
    result.created = !exists(*table, parsed);
    insert(*table, parsed, values, mode, result);
  }
  return result;
}

DeleteResult RowAccess::remove(std::string_view collection, std::string_view key) {
  const TablePtr table = this->table(collection);
  const Key parsed = Key::parse(key, *table->schema);
  Statement& statement =
      connection_.database.cached("DELETE" + from_table(*table) + where_key(*table));
  bind_key(statement, parsed, 1);
  statement.run();
  DeleteResult result;
  result.key = key;
  result.existed = connection_.database.changes() > 0;
  return result;
}

void RowAccess::query(std::string_view collection, const QueryOptions& options,
                      const RowCallback& row) {
  const TablePtr table = this->table(collection);
  const SqliteDialect& dialect = connection_.dialect;
  const SqlWhere where = translate_filter(options.filter, *table->schema, dialect);
  const auto order = translate_sort(options.sort, *table->schema, dialect);
  const bool in_sql = where.exact && order.has_value();
  std::vector<std::size_t> wanted = all_columns(*table);
  if (!options.fields.empty()) {
    std::erase_if(wanted, [&](std::size_t index) {
      const std::string& name = table->schema->columns()[index].name;
      return std::find(options.fields.begin(), options.fields.end(), name) == options.fields.end();
    });
  }
  const std::vector<std::size_t> columns = in_sql ? wanted : all_columns(*table);
  std::string sql = "SELECT " + select_list(*table, columns) + from_table(*table);
  sql += where.where.text.empty() ? "" : " WHERE " + where.where.text;
  if (order && !order->empty()) {
    sql += " ORDER BY " + *order;
  }
  if (in_sql && (options.limit || options.skip != 0)) {
    sql += " LIMIT ? OFFSET ?";
  }
  Statement& select = connection_.database.cached(sql);
  const ResetGuard guard(select);
  int at = 1;
  for (const Value& parameter : where.where.parameters) {
    select.bind_value(at++, parameter, "filter");
  }
  constexpr std::uint64_t kMaxInt = 0x7fffffffffffffffU;
  if (in_sql && (options.limit || options.skip != 0)) {
    select.bind(at++,
                options.limit ? static_cast<std::int64_t>(std::min(*options.limit, kMaxInt)) : -1);
    select.bind(at, static_cast<std::int64_t>(std::min(options.skip, kMaxInt)));
  }
  std::optional<RowSorter> sorter;
  if (!in_sql) {
    sorter.emplace(order ? std::vector<SortField>() : options.sort, options.skip, options.limit);
  }
  Scratch scratch;
  while (select.step()) {
    auto storage = std::make_shared<RowStorage>();
    Document document = row_document(select, *table, columns, *storage);
    if (!where.exact && !options.filter.matches(document, scratch)) {
      continue;
    }
    scratch.clear();
    if (sorter) {
      sorter->push(std::move(document));
    } else if (!row(document)) {
      return;
    }
  }
  if (!sorter) {
    return;
  }
  for (const Document& document : sorter->finish()) {
    if (!row(options.fields.empty() ? document : project(document, *table, wanted))) {
      return;
    }
  }
}

std::uint64_t RowAccess::count(std::string_view collection, const Filter& filter) {
  const TablePtr table = this->table(collection);
  const SqliteDialect& dialect = connection_.dialect;
  const SqlWhere where = translate_filter(filter, *table->schema, dialect);
  std::uint64_t total = 0;
  if (!where.exact) {
    QueryOptions options;
    options.filter = filter;
    query(collection, options, [&](const Document&) { return ++total != 0; });
    return total;
  }
  Statement& select = connection_.database.cached(
      "SELECT count(*)" + from_table(*table) +
      (where.where.text.empty() ? std::string() : " WHERE " + where.where.text));
  const ResetGuard guard(select);
  int at = 1;
  for (const Value& parameter : where.where.parameters) {
    select.bind_value(at++, parameter, "filter");
  }
  return select.step() ? static_cast<std::uint64_t>(select.int64(0)) : 0;
}

}  // namespace ustream::sqlite
