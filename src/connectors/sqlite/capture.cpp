#include "connectors/sqlite/capture.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "ustream/json.hpp"

#include "base/bytes.hpp"
#include "connectors/sqlite/triggers.hpp"

namespace ustream::sqlite {
namespace {

constexpr const char* kFormat = "1";

std::string random_epoch() {
  std::random_device device;
  const std::uint64_t bits = (std::uint64_t{device()} << 32U) | device();
  constexpr const char* kHex = "0123456789abcdef";
  std::string text;
  for (unsigned shift = 0; shift < 64; shift += 4) {
    text += kHex[(bits >> shift) & 0xfU];
  }
  return text;
}

Value index_list(const std::vector<std::size_t>& indexes) {
  Value::Array list;
  for (const std::size_t index : indexes) {
    list.emplace_back(static_cast<std::int64_t>(index));
  }
  return list;
}

const Value& member(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  if (value == nullptr) {
    throw Error(ErrorKind::corrupt,
                "the table _ustream_shape is damaged; run `ustream uninstall` and start again",
                RetryAdvice::never, {}, "no member " + std::string(name));
  }
  return *value;
}

std::vector<std::size_t> parse_indexes(const Value& list, std::size_t columns) {
  std::vector<std::size_t> result;
  for (const Value& index : list.as_array()) {
    const std::int64_t number = index.as_int64();
    if (number < 0 || static_cast<std::size_t>(number) >= columns) {
      throw Error(ErrorKind::corrupt,
                  "the table _ustream_shape is damaged; run `ustream uninstall` and start again");
    }
    result.push_back(static_cast<std::size_t>(number));
  }
  return result;
}

/// The shape of a table that is gone bears the table's name and a NUL, which no table's name has.
std::string_view live_name(std::string_view name) {
  return name.substr(0, name.find('\0'));
}

}  // namespace

Shape Shape::of(const Table& table) {
  Shape shape;
  shape.schema = table.schema;
  shape.codec = table.codec;
  shape.uniques = table.uniques;
  return shape;
}

std::string Shape::description() const {
  Value::Array columns;
  for (const Column& column : schema->columns()) {
    columns.emplace_back(Value::Object{{"name", column.name},
                                       {"type", column.declared_type},
                                       {"affinity", static_cast<std::int64_t>(column.affinity)},
                                       {"nullable", column.nullable}});
  }
  Value::Array unique_sets;
  for (const UniqueSet& set : uniques) {
    Value::Array collations;
    for (const std::string& collation : set.collations) {
      collations.emplace_back(collation);
    }
    unique_sets.emplace_back(
        Value::Object{{"columns", index_list(set.columns)}, {"collations", std::move(collations)}});
  }
  return to_json(Value(Value::Object{{"columns", std::move(columns)},
                                     {"key", index_list(schema->key_columns())},
                                     {"uniques", std::move(unique_sets)}}));
}

Shape Shape::parse(std::int64_t id, std::int64_t started, std::string_view table,
                   std::string_view description) {
  const Value root = parse_json(description);
  std::vector<Column> columns;
  for (const Value& entry : member(root, "columns").as_array()) {
    Column column;
    column.name = member(entry, "name").as_string();
    column.declared_type = member(entry, "type").as_string();
    column.affinity = static_cast<KeyAffinity>(member(entry, "affinity").as_int64() & 3);
    column.nullable = member(entry, "nullable").as_bool();
    columns.push_back(std::move(column));
  }
  const std::size_t count = columns.size();
  Shape shape;
  shape.id = id;
  shape.started = started;
  for (const Value& entry : member(root, "uniques").as_array()) {
    UniqueSet set;
    set.columns = parse_indexes(member(entry, "columns"), count);
    for (const Value& collation : member(entry, "collations").as_array()) {
      set.collations.push_back(collation.as_string());
    }
    set.collations.resize(set.columns.size(), "BINARY");
    shape.uniques.push_back(std::move(set));
  }
  shape.schema = std::make_shared<const Schema>(std::string(table), std::move(columns),
                                                parse_indexes(member(root, "key"), count),
                                                static_cast<std::uint64_t>(id));
  shape.codec = std::make_shared<const RowCodec>(shape.schema);
  return shape;
}

bool Shape::same_definition(const Shape& other) const {
  return schema->collection() == other.schema->collection() && description() == other.description();
}

LogState read_log_state(Database& database) {
  LogState state;
  state.epoch = database.query_text("SELECT value FROM _ustream_meta WHERE name = 'epoch'");
  state.first = database.query_int64("SELECT min(seq) FROM _ustream_log");
  state.last = database.query_int64("SELECT max(seq) FROM _ustream_log");
  return state;
}

std::shared_ptr<const PositionOrigin> make_origin(std::string epoch) {
  return std::make_shared<const PositionOrigin>(PositionOrigin{"sqlite", std::move(epoch)});
}

Position make_position(std::shared_ptr<const PositionOrigin> origin, std::int64_t seq,
                       std::uint16_t sub) {
  std::string key;
  base::put_big_endian(key, static_cast<std::uint64_t>(seq));
  base::put_big_endian(key, sub);
  return {std::move(origin), std::move(key)};
}

LogPlace parse_place(const Position& position) {
  if (!position || position.origin().source != "sqlite" || position.order_key().size() != 10) {
    throw ValidationError("this cursor is not of a SQLite source");
  }
  const std::string_view key = position.order_key();
  return {static_cast<std::int64_t>(base::get_big_endian<std::uint64_t>(key.data())),
          base::get_big_endian<std::uint16_t>(key.data() + 8)};
}

ShapePtr load_shape(Database& database, std::int64_t id) {
  Statement& select =
      database.cached("SELECT started, tbl, description FROM _ustream_shape WHERE id = ?1");
  const ResetGuard guard(select);
  select.bind(1, id);
  if (!select.step()) {
    throw Error(ErrorKind::corrupt,
                "the change log refers to a table definition that is gone; run `ustream uninstall` "
                "and start again",
                RetryAdvice::never, {}, "shape " + std::to_string(id));
  }
  return std::make_shared<const Shape>(
      Shape::parse(id, select.int64(0), live_name(select.text(1)), select.text(2)));
}

ShapePtr newest_shape(Database& database, std::string_view table) {
  std::int64_t id = 0;
  {
    Statement& select = database.cached("SELECT max(id) FROM _ustream_shape WHERE tbl = ?1");
    const ResetGuard guard(select);
    select.bind(1, table);
    if (!select.step() || select.is_null(0)) {
      return nullptr;
    }
    id = select.int64(0);
  }
  return load_shape(database, id);
}

void Capture::create_log() {
  database_.execute("CREATE TABLE _ustream_meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID");
  database_.execute(
      "CREATE TABLE _ustream_shape(id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, started INTEGER NOT "
      "NULL, "
      "description TEXT NOT NULL)");
  database_.execute("CREATE TABLE _ustream_log(seq INTEGER PRIMARY KEY, kind, ts, c0)");
  Statement& insert = database_.cached("INSERT INTO _ustream_meta(name, value) VALUES(?1, ?2)");
  const auto put = [&](std::string_view name, std::string_view value) {
    insert.bind(1, name);
    insert.bind(2, value);
    insert.run();
  };
  put("format", kFormat);
  put("epoch", random_epoch());
}

bool Capture::set_journal_mode(const std::string& mode) {
  try {
    return database_.query_text("PRAGMA main.journal_mode = " + quote_literal(mode)) == mode;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::busy) {
      return false;  // others have the database open
    }
    throw;
  }
}

bool Capture::switch_to_wal() {
  const std::string mode = database_.query_text("PRAGMA main.journal_mode");
  // Capture works without WAL too, only less smoothly: readers and writers then wait for each
  // other.
  if (mode == "wal" || !set_journal_mode("wal")) {
    return false;
  }
  Statement& remember =
      database_.cached("INSERT OR REPLACE INTO _ustream_meta(name, value) VALUES('journal', ?1)");
  remember.bind(1, mode);
  remember.run();
  return true;
}

void Capture::widen_log(std::size_t columns) {
  // seq, kind and ts stand before the values.
  const auto present = static_cast<std::size_t>(
      database_.query_int64("SELECT count(*) - 3 FROM pragma_table_info('_ustream_log')"));
  for (std::size_t i = present; i < columns; ++i) {
    database_.execute("ALTER TABLE _ustream_log ADD COLUMN c" + std::to_string(i));
  }
}

void Capture::log_row(std::int64_t shape, LogOp op, std::string_view text) {
  Statement& insert =
      database_.cached("INSERT INTO _ustream_log(kind, ts, c0) VALUES(?1, julianday(), ?2)");
  insert.bind(1, shape * 8 + static_cast<std::int64_t>(op));
  insert.bind(2, text);
  insert.run();
}

Capture::Installed Capture::inspect(const std::string& table, const TablePtr& definition) {
  Installed installed;
  installed.shape = newest_shape(database_, table);
  if (!installed.shape || !definition) {
    return installed;
  }
  const auto expected = capture_triggers(*definition, installed.shape->id);
  std::size_t found = 0;
  std::size_t equal = 0;
  {
    Statement& select = database_.cached(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 AND name "
        "LIKE "
        "'\\_ustream\\_%' ESCAPE '\\'");
    const ResetGuard guard(select);
    select.bind(1, table);
    while (select.step()) {
      const std::string_view name = select.text(0);
      const auto match = std::find_if(expected.begin(), expected.end(),
                                      [&](const auto& trigger) { return trigger.first == name; });
      found += match != expected.end() ? 1U : 0U;
      equal += match != expected.end() && match->second == select.text(1) ? 1U : 0U;
    }
  }
  const bool same = installed.shape->same_definition(Shape::of(*definition));
  // Triggers that are there but read differently were rewritten by ALTER TABLE: they captured all
  // the time.
  if (found < 3) {
    installed.health = Health::missing;
  } else {
    installed.health =
        same && found == expected.size() && equal == found ? Health::ok : Health::outdated;
  }
  return installed;
}

void Capture::drop_triggers(const std::string& table) {
  std::vector<std::string> names;
  {
    Statement& select = database_.cached(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 AND name LIKE "
        "'\\_ustream\\_%' ESCAPE '\\'");
    const ResetGuard guard(select);
    select.bind(1, table);
    while (select.step()) {
      names.emplace_back(select.text(0));
    }
  }
  for (const std::string& name : names) {
    database_.execute("DROP TRIGGER " + quote_identifier(name));
  }
}

void Capture::drop_stray_triggers() {
  // ALTER TABLE … RENAME takes our triggers along to the new name, where they would go on logging
  // under the old one.
  std::vector<std::string> strays;
  {
    Statement& select = database_.cached(
        "SELECT t.name FROM sqlite_schema AS t JOIN _ustream_shape AS s ON t.name GLOB '_ustream_' "
        "|| s.id || "
        "'_*' WHERE t.type = 'trigger' AND s.tbl <> t.tbl_name");
    const ResetGuard guard(select);
    while (select.step()) {
      strays.emplace_back(select.text(0));
    }
  }
  for (const std::string& name : strays) {
    database_.execute("DROP TRIGGER " + quote_identifier(name));
  }
}

std::int64_t Capture::renew(const std::string& table, const TablePtr& definition,
                            const Installed& installed) {
  drop_triggers(table);
  Shape shape = Shape::of(*definition);
  const std::int64_t last = database_.query_int64("SELECT max(seq) FROM _ustream_log");
  // Even where the log is empty, the table's capture starts after something: seq 0 is before all
  // rows.
  shape.started = installed.shape ? installed.shape->started : last + 1;
  {
    Statement& insert = database_.cached(
        "INSERT INTO _ustream_shape(tbl, started, description) VALUES(?1, ?2, ?3)");
    insert.bind(1, table);
    insert.bind(2, shape.started);
    insert.bind(3, shape.description());
    insert.run();
  }
  shape.id = database_.last_insert_rowid();
  widen_log(shape.schema->columns().size());
  database_.execute(pad_table(*definition, shape.id));
  for (const auto& [name, sql] : capture_triggers(*definition, shape.id)) {
    database_.execute(sql);
  }
  if (!installed.shape) {
    log_row(shape.id, LogOp::started, {});
    return shape.id;
  }
  database_.execute("DROP TABLE IF EXISTS " + pad_name(installed.shape->id));
  log_row(shape.id, LogOp::ddl, definition->definition);
  log_row(shape.id, LogOp::gap,
          installed.health == Health::missing
              ? "the table was made anew, and with it went the capture of its changes"
              : "the table's definition changed while its changes were captured");
  return shape.id;
}

std::vector<std::string> Capture::install(const std::vector<std::string>& tables) {
  std::vector<std::string> notes;
  const auto all_ok = [&] {
    return catalog_.has_log(database_) &&
           std::all_of(tables.begin(), tables.end(), [&](const std::string& table) {
             const TablePtr definition = catalog_.get(database_, table);
             return inspect(table, definition).health == Health::ok;
           });
  };
  for (const std::string& table : tables) {
    (void)catalog_.get(database_, table);
  }
  if (all_ok()) {
    return notes;
  }
  if (database_.read_only()) {
    throw ConnectionError(
        "the database is read-only, so the capture of changes cannot be installed; make the file "
        "and its "
        "directory writable",
        RetryAdvice::never);
  }
  {
    TransactionScope transaction(database_, TransactionScope::Kind::write);
    if (!catalog_.has_log(database_)) {
      create_log();
    }
    drop_stray_triggers();
    for (const std::string& table : tables) {
      const TablePtr definition = catalog_.get(database_, table);
      if (const Installed installed = inspect(table, definition); installed.health != Health::ok) {
        renew(table, definition, installed);
      }
    }
    transaction.commit();
  }
  if (switch_to_wal()) {
    notes.emplace_back(
        "the database file was switched to write-ahead logging, which is lasting; `ustream "
        "uninstall` "
        "undoes it");
  }
  return notes;
}

bool Capture::verify(const std::vector<std::string>& tables) {
  const auto healthy = [&](const std::string& table) {
    const TablePtr definition = catalog_.find(database_, table);
    if (!definition) {
      // Gone: told once, then remembered by the shape's row.
      return !newest_shape(database_, table);
    }
    return inspect(table, definition).health == Health::ok;
  };
  if (!catalog_.has_log(database_) || std::all_of(tables.begin(), tables.end(), healthy)) {
    return false;
  }
  TransactionScope transaction(database_, TransactionScope::Kind::write);
  drop_stray_triggers();
  for (const std::string& table : tables) {
    if (healthy(table)) {
      continue;
    }
    if (const TablePtr definition = catalog_.find(database_, table)) {
      const Installed installed = inspect(table, definition);
      const std::int64_t shape = renew(table, definition, installed);
      if (!installed.shape) {
        log_row(shape, LogOp::gap, "the table came back after it was gone");
      }
      continue;
    }
    const ShapePtr shape = newest_shape(database_, table);
    log_row(shape->id, LogOp::ddl, "DROP TABLE " + quote_identifier(table));
    log_row(shape->id, LogOp::gap, "the table is gone");
    // The name is free again: should a table of this name come back, its capture starts afresh.
    // Shapes stay, since log rows refer to them, under a name no table can have.
    Statement& retire =
        database_.cached("UPDATE _ustream_shape SET tbl = tbl || char(0) WHERE tbl = ?1");
    retire.bind(1, table);
    retire.run();
    database_.execute("DROP TABLE IF EXISTS " + pad_name(shape->id));
  }
  transaction.commit();
  return true;
}

std::int64_t Capture::trim(double max_age_seconds, std::int64_t max_rows, std::int64_t chunk) {
  if (!catalog_.has_log(database_)) {
    return 0;
  }
  const std::int64_t first = database_.query_int64("SELECT min(seq) FROM _ustream_log");
  const std::int64_t last = database_.query_int64("SELECT max(seq) FROM _ustream_log");
  std::int64_t end = std::max(first, last - max_rows + 1);  // first seq to keep for its number
  {
    // Rows are in order of time, but for clocks set back, so the first young row ends the search.
    Statement& old = database_.cached(
        "SELECT seq FROM _ustream_log WHERE seq < ?1 AND ts >= julianday() - ?2 / 86400.0 ORDER BY "
        "seq LIMIT 1");
    const ResetGuard guard(old);
    old.bind(1, last);
    sqlite3_bind_double(old.handle(), 2, max_age_seconds);
    end = std::max(end, old.step() ? old.int64(0) : last);
  }
  end = std::min({end, first + chunk, last});
  if (end <= first) {
    return 0;
  }
  Statement& erase = database_.cached("DELETE FROM _ustream_log WHERE seq < ?1");
  erase.bind(1, end);
  erase.run();
  return database_.changes();
}

std::vector<std::string> Capture::uninstall() {
  std::vector<std::string> removed;
  std::string journal;
  {
    TransactionScope transaction(database_, TransactionScope::Kind::write);
    if (catalog_.has_log(database_)) {
      journal = database_.query_text("SELECT value FROM _ustream_meta WHERE name = 'journal'");
    }
    for (const char* type : {"trigger", "table"}) {
      std::vector<std::string> names;
      {
        Statement& select = database_.cached(
            "SELECT name FROM sqlite_schema WHERE type = ?1 AND name LIKE '\\_ustream\\_%' ESCAPE "
            "'\\' ORDER BY "
            "name");
        const ResetGuard guard(select);
        select.bind(1, type);
        while (select.step()) {
          names.emplace_back(select.text(0));
        }
      }
      for (const std::string& name : names) {
        database_.execute("DROP " + std::string(type) + " " + quote_identifier(name));
        removed.push_back(std::string(type) + " " + name);
      }
    }
    transaction.commit();
  }
  if (!journal.empty()) {
    removed.push_back(
        set_journal_mode(journal)
            ? "write-ahead logging (the journal mode is '" + journal + "' again)"
            : "not the journal mode: others have the database open, so it stays 'wal'");
  }
  return removed;
}

}  // namespace ustream::sqlite
