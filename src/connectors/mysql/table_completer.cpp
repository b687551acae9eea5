#include "connectors/mysql/table_completer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace ustream::mysql {
namespace {

/// "2026-01-31 10:00:00" of a session in UTC, as seconds since 1970.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = -1;
    if (at + size <= text.size()) {
      std::from_chars(text.data() + at, text.data() + at + size, value);
    }
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!date.ok() || hour < 0 || minute < 0 || second < 0) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/// Whether a column of the log can be one of this definition.
bool fits(const BinlogColumn& sent, const TableColumn& column) {
  const std::string& type = column.data_type;
  const auto one_of = [&](std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  switch (sent.type) {
    case ColumnType::tiny:
      return one_of({"tinyint"});
    case ColumnType::small:
      return one_of({"smallint"});
    case ColumnType::medium:
      return one_of({"mediumint"});
    case ColumnType::integer:
      return one_of({"int"});
    case ColumnType::big:
      return one_of({"bigint"});
    case ColumnType::float32:
      return one_of({"float"});
    case ColumnType::float64:
      return one_of({"double"});
    case ColumnType::decimal:
      return one_of({"decimal"}) && (sent.meta >> 8U) == column.precision &&
             (sent.meta & 0xffU) == column.digits;
    case ColumnType::timestamp:
    case ColumnType::timestamp2:
      return one_of({"timestamp"});
    case ColumnType::datetime:
    case ColumnType::datetime2:
      return one_of({"datetime"});
    case ColumnType::time:
    case ColumnType::time2:
      return one_of({"time"});
    case ColumnType::date:
    case ColumnType::new_date:
      return one_of({"date"});
    case ColumnType::year:
      return one_of({"year"});
    case ColumnType::bit:
      return one_of({"bit"});
    case ColumnType::enumeration:
      return one_of({"enum"});
    case ColumnType::set:
      return one_of({"set"});
    case ColumnType::varchar:
    case ColumnType::varchar_compressed:
    case ColumnType::var_string:
      return one_of({"varchar", "varbinary"});
    case ColumnType::string:
      return one_of({"char", "binary", "uuid", "inet4", "inet6"});
    case ColumnType::json:
      return one_of({"json"});
    case ColumnType::vector:
      return one_of({"vector"});
    case ColumnType::geometry:
      return column.kind == ColumnKind::geometry;
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
      return type.ends_with("text") || type.ends_with("blob") || one_of({"json", "vector"});
    case ColumnType::null:
      return false;
  }
  return false;
}

bool all_fit(const TableMap& map, const Table& table) {
  return std::equal(map.columns.begin(), map.columns.end(), table.columns.begin(),
                    table.columns.end(), fits);
}

void take_names(TableMap& map, const Table& table) {
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    BinlogColumn& column = map.columns[i];
    const TableColumn& known = table.columns[i];
    column.name = known.name;
    column.is_unsigned = known.is_unsigned;
    column.labels = known.labels;
    if (known.collation_id != 0) {
      column.charset = charset_of(known.collation_id);
    }
  }
  map.has_names = true;
}

}  // namespace

std::string complete_table(TableMap& map, const Table& table, std::uint32_t timestamp) {
  const bool had_names = map.has_names;
  if (!had_names) {
    const auto defined = seconds_of(table.create_time);
    if (defined && *defined > std::int64_t{timestamp}) {
      return "the table was defined anew after this row, and the log has no column names: set "
             "binlog_row_metadata=FULL, and take a new snapshot";
    }
    if (!all_fit(map, table)) {
      return "the log has no column names, and the table has other columns now: set "
             "binlog_row_metadata=FULL, and take a new snapshot";
    }
    take_names(map, table);
  }
  std::vector<std::size_t> key = map.schema->key_columns();
  for (BinlogColumn& column : map.columns) {
    const auto index = table.schema->find(column.name);
    if (index && fits(column, table.columns[*index])) {
      column.known_as = known_type(table.columns[*index].data_type);
    }
  }
  if (!had_names) {
    key = table.schema->key_columns();
  }
  map.schema = schema_of(map, key);
  return {};
}

}  // namespace ustream::mysql
