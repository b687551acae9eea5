#include "ustream/change.hpp"

#include <utility>

#include "ustream/json.hpp"

#include "model/number.hpp"
#include "model/temporal.hpp"
#include "model/typed_text.hpp"

namespace ustream {
namespace {

bool has_row(Op op) noexcept {
  return op != Op::truncate && op != Op::ddl;
}

/// A key column's value, from the first image that has it. Images mostly have a field per column,
/// in order, so the column's own index is looked at first.
std::optional<ValueView> key_field(const Change& change, std::size_t column, Scratch& scratch) {
  const std::string& name = change.schema->columns()[column].name;
  for (const Document* image : {&change.after, &change.before, &change.key_fields}) {
    if (!image->has_value()) {
      continue;
    }
    std::optional<ValueView> value;
    if (column < image->field_count() && image->field_name(column) == name) {
      value = image->field(column, scratch);
    } else {
      value = image->view(name, scratch);
    }
    if (value) {
      return value;
    }
  }
  return std::nullopt;
}

void write_transaction(std::string& out, const TransactionInfo& transaction) {
  out += ",\"txn\":{";
  if (!transaction.id.empty()) {
    out += "\"id\":";
    write_json_string(out, transaction.id);
    out += ',';
  }
  out += "\"seq\":";
  model::append_uint(out, transaction.seq);
  out += transaction.last ? ",\"last\":true}" : ",\"last\":false}";
}

void write_row(std::string& out, const Change& change, std::span<const std::string> fields) {
  if (const std::optional<std::string> key = change.key_text()) {
    out += ",\"key\":";
    write_json_string(out, *key);
  }
  if (change.after.has_value()) {
    out += ",\"after\":";
    change.after.write_json(out, fields);
  }
  if (change.before.has_value()) {
    out += ",\"before\":";
    change.before.write_json(out, fields);
  }
}

void write_members(std::string& out, const Change& change, std::span<const std::string> fields) {
  out += "{\"op\":\"";
  out += to_string(change.op);
  out += "\",\"collection\":";
  write_json_string(out, change.collection());
  if (has_row(change.op)) {
    write_row(out, change, fields);
  }
  if (change.timestamp) {
    out += ",\"ts\":\"";
    model::append_text(out, *change.timestamp);
    out += '"';
  }
  if (change.position.has_value()) {
    out += ",\"cursor\":\"";
    change.position.append_cursor(out);
    out += '"';
  }
  if (change.source != nullptr) {
    out += ",\"source\":";
    change.source->write_json(out, change.position);
  }
  if (change.transaction.seq != 0 || !change.transaction.id.empty()) {
    write_transaction(out, change.transaction);
  }
  if (change.op == Op::ddl && !change.statement.empty()) {
    out += ",\"statement\":";
    write_json_string(out, change.statement);
  }
  out += '}';
}

}  // namespace

std::string_view to_string(Op op) noexcept {
  switch (op) {
    case Op::create:
      return "c";
    case Op::update:
      return "u";
    case Op::remove:
      return "d";
    case Op::snapshot:
      return "r";
    case Op::truncate:
      return "t";
    case Op::ddl:
      break;
  }
  return "ddl";
}

std::string_view to_string(ResyncReason reason) noexcept {
  switch (reason) {
    case ResyncReason::history_lost:
      return "history_lost";
    case ResyncReason::slow_consumer:
      return "slow_consumer";
    case ResyncReason::source_lost:
      return "source_lost";
    case ResyncReason::schema:
      break;
  }
  return "schema";
}

std::optional<Key> Change::key() const {
  if (!has_row(op) || !schema->has_key()) {
    return std::nullopt;
  }
  std::vector<Value> parts;
  parts.reserve(schema->key_columns().size());
  Scratch scratch;
  for (const std::size_t column : schema->key_columns()) {
    const std::optional<ValueView> value = key_field(*this, column, scratch);
    if (!value) {
      return std::nullopt;
    }
    parts.push_back(value->to_value());
  }
  return Key(std::move(parts));
}

std::optional<std::string> Change::key_text() const {
  if (has_row(op) && schema->key_columns().size() == 1) {
    // The common case, without making a Key.
    const std::size_t column = schema->key_columns().front();
    Scratch scratch;
    const std::optional<ValueView> value = key_field(*this, column, scratch);
    if (!value) {
      return std::nullopt;
    }
    if (value->type() != ValueType::uint64) {
      std::string text;
      write_key_part(text, *value, schema->columns()[column].affinity);
      return text;
    }
  }
  const std::optional<Key> row_key = key();
  return row_key ? std::optional<std::string>(row_key->text(*schema)) : std::nullopt;
}

void Change::write_json(std::string& out, std::span<const std::string> fields) const {
  const std::size_t start = out.size();
  try {
    write_members(out, *this, fields);
  } catch (...) {
    out.resize(start);  // no half object in what is sent
    throw;
  }
}

std::string Change::to_json() const {
  std::string out;
  write_json(out);
  return out;
}

}  // namespace ustream
