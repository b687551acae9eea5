#include "connectors/sqlite/bulk_writer.hpp"

#include <algorithm>

#include "ustream/query.hpp"

namespace ustream::sqlite {
namespace {

/// Rows of one statement: more gain little, and cost more when one of them fails.
constexpr std::size_t kRows = 64;
/// SQLite's own limit is 32766 (SQLITE_MAX_VARIABLE_NUMBER).
constexpr std::size_t kMaxParameters = 8192;

}  // namespace

void BulkWriter::run(std::size_t begin, std::size_t end) {
  const auto known = static_cast<std::ptrdiff_t>(report_.failures.size());
  for (std::size_t i = begin; i < end; ++i) {
    try {
      add(i);
    } catch (const Error& error) {
      if (!connection_.database.in_transaction()) {
        throw;
      }
      fail(i, error);
    }
  }
  flush();
  // What is wrong with an operation itself is found before those that wait are run.
  std::sort(report_.failures.begin() + known, report_.failures.end(),
            [](const BulkFailure& a, const BulkFailure& b) { return a.index < b.index; });
}

void BulkWriter::add(std::size_t index) {
  const BulkOperation& operation = operations_[index];
  const bool may_be_upsert =
      operation.data && operation.mode == WriteMode::merge && !operation.key.empty();
  if (may_be_upsert && !has_form(operation)) {
    flush();
    set_form(operation);
  }
  if (!may_be_upsert || !form_.table) {
    flush();
    run_singly(index);
    return;
  }
  Key key = Key::parse(operation.key, *form_.table->schema);
  check_key(operation, key);
  waiting_.push_back({index, std::move(key)});
  if (waiting_.size() == kRows) {
    flush();
  }
}

bool BulkWriter::has_form(const BulkOperation& operation) const {
  return form_.collection == operation.collection &&
         std::equal(form_.fields.begin(), form_.fields.end(), operation.data->begin(),
                    operation.data->end(), [](const Field& field, const Member& member) {
                      return field.name == member.name;
                    });
}

void BulkWriter::set_form(const BulkOperation& operation) {
  form_ = {};
  const TablePtr table = access_.table(operation.collection);
  const Schema& schema = *table->schema;
  std::vector<Field> fields;
  std::string columns;
  std::string conflict;
  std::string row;
  std::string set;
  for (const std::size_t index : schema.key_columns()) {
    conflict += (conflict.empty() ? "" : ",") + quote_identifier(schema.columns()[index].name);
    row += row.empty() ? "(?" : ",?";
  }
  for (const Member& member : *operation.data) {
    const auto index = schema.find(member.name);
    if (!index || table->generated[*index]) {
      return;  // run_singly() says what is wrong with it
    }
    const auto& keys = schema.key_columns();
    const auto part = std::find(keys.begin(), keys.end(), *index);
    fields.push_back({member.name, *index, {}});
    if (part != keys.end()) {
      fields.back().key_part = static_cast<std::size_t>(part - keys.begin());
      continue;
    }
    const std::string name = quote_identifier(member.name);
    columns += "," + name;
    row += ",?";
    set += set.empty() ? "" : ",";
    set += name;
    set += "=excluded.";
    set += name;
  }
  // SQLite checks NOT NULL before it looks for the row, so the data must have every column that
  // needs a value. Without any column to set, rows that are there would not be counted.
  bool complete = schema.has_key() && !set.empty();
  for (std::size_t i = 0; i < schema.columns().size() && complete; ++i) {
    complete = !table->not_null[i] || schema.is_key_column(i) || table->generated[i] ||
               std::any_of(fields.begin(), fields.end(),
                           [&](const Field& field) { return field.column == i; });
  }
  form_.collection = operation.collection;
  form_.fields = std::move(fields);
  if (!complete) {
    return;
  }
  form_.table = table;
  form_.head = "INSERT INTO " + quote_identifier(schema.collection()) + "(" + conflict + columns +
               ") VALUES";
  form_.row = row + ")";
  form_.tail = " ON CONFLICT(" + conflict + ") DO UPDATE SET " + set;
}

void BulkWriter::check_key(const BulkOperation& operation, const Key& key) const {
  for (std::size_t i = 0; i < form_.fields.size(); ++i) {
    const Field& field = form_.fields[i];
    if (field.key_part && !values_equal((*operation.data)[i].value, key.parts()[*field.key_part])) {
      throw_other_key(field.name);
    }
  }
}

void BulkWriter::flush() {
  if (waiting_.empty()) {
    return;
  }
  flush_together();
  waiting_.clear();
}

void BulkWriter::flush_together() {
  const std::size_t parameters = form_.table->schema->key_columns().size() + form_.fields.size();
  const std::size_t together =
      std::min(kRows, std::max<std::size_t>(1, kMaxParameters / parameters));
  std::size_t done = 0;
  try {
    while (done < waiting_.size()) {
      const std::size_t rows = waiting_.size() - done >= together ? together : 1;
      Statement& statement = statement_for(rows);
      bind(statement, done, rows);
      run(statement, rows, done);
    }
  } catch (const Error&) {
    if (!connection_.database.in_transaction()) {
      throw;
    }
  }
  report_.ok += done;
  for (; done < waiting_.size(); ++done) {
    run_singly(waiting_[done].index);
  }
}

void BulkWriter::run(Statement& statement, std::size_t rows, std::size_t& done) {
  try {
    statement.run();
  } catch (const Error&) {
    // None, but where a constraint says ON CONFLICT FAIL: that keeps the rows before.
    const auto kept = static_cast<std::size_t>(connection_.database.changes());
    done += std::min(kept, rows - 1);
    throw;
  }
  done += rows;
}

Statement& BulkWriter::statement_for(std::size_t rows) {
  Statement*& statement = rows == 1 ? form_.one : form_.full;
  if (statement == nullptr) {
    std::string sql = form_.head;
    for (std::size_t i = 0; i < rows; ++i) {
      sql += (i == 0 ? "" : ",") + form_.row;
    }
    statement = &connection_.database.cached(sql + form_.tail);
  }
  return *statement;
}

void BulkWriter::bind(Statement& statement, std::size_t first, std::size_t count) {
  const auto& columns = form_.table->schema->columns();
  int at = 1;
  for (std::size_t i = first; i < first + count; ++i) {
    const Waiting& waiting = waiting_[i];
    for (const Value& part : waiting.key.parts()) {
      statement.bind_value(at++, part, "key", Statement::Text::kept);
    }
    const Value::Object& data = *operations_[waiting.index].data;
    for (std::size_t j = 0; j < data.size(); ++j) {
      const Field& field = form_.fields[j];
      if (!field.key_part) {
        statement.bind_value(at++, data[j].value, columns[field.column].name,
                             Statement::Text::kept);
      }
    }
  }
}

void BulkWriter::run_singly(std::size_t index) {
  const BulkOperation& operation = operations_[index];
  try {
    if (operation.data) {
      access_.write(operation.collection, operation.key, *operation.data, operation.mode);
    } else {
      access_.remove(operation.collection, operation.key);
    }
    ++report_.ok;
  } catch (const Error& error) {
    if (!connection_.database.in_transaction()) {
      throw;
    }
    fail(index, error);
  }
}

void BulkWriter::fail(std::size_t index, const Error& error) {
  report_.failures.push_back({index, error.kind(), error.what(), error.temporary()});
}

}  // namespace ustream::sqlite
