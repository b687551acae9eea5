#include "connectors/sqlite/log_reader.hpp"

#include <algorithm>
#include <cmath>

namespace ustream::sqlite {
namespace {

/// Rows read in one statement; a group of more is read in several short read transactions.
constexpr std::int64_t kChunkRows = 4096;
/// A statement ends early once its row images have so many bytes.
constexpr std::size_t kChunkBytes = 4ULL << 20;
/// How far back a resume within a group looks to find the candidates and before-images of its first
/// row.
constexpr std::int64_t kLookBack = 256;
/// Columns of the log before the values.
constexpr int kFirstValue = 3;

class SqliteSourceInfo final : public SourceInfo {
 public:
  void write_json(std::string& out, const Position& position) const override {
    out += R"({"db":"sqlite","seq":)";
    out += std::to_string(parse_place(position).seq);
    out += '}';
  }
};

constexpr const char* kAdvice =
    "; take a new snapshot and go on from its position (watch --snapshot, without the old cursor)";

[[noreturn]] void lost(const std::string& why) {
  throw StreamingError(why + kAdvice, ErrorKind::history_lost, RetryAdvice::resnapshot);
}

/// 2440587.5 is 1970-01-01T00:00:00Z as a Julian day. SQLite's clock has milliseconds.
std::optional<Timestamp> from_julian_day(const ValueView& value) {
  if (value.type() != ValueType::float64) {
    return std::nullopt;
  }
  const double millis = (value.float64() - 2440587.5) * 86'400'000.0;
  if (!(std::abs(millis) < 1e15)) {
    return std::nullopt;
  }
  return Timestamp{std::llround(millis) * 1000};
}

}  // namespace

std::shared_ptr<const SourceInfo> make_source_info() {
  return std::make_shared<const SqliteSourceInfo>();
}

const std::shared_ptr<const PositionOrigin>& LogReader::origin() {
  if (database_.query_int64(
          "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_ustream_meta'") ==
      0) {
    lost("the database has no change log any more: it was uninstalled, or the file is another one");
  }
  std::string epoch = database_.query_text("SELECT value FROM _ustream_meta WHERE name = 'epoch'");
  if (!origin_ || origin_->epoch != epoch) {
    origin_ = make_origin(std::move(epoch));
    shapes_.clear();
  }
  return origin_;
}

Position LogReader::end() {
  TransactionScope transaction(database_, TransactionScope::Kind::read);
  const auto& origin_now = origin();
  Position position = make_position(
      origin_now, database_.query_int64("SELECT max(seq) FROM _ustream_log"), kBoundarySub);
  transaction.commit();
  return position;
}

void LogReader::check(const Position& from) {
  const LogPlace place = parse_place(from);
  TransactionScope transaction(database_, TransactionScope::Kind::read);
  if (from.origin().epoch != origin()->epoch) {
    lost("the cursor belongs to another database, or to a capture that was removed since");
  }
  const LogState state = read_log_state(database_);
  if (place.seq > state.last) {
    lost("the cursor is ahead of the change log: the database was restored from an older copy");
  }
  // A boundary needs the rows after it, any other place its own row too.
  const std::int64_t needed = place.sub == kBoundarySub ? place.seq + 1 : place.seq;
  if (state.first > needed && place.seq != state.last) {
    lost("the change log was trimmed beyond the cursor");
  }
  transaction.commit();
}

std::vector<Resync> LogReader::captured_later(const Position& from,
                                              const std::set<std::string, std::less<>>& tables) {
  const LogPlace place = parse_place(from);
  std::vector<Resync> late;
  TransactionScope transaction(database_, TransactionScope::Kind::read);
  for (const std::string& table : tables) {
    // A table's capture begins with a row of its own: what was before it is not in the log.
    const ShapePtr newest = newest_shape(database_, table);
    if (newest && newest->started > place.seq) {
      late.push_back({ResyncReason::history_lost, table,
                      "changes of '" + table + "' were not captured yet at the cursor" + kAdvice,
                      make_position(origin(), newest->started, 0)});
    }
  }
  transaction.commit();
  return late;
}

const ShapePtr& LogReader::shape(std::int64_t id) {
  const auto found = shapes_.find(id);
  if (found != shapes_.end()) {
    return found->second;
  }
  return shapes_.emplace(id, load_shape(database_, id)).first->second;
}

void LogReader::push_row(Statement& select, const ShapePtr& shape,
                         std::shared_ptr<RowStorage>& storage, LogDecoder& decoder) const {
  LogRow row;
  row.seq = select.int64(0);
  row.op = static_cast<LogOp>(select.int64(1) & 7);
  row.shape = shape;
  row.timestamp = from_julian_day(select.value(2));
  if (row.op >= LogOp::ddl) {
    row.text = select.text(kFirstValue);
    return decoder.push(row);
  }
  const std::size_t columns = shape->schema->columns().size();
  const auto present = static_cast<std::size_t>(select.column_count() - kFirstValue);
  storage->begin(shape->codec);
  for (std::size_t i = 0; i < std::min(columns, present); ++i) {
    const ValueView value = select.value(kFirstValue + static_cast<int>(i));
    if (!storage->set(i, value)) {
      return decoder.push_bad(row.seq, shape, not_utf8(shape->schema->columns()[i].name),
                              std::string(value.text()));
    }
  }
  row.image = storage->finish();
  decoder.push(row);
}

std::int64_t LogReader::read_chunk(std::int64_t after, std::int64_t until,
                                   std::int64_t first_needed,
                                   const std::set<std::string, std::less<>>& tables,
                                   LogDecoder& decoder) {
  Statement& select = database_.cached(
      "SELECT * FROM _ustream_log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3");
  const ResetGuard guard(select);
  select.bind(1, after);
  select.bind(2, until);
  select.bind(3, kChunkRows);
  auto storage = std::make_shared<RowStorage>();
  std::int64_t last = 0;
  // Rows of one table mostly come together.
  std::int64_t shape_id = -1;
  ShapePtr row_shape;
  bool wanted = false;
  while (select.step()) {
    // seq has no holes, so a first row further on means that the log was trimmed while a slow
    // consumer held us up.
    if (last == 0 && after >= first_needed && select.int64(0) != after + 1) {
      lost("the change log was trimmed beyond the reader");
    }
    last = select.int64(0);
    if (const std::int64_t id = select.int64(1) >> 3; id != shape_id) {
      row_shape = shape(id);
      shape_id = id;
      wanted = tables.contains(row_shape->schema->collection());
    }
    if (wanted) {
      push_row(select, row_shape, storage, decoder);
      if (storage->bytes() >= kChunkBytes) {
        break;
      }
    }
  }
  return last;
}

bool LogReader::read_group(LogPlace& place, std::int64_t until,
                           const std::set<std::string, std::less<>>& tables, ChangeSink& sink,
                           const std::stop_token& stop) {
  std::int64_t end = 0;
  {
    TransactionScope transaction(database_, TransactionScope::Kind::read);
    end = database_.query_int64("SELECT max(seq) FROM _ustream_log");
    transaction.commit();
  }
  end = until == 0 ? end : std::min(end, until);
  if (end <= place.seq && (place.sub == kBoundarySub || end < place.seq)) {
    return true;
  }
  if (!source_info_) {
    source_info_ = make_source_info();
  }
  LogDecoder decoder(origin(), place, source_info_);
  // Rows before a boundary belong to other transactions; only a resume in mid-group needs them.
  std::int64_t at =
      place.sub == kBoundarySub ? place.seq : std::max<std::int64_t>(0, place.seq - kLookBack);
  while (at < end) {
    const std::int64_t last = read_chunk(at, end, place.seq, tables, decoder);
    if (last == 0) {
      break;
    }
    at = last;
    if (at < end && decoder.pending() > 1 && !sink.deliver(decoder.take())) {
      return false;
    }
    if (stop.stop_requested()) {
      return false;
    }
  }
  if (!sink.deliver(decoder.finish(end))) {
    return false;
  }
  place = {end, kBoundarySub};
  return true;
}

}  // namespace ustream::sqlite
