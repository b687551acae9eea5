#include "connectors/mysql/crud.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "ustream/error.hpp"

#include "connectors/mysql/binding.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/dialect.hpp"

namespace ustream::mysql {
namespace {

/// How often a row that vanishes and comes back between two statements is gone after.
constexpr int kAttempts = 5;
/// Rows of a query share blocks of memory up to this; who keeps one row keeps no more.
constexpr std::size_t kSharedBytes = std::size_t{64} * 1024;

std::string column_name(const Table& table, std::size_t index) {
  return quote_identifier(table.columns[index].name);
}

std::vector<std::size_t> all_columns(const Table& table) {
  std::vector<std::size_t> columns(table.columns.size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  return columns;
}

std::string from_table(const Table& table) {
  return " FROM " + quote_identifier(table.schema->collection());
}

/// The same row with fewer fields; it keeps both alive.
Document narrowed(const Document& row, const ResultCodecPtr& codec) {
  struct Narrowed {
    Document row;
    ResultCodecPtr codec;
  };
  auto owner = std::make_shared<const Narrowed>(Narrowed{row, codec});
  const ResultCodec* const fields = owner->codec.get();
  return {std::move(owner), fields, row.raw()};
}

Key key_of(const Document& row, const Table& table) {
  std::vector<Value> parts;
  Scratch scratch;
  for (const std::size_t index : table.schema->key_columns()) {
    parts.push_back(row.field(index, scratch).value_or(ValueView()).to_value());
  }
  return Key(std::move(parts));
}

std::string update_sql(const Table& table, const std::vector<Assignment>& values, WriteMode mode) {
  std::string set;
  const auto add = [&](const std::string& term) { set += (set.empty() ? "" : ",") + term; };
  for (const Assignment& value : values) {
    add(column_name(table, value.column) + "=?");
  }
  if (mode == WriteMode::replace) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const bool given = std::any_of(values.begin(), values.end(),
                                     [&](const Assignment& value) { return value.column == i; });
      if (!given && !table.columns[i].generated && !table.schema->is_key_column(i)) {
        add(reset_column(table.columns[i]));
      }
    }
  }
  if (set.empty()) {
    return {};
  }
  return "UPDATE " + quote_identifier(table.schema->collection()) + " SET " + set +
         where_key(table);
}

std::string insert_sql(const Table& table, const std::vector<std::size_t>& key_columns,
                       const std::vector<Assignment>& values) {
  std::vector<std::size_t> columns = key_columns;
  for (const Assignment& value : values) {
    columns.push_back(value.column);
  }
  std::string marks;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    marks += i == 0 ? "?" : ",?";
  }
  return "INSERT INTO " + quote_identifier(table.schema->collection()) + "(" +
         column_list(table, columns) + ")VALUES(" + marks + ")";
}

void bind_values(Parameters& parameters, const Table& table,
                 const std::vector<Assignment>& values) {
  for (const Assignment& value : values) {
    bind_value(parameters, table.columns[value.column], *value.value);
  }
}

}  // namespace

std::string column_list(const Table& table, const std::vector<std::size_t>& columns) {
  std::string list;
  for (const std::size_t index : columns) {
    list += (list.empty() ? "" : ",") + column_name(table, index);
  }
  return list;
}

std::string where_key(const Table& table) {
  std::string sql;
  for (const std::size_t index : table.schema->key_columns()) {
    sql += (sql.empty() ? " WHERE " : " AND ") + column_name(table, index) + "=?";
  }
  return sql;
}

std::string reset_column(const TableColumn& column) {
  const bool is_null = column.nullable && !column.default_text;
  return quote_identifier(column.name) + (is_null ? "=NULL" : "=DEFAULT");
}

std::vector<Assignment> assignments(const Table& table, const Key& key, const Value::Object& data) {
  const Schema& schema = *table.schema;
  std::vector<Assignment> result;
  result.reserve(data.size());
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
    if (table.columns[*index].generated) {
      throw ValidationError("column '" + member.name + "' is generated and cannot be written");
    }
    const auto& keys = schema.key_columns();
    const auto part = std::find(keys.begin(), keys.end(), *index);
    if (part == keys.end() || key.empty()) {
      result.push_back({*index, &member.value});
    } else if (!values_equal(member.value,
                             key.parts()[static_cast<std::size_t>(part - keys.begin())])) {
      throw ValidationError("the data's '" + member.name +
                            "' is not the key's; leave it out, or name the same key");
    }
  }
  return result;
}

bool bind_key(Parameters& parameters, const Table& table, const Key& key) {
  const auto& columns = table.schema->key_columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!bind_key_part(parameters, table.columns[columns[i]], key.parts()[i])) {
      return false;
    }
  }
  return true;
}

void bind_key_to_write(Parameters& parameters, const Table& table, const Key& key) {
  if (!bind_key(parameters, table, key)) {
    std::string types;
    for (const std::size_t index : table.schema->key_columns()) {
      types += (types.empty() ? "" : ", ") + table.columns[index].name + " " +
               table.columns[index].column_type;
    }
    throw ValidationError("'" + key.text(*table.schema) + "' cannot be a key of '" +
                          table.schema->collection() + "' (" + types + ")");
  }
}

bool is_own_key(const Table& table, const Key& key) noexcept {
  const auto& columns = table.schema->key_columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ValueType type = key.parts()[i].type();
    const ColumnKind kind = table.columns[columns[i]].kind;
    const bool is_integer = type == ValueType::int64 || type == ValueType::uint64;
    if (!(is_integer && kind == ColumnKind::integer) &&
        !(type == ValueType::bytes && kind == ColumnKind::bytes &&
          table.columns[columns[i]].data_type != "binary")) {
      return false;
    }
  }
  return true;
}

/// Runs `body` with the table; once more with a definition that was read anew when the first one
/// may be outdated.
template <class Body>
auto RowAccess::with_table(std::string_view collection, const Body& body) {
  Client& client = connection_.client;
  const TablePtr table = connection_.catalog.get(client, collection);
  try {
    return body(table);
  } catch (const ValidationError&) {
    const bool was_reloaded =
        std::find(reloaded_.begin(), reloaded_.end(), collection) != reloaded_.end();
    if (was_reloaded || delivered_ || !client.usable()) {
      throw;
    }
  }
  reloaded_.emplace_back(collection);
  const TablePtr current = connection_.catalog.reload(client, collection);
  return body(current);
}

void RowAccess::stream(const TablePtr& table, const std::string& sql,
                       const std::vector<std::size_t>& columns, const RowCallback& row) {
  Statement& select = connection_.statements.get(sql);
  const RowsGuard guard(select);
  select.open(parameters_);
  const auto codec = std::make_shared<const ResultCodec>(table, columns, select.fields());
  auto rows = std::make_shared<ResultRows>(codec);
  while (true) {
    const std::string_view raw = select.fetch();
    if (raw.empty()) {
      return;
    }
    if (rows->bytes() > kSharedBytes) {
      rows = std::make_shared<ResultRows>(codec);
    }
    if (!row(rows->add(raw))) {
      return;
    }
  }
}

std::optional<Document> RowAccess::read(std::string_view collection, std::string_view key) {
  return with_table(collection, [&](const TablePtr& table) -> std::optional<Document> {
    const Key parsed = Key::parse(key, *table->schema);
    parameters_.clear();
    if (!bind_key(parameters_, *table, parsed)) {
      return std::nullopt;
    }
    const std::vector<std::size_t> columns = all_columns(*table);
    std::optional<Document> found;
    stream(table, "SELECT " + column_list(*table, columns) + from_table(*table) + where_key(*table),
           columns, [&](const Document& row) {
             found = row;
             return true;  // there is no second one
           });
    return found;
  });
}

/// The key of the row that this key finds; nullopt when it finds none.
std::optional<Key> RowAccess::own_key(const TablePtr& table, const Key& key) {
  parameters_.clear();
  if (!bind_key(parameters_, *table, key)) {
    return std::nullopt;
  }
  const std::vector<std::size_t>& columns = table->schema->key_columns();
  std::optional<Key> found;
  stream(table, "SELECT " + column_list(*table, columns) + from_table(*table) + where_key(*table),
         columns, [&](const Document& row) {
           found = key_of(row, *table);
           return true;
         });
  return found;
}

std::string RowAccess::key_text(const TablePtr& table, const Key& key, std::string_view given) {
  if (is_own_key(*table, key)) {
    return key.text(*table->schema);
  }
  const auto own = own_key(table, key);
  return own ? own->text(*table->schema) : std::string(given);
}

/// The row's key is what the data has of it, and what the server made.
WriteResult RowAccess::insert_generated(const TablePtr& table, const Value::Object& data) {
  const Schema& schema = *table->schema;
  const std::vector<Assignment> values = assignments(*table, {}, data);
  const auto given = [&](std::size_t column) {
    return std::find_if(values.begin(), values.end(), [&](const Assignment& value) {
      return value.column == column && !value.value->is_null();
    });
  };
  for (const std::size_t index : schema.key_columns()) {
    if (given(index) == values.end() && !table->columns[index].auto_increment) {
      throw ValidationError("the server does not tell which '" + schema.columns()[index].name +
                            "' it gives a row of '" + schema.collection() + "'; name the key");
    }
  }
  parameters_.clear();
  bind_values(parameters_, *table, values);
  Statement& insert = connection_.statements.get(insert_sql(*table, {}, values));
  insert.run(parameters_);
  WriteResult result;
  result.created = true;
  if (schema.has_key()) {
    std::vector<Value> parts;
    for (const std::size_t index : schema.key_columns()) {
      const auto value = given(index);
      parts.push_back(value != values.end() ? *value->value : Value(insert.insert_id()));
    }
    const Key key(std::move(parts));
    result.key = key_text(table, key, {});
  }
  return result;
}

WriteResult RowAccess::write_row(const TablePtr& table, std::string_view key,
                                 const Value::Object& data, WriteMode mode) {
  if (key.empty()) {
    return insert_generated(table, data);
  }
  const Key parsed = Key::parse(key, *table->schema);
  const std::vector<Assignment> values = assignments(*table, parsed, data);
  // Not one upsert: that would change another row when it meets that by another unique index, and
  // would ask for columns that a merge need not give.
  const std::string update = update_sql(*table, values, mode);
  WriteResult result;
  for (int attempt = 1;; ++attempt) {
    parameters_.clear();
    bind_values(parameters_, *table, values);
    bind_key_to_write(parameters_, *table, parsed);
    const bool found = update.empty() ? own_key(table, parsed).has_value()
                                      : connection_.statements.get(update).run(parameters_) != 0;
    if (found) {
      break;
    }
    parameters_.clear();
    bind_key_to_write(parameters_, *table, parsed);
    bind_values(parameters_, *table, values);
    try {
      connection_.statements.get(insert_sql(*table, table->schema->key_columns(), values))
          .run(parameters_);
      result.created = true;
      break;
    } catch (const Error& error) {
      // Another may have inserted the row since; if it is another unique index, the row is not
      // there.
      if (error.kind() != ErrorKind::conflict || connection_.client.last_error() != kDuplicateKey ||
          attempt == kAttempts || !own_key(table, parsed)) {
        throw;
      }
    }
  }
  result.key = key_text(table, parsed, key);
  return result;
}

WriteResult RowAccess::write(std::string_view collection, std::string_view key,
                             const Value::Object& data, WriteMode mode) {
  return with_table(collection,
                    [&](const TablePtr& table) { return write_row(table, key, data, mode); });
}

DeleteResult RowAccess::remove(std::string_view collection, std::string_view key) {
  return with_table(collection, [&](const TablePtr& table) {
    const Key parsed = Key::parse(key, *table->schema);
    DeleteResult result;
    result.key = key_text(table, parsed, key);
    parameters_.clear();
    if (bind_key(parameters_, *table, parsed)) {
      result.existed = connection_.statements.get("DELETE" + from_table(*table) + where_key(*table))
                           .run(parameters_) != 0;
    }
    return result;
  });
}

RowAccess::Select RowAccess::prepare_select(const Table& table, const QueryOptions& options,
                                            const SqlDialect& dialect) {
  Select select;
  SqlWhere where = translate_filter(options.filter, *table.schema, dialect);
  const auto order = translate_sort(options.sort, *table.schema, dialect);
  select.is_exact = where.exact;
  select.is_sorted = order.has_value();
  select.shown = all_columns(table);
  if (!options.fields.empty()) {
    std::erase_if(select.shown, [&](std::size_t index) {
      const std::string& name = table.columns[index].name;
      return std::find(options.fields.begin(), options.fields.end(), name) == options.fields.end();
    });
  }
  select.columns = select.in_sql() ? select.shown : all_columns(table);
  // A projection may name no column of the table at all.
  select.sql = "SELECT " + (select.columns.empty() ? "NULL" : column_list(table, select.columns)) +
               from_table(table);
  select.sql += where.where.text.empty() ? "" : " WHERE " + where.where.text;
  if (order && !order->empty()) {
    select.sql += " ORDER BY " + *order;
  }
  parameters_.clear();
  for (const Value& parameter : where.where.parameters) {
    bind_plain(parameters_, parameter);
  }
  if (select.in_sql() && (options.limit || options.skip != 0)) {
    select.sql += " LIMIT ? OFFSET ?";
    parameters_.add(options.limit.value_or(std::numeric_limits<std::uint64_t>::max()));
    parameters_.add(options.skip);
  }
  return select;
}

/// Filters, skips, limits and shows here what the server could not; calls `row` for each that is
/// left, in the order in which they come.
void RowAccess::stream_checked(const TablePtr& table, const Select& select,
                               const QueryOptions& options, const RowCallback& row) {
  constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t skip = select.in_sql() ? 0 : options.skip;
  std::uint64_t left = select.in_sql() ? kAll : options.limit.value_or(kAll);
  Scratch scratch;
  stream(table, select.sql, select.columns, [&](const Document& document) {
    const bool matches = select.is_exact || options.filter.matches(document, scratch);
    scratch.clear();
    if (!matches) {
      return true;
    }
    if (skip > 0) {
      --skip;
      return true;
    }
    if (left == 0) {
      return false;
    }
    --left;
    return row(document) && left > 0;
  });
}

void RowAccess::query_table(const TablePtr& table, const QueryOptions& options,
                            const RowCallback& row) {
  const Select select = prepare_select(*table, options, MySqlDialect(table));
  ResultCodecPtr shown;
  const auto deliver = [&](const Document& document) {
    delivered_ = true;
    if (select.in_sql() || options.fields.empty()) {
      return row(document);
    }
    if (!shown) {
      shown = static_cast<const ResultCodec*>(document.codec())->narrowed(select.shown);
    }
    return row(narrowed(document, shown));
  };
  if (select.is_sorted && delivery_ == RowDelivery::streamed) {
    stream_checked(table, select, options, deliver);
    return;
  }
  std::vector<Document> gathered;
  if (select.is_sorted) {
    stream_checked(table, select, options, [&](const Document& document) {
      gathered.push_back(document);
      return true;
    });
  } else {
    RowSorter sorter(options.sort, options.skip, options.limit);
    QueryOptions all;
    all.filter = options.filter;
    stream_checked(table, select, all, [&](const Document& document) {
      sorter.push(document);
      return true;
    });
    gathered = sorter.finish();
  }
  for (const Document& document : gathered) {
    if (!deliver(document)) {
      return;
    }
  }
}

void RowAccess::query(std::string_view collection, const QueryOptions& options,
                      const RowCallback& row) {
  delivered_ = false;
  with_table(collection, [&](const TablePtr& table) { query_table(table, options, row); });
}

std::uint64_t RowAccess::count(std::string_view collection, const Filter& filter) {
  return with_table(collection, [&](const TablePtr& table) -> std::uint64_t {
    const MySqlDialect dialect(table);
    const SqlWhere where = translate_filter(filter, *table->schema, dialect);
    std::uint64_t total = 0;
    if (!where.exact) {
      QueryOptions options;
      options.filter = filter;
      query_table(table, options, [&](const Document&) { return ++total != 0; });
      delivered_ = false;
      return total;
    }
    parameters_.clear();
    for (const Value& parameter : where.where.parameters) {
      bind_plain(parameters_, parameter);
    }
    Statement& select = connection_.statements.get(
        "SELECT count(*)" + from_table(*table) +
        (where.where.text.empty() ? std::string() : " WHERE " + where.where.text));
    const RowsGuard guard(select);
    select.open(parameters_);
    const std::string_view row = select.fetch();
    constexpr std::size_t kNulls = 1;
    return row.size() < kNulls + 8 ? 0 : ByteReader(row.substr(kNulls)).u64();
  });
}

}  // namespace ustream::mysql
