#include "connectors/sqlite/snapshotter.hpp"

#include "ustream/sql_dialect.hpp"

#include "connectors/sqlite/crud.hpp"
#include "connectors/sqlite/log_reader.hpp"
#include "connectors/sqlite/pool.hpp"

namespace ustream::sqlite {
namespace {

constexpr std::size_t kBatchRows = 1000;

std::string select_all(const Table& table, const SqlWhere& where) {
  std::string sql;
  for (const Column& column : table.schema->columns()) {
    sql += (sql.empty() ? "SELECT " : ",") + quote_identifier(column.name);
  }
  sql += " FROM " + quote_identifier(table.schema->collection());
  return where.where.text.empty() ? sql : sql + " WHERE " + where.where.text;
}

}  // namespace

Position SqliteSnapshotter::snapshot(std::string_view collection, const Filter& filter,
                                     const SnapshotCallback& rows) {
  Connection connection(options_);
  TransactionScope transaction(connection.database, TransactionScope::Kind::read);
  const TablePtr table = connection.catalog.get(connection.database, collection);
  const Position position = connection.position();
  const SqlWhere where = translate_filter(filter, *table->schema, connection.dialect);
  Statement& select = connection.database.cached(select_all(*table, where));
  const ResetGuard guard(select);
  int at = 1;
  for (const Value& parameter : where.where.parameters) {
    select.bind_value(at++, parameter, "filter");
  }
  std::vector<std::size_t> columns(table->schema->columns().size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = i;
  }
  const auto source = make_source_info();
  auto batch = std::make_shared<ChangeBatch>();
  auto storage = std::make_shared<RowStorage>();
  Scratch scratch;
  std::uint64_t count = 0;
  bool more = true;
  const auto hand_over = [&] {
    more = rows(std::exchange(batch, std::make_shared<ChangeBatch>()));
    storage = std::make_shared<RowStorage>();
  };
  while (more && select.step()) {
    std::optional<BadText> bad;
    Document document = row_document(select, *table, columns, *storage, bad);
    if (bad) {
      batch->notices.push_back(
          {batch->changes.size(), Quarantine{std::string(collection), std::move(bad->reason),
                                             std::move(bad->raw), position}});
      continue;
    }
    if (!where.exact && !filter.matches(document, scratch)) {
      continue;
    }
    scratch.clear();
    Change change;
    change.op = Op::snapshot;
    change.schema = table->schema;
    change.after = std::move(document);
    change.position = position;
    change.transaction.seq = ++count;
    change.source = source;
    batch->changes.push_back(std::move(change));
    if (batch->changes.size() + batch->notices.size() >= kBatchRows) {
      hand_over();
    }
  }
  if (more && !(batch->changes.empty() && batch->notices.empty())) {
    hand_over();
  }
  return more ? position : Position();
}

}  // namespace ustream::sqlite
