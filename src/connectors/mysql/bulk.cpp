#include "connectors/mysql/bulk.hpp"

#include <algorithm>
#include <bit>

#include "ustream/error.hpp"

#include "connectors/mysql/binding.hpp"

namespace ustream::mysql {
namespace {

/// Operations in one transaction: enough to share the cost of its commit, few enough not to hold
/// locks for long.
constexpr std::size_t kChunk = 10'000;
/// Rows in one statement. A power of two: what is left goes in statements of smaller powers, so
/// that a shape has few prepared statements.
constexpr std::size_t kRows = 512;
constexpr std::size_t kMaxParameters = 60'000;  // the protocol's limit is 65,535
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr int kDeadlockAttempts = 5;

}  // namespace

void BulkWriter::fail(std::size_t index, const Error& error) {
  report_.failures.push_back({index, error.kind(), error.what(), error.temporary()});
}

/// A deadlock undoes the whole transaction, a lock that is waited for in vain perhaps; and without
/// room the next operation fares no better.
bool BulkWriter::ends_transaction(const Error& error) const {
  return !connection_.client.usable() || error.kind() == ErrorKind::busy;
}

BulkReport BulkWriter::run() {
  for (std::size_t begin = 0; begin < operations_.size(); begin += kChunk) {
    run_chunk(begin, std::min(begin + kChunk, operations_.size()));
  }
  std::sort(report_.failures.begin(), report_.failures.end(),
            [](const BulkFailure& a, const BulkFailure& b) { return a.index < b.index; });
  return std::move(report_);
}

void BulkWriter::run_chunk(std::size_t begin, std::size_t end) {
  const BulkReport before = report_;
  for (int attempt = 1;; ++attempt) {
    try {
      run_transaction(begin, end);
      return;
    } catch (const Error& error) {
      report_ = before;
      members_.clear();
      const bool deadlock =
          error.kind() == ErrorKind::busy && is_worth_repeating(connection_.client.last_error());
      if (connection_.client.usable()) {
        connection_.client.execute("ROLLBACK");
      }
      if (deadlock && connection_.client.usable() && attempt < kDeadlockAttempts) {
        continue;
      }
      for (std::size_t i = begin; i < end; ++i) {
        fail(i, error);
      }
      return;
    }
  }
}

void BulkWriter::run_transaction(std::size_t begin, std::size_t end) {
  if (!connection_.client.usable()) {
    throw ConnectionError("the connection to the server was lost", RetryAdvice::retry,
                          connection_.client.where());
  }
  connection_.client.execute("START TRANSACTION");
  for (std::size_t i = begin; i < end; ++i) {
    add(i);
  }
  flush();
  connection_.client.execute("COMMIT");
}

void BulkWriter::add(std::size_t index) {
  const std::string& collection = operations_[index].collection;
  try {
    try {
      add_bound(index, connection_.catalog.get(connection_.client, collection));
    } catch (const ValidationError&) {
      if (std::find(reloaded_.begin(), reloaded_.end(), collection) != reloaded_.end()) {
        throw;
      }
      // Perhaps the table is another since it was looked at; once is enough to know.
      reloaded_.push_back(collection);
      add_bound(index, connection_.catalog.reload(connection_.client, collection));
    }
  } catch (const Error& error) {
    if (ends_transaction(error)) {
      throw;
    }
    fail(index, error);
  }
}

BulkWriter::Form BulkWriter::form_of(const Table& table, const BulkOperation& operation,
                                     const std::vector<Assignment>& values) const {
  if (!operation.data) {
    return Form::remove;
  }
  const auto is_given = [&](std::size_t column) {
    return std::any_of(values.begin(), values.end(),
                       [&](const Assignment& value) { return value.column == column; });
  };
  if (operation.key.empty()) {
    const auto& keys = table.schema->key_columns();
    const bool makes_key = std::all_of(keys.begin(), keys.end(), [&](std::size_t column) {
      return is_given(column) || table.columns[column].auto_increment;
    });
    return makes_key ? Form::insert : Form::single;
  }
  bool can_insert = true;
  for (std::size_t i = 0; i < table.columns.size() && can_insert; ++i) {
    const TableColumn& column = table.columns[i];
    can_insert = column.nullable || column.default_text || column.generated ||
                 column.auto_increment || table.schema->is_key_column(i) || is_given(i);
  }
  if (!can_insert) {
    return Form::single;
  }
  return table.has_other_unique || table.has_triggers ? Form::insert : Form::upsert;
}

void BulkWriter::add_bound(std::size_t index, const TablePtr& table) {
  const BulkOperation& operation = operations_[index];
  const bool has_key = !operation.key.empty() || !operation.data;
  const Key key = has_key ? Key::parse(operation.key, *table->schema) : Key();
  const std::vector<Assignment> values =
      operation.data ? assignments(*table, key, *operation.data) : std::vector<Assignment>();
  Shape shape{table, form_of(*table, operation, values), operation.mode, has_key, {}};
  shape.columns.reserve(values.size());
  for (const Assignment& value : values) {
    shape.columns.push_back(value.column);
  }
  if (shape.form == Form::single) {
    flush();
    run_single(index);
    return;
  }
  if (rows_.size() <= members_.size()) {
    rows_.resize(members_.size() + 1);
  }
  Parameters fresh;
  Parameters& row = members_.empty() || shape == shape_ ? rows_[members_.size()] : fresh;
  row.clear();
  if (shape.form == Form::remove) {
    if (!bind_key(row, *table, key)) {
      ++report_.ok;  // no row can have it
      return;
    }
  } else if (has_key) {
    bind_key_to_write(row, *table, key);
  }
  for (const Assignment& value : values) {
    bind_value(row, table->columns[value.column], *value.value);
  }
  if (&row == &fresh) {
    flush();
    std::swap(rows_.front(), fresh);
  }
  const std::size_t width = rows_[members_.size()].size();
  bytes_ = members_.empty() ? 0 : bytes_;
  bytes_ += rows_[members_.size()].bytes();
  shape_ = std::move(shape);
  members_.push_back(index);
  if (members_.size() >= kRows || (members_.size() + 1) * width > kMaxParameters ||
      bytes_ > kMaxBytes) {
    flush();
  }
}

void BulkWriter::flush() {
  std::size_t from = 0;
  while (from < members_.size()) {
    const std::size_t count = std::bit_floor(members_.size() - from);
    run_rows(from, count);
    from += count;
  }
  members_.clear();
}

void BulkWriter::run_rows(std::size_t from, std::size_t count) {
  const bool may_exist =
      shape_.form == Form::insert && shape_.has_key && !shape_.table->has_triggers;
  if (!may_exist) {
    if (try_rows(shape_.form, from, count)) {
      return;
    }
  } else {
    // What the rows before were, these are likely to be, too.
    for (const bool existing : {rows_exist_, !rows_exist_}) {
      const bool possible = !existing || lock_rows(from, count);
      if (possible && try_rows(existing ? Form::upsert : Form::insert, from, count)) {
        rows_exist_ = existing;
        return;
      }
    }
  }
  for (std::size_t i = from; i < from + count; ++i) {
    run_single(members_[i]);
  }
}

/// One statement for these rows. False when the server refuses it, which then has done nothing.
bool BulkWriter::try_rows(Form form, std::size_t from, std::size_t count) {
  try {
    joined_.clear();
    for (std::size_t i = from; i < from + count; ++i) {
      joined_.append(rows_[i]);
    }
    connection_.statements.get(statement_text(form, count)).run(joined_);
    report_.ok += count;
    return true;
  } catch (const Error& error) {
    if (ends_transaction(error)) {
      throw;
    }
    return false;
  }
}

/// Whether all of these rows are there. They then stay until the transaction's end, so an upsert
/// meets them by their keys, and no other row by another index.
bool BulkWriter::lock_rows(std::size_t from, std::size_t count) {
  joined_.clear();
  const std::size_t key_size = shape_.table->schema->key_columns().size();
  for (std::size_t i = from; i < from + count; ++i) {
    joined_.append(rows_[i], key_size);
  }
  const std::string sql = "SELECT 1 FROM " + quote_identifier(shape_.table->schema->collection()) +
                          " WHERE " + keys_condition(count) + " FOR UPDATE";
  Statement& select = connection_.statements.get(sql);
  std::size_t found = 0;
  const RowsGuard guard(select);
  select.open(joined_);
  while (!select.fetch().empty()) {
    ++found;
  }
  return found == count;
}

void BulkWriter::run_single(std::size_t index) {
  const BulkOperation& operation = operations_[index];
  try {
    if (operation.data) {
      (void)access_.write(operation.collection, operation.key, *operation.data, operation.mode);
    } else {
      (void)access_.remove(operation.collection, operation.key);
    }
    ++report_.ok;
  } catch (const Error& error) {
    if (ends_transaction(error)) {
      throw;
    }
    fail(index, error);
  }
}

std::string BulkWriter::keys_condition(std::size_t rows) const {
  const Table& table = *shape_.table;
  const auto& keys = table.schema->key_columns();
  std::string sql;
  if (keys.size() == 1) {
    sql = column_list(table, keys) + " IN (?";
    for (std::size_t i = 1; i < rows; ++i) {
      sql += ",?";
    }
    return sql + ")";
  }
  // MariaDB does not use the index for (a,b) IN (…).
  const std::string one = where_key(table).substr(std::string_view(" WHERE ").size());
  for (std::size_t i = 0; i < rows; ++i) {
    sql += (i == 0 ? "(" : " OR (") + one + ")";
  }
  return sql;
}

std::string BulkWriter::statement_text(Form form, std::size_t rows) const {
  const Table& table = *shape_.table;
  const auto& keys = table.schema->key_columns();
  const std::string name = quote_identifier(table.schema->collection());
  if (form == Form::remove) {
    return "DELETE FROM " + name + " WHERE " + keys_condition(rows);
  }
  std::vector<std::size_t> columns = shape_.has_key ? keys : std::vector<std::size_t>();
  columns.insert(columns.end(), shape_.columns.begin(), shape_.columns.end());
  std::string row = "(";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    row += i == 0 ? "?" : ",?";
  }
  row += ")";
  std::string sql = "INSERT INTO " + name + "(" + column_list(table, columns) + ")VALUES" + row;
  for (std::size_t i = 1; i < rows; ++i) {
    sql += "," + row;
  }
  if (form == Form::insert) {
    return sql;
  }
  // Each server has a name for the values that could not be inserted, and not the other's.
  const bool by_alias =
      !connection_.client.server().is_mariadb && connection_.client.server().version >= 80'020;
  std::string set;
  for (const std::size_t index : shape_.columns) {
    const std::string column = quote_identifier(table.columns[index].name);
    set += (set.empty() ? "" : ",") + column +
           (by_alias ? "=_ustream_new." + column : "=VALUES(" + column + ")");
  }
  if (shape_.mode == WriteMode::replace) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const bool given = std::find(columns.begin(), columns.end(), i) != columns.end();
      if (!given && !table.columns[i].generated) {
        set += (set.empty() ? "" : ",") + reset_column(table.columns[i]);
      }
    }
  }
  if (set.empty()) {
    const std::string column = name + "." + quote_identifier(table.columns[keys.front()].name);
    set = column + "=" + column;
  }
  return sql + (by_alias ? " AS _ustream_new" : "") + " ON DUPLICATE KEY UPDATE " + set;
}

}  // namespace ustream::mysql
