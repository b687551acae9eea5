// Control flow: push() -> dispatch() -> a group opens (GTID, BEGIN) -> table maps and rows ->
// commit(). Rows become changes in rows_decoder.cpp.
#include "connectors/mysql/binlog_decoder.hpp"

#include <algorithm>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/inflate.hpp"
#include "connectors/mysql/payload_reader.hpp"
#include "connectors/mysql/rows_scope.hpp"

namespace ustream::mysql {
namespace {

constexpr std::size_t kMaxQuarantinedBytes = 64U << 10U;

}  // namespace

void BinlogDecoder::start(std::shared_ptr<const PositionOrigin> origin, ReadPoint point,
                          OrderKey after) {
  origin_ = std::move(origin);
  point_ = std::move(point);
  told_ = after;
  key_ = {};
  group_open_ = false;
  stopped_ = false;
  batch_ = std::make_shared<ChangeBatch>();
  tables_.clear();
  prepared_.clear();
  xa_id_.clear();
  xa_changes_.clear();
}

bool BinlogDecoder::push(const std::shared_ptr<const std::string>& owner, std::string_view event,
                         const EventPlace& place) {
  place_ = place;
  if (event.size() < EventHeader::kSize) {
    quarantine({}, "an event that is shorter than its header", event);
    return !stopped_;
  }
  header_ = EventHeader::parse(event);
  event_end_ = place.offset + std::max<std::uint64_t>(header_.size, event.size());
  dispatch(owner, event);
  return !stopped_;
}

bool BinlogDecoder::push_damage(std::string reason, std::string_view raw, const EventPlace& place) {
  place_ = place;
  quarantine({}, std::move(reason), raw);
  return !stopped_;
}

void BinlogDecoder::dispatch(const std::shared_ptr<const std::string>& owner,
                             std::string_view event) {
  const std::string_view body = event.substr(EventHeader::kSize);
  if (const auto rows = RowsEvent::of(header_.type)) {
    read_rows(owner, body, *rows);
    return;
  }
  switch (header_.type) {
    case EventType::format_description:
      read_format(body);
      return;
    case EventType::table_map:
      read_table_map(body);
      return;
    case EventType::query:
    case EventType::query_compressed:
      read_query(body);
      return;
    case EventType::xid:
      commit();
      return;
    case EventType::xa_prepare:
      read_xa_prepare(body);
      return;
    case EventType::gtid:
    case EventType::tagged_gtid:
    case EventType::mariadb_gtid:
      read_gtid(body);
      return;
    case EventType::anonymous_gtid:
      open_group();
      return;
    case EventType::previous_gtids:
    case EventType::mariadb_gtid_list:
      read_gtid_list(body);
      return;
    case EventType::transaction_payload:
      read_payload(body);
      return;
    case EventType::stop:
    case EventType::rotate:
    case EventType::heartbeat:
    case EventType::heartbeat_v2:
    case EventType::rows_query:
    case EventType::annotate_rows:
    case EventType::binlog_checkpoint:
      return;
    case EventType::incident:
      quarantine({}, "an incident: the server says that it lost changes here", event);
      return;
    case EventType::start_encryption:
      if (!header_.flags) {
        quarantine({}, "the rest of the file is encrypted; read it through the server", event);
      }
      return;
    default:
      if ((header_.flags & EventHeader::kIgnorable) == 0) {
        quarantine({},
                   "an event of a type that is not known here: " +
                       std::to_string(static_cast<unsigned>(header_.type)),
                   event);
      }
  }
}

// --- files

bool BinlogDecoder::end_file() {
  if (!xa_changes_.empty()) {
    quarantine({}, "the file ends inside an XA transaction; its changes are not told", {});
    xa_changes_.clear();
  }
  xa_id_.clear();
  tables_.clear();
  group_open_ = false;
  transaction_.reset();
  hand_over();
  return !stopped_;
}

void BinlogDecoder::read_format(std::string_view body) {
  // version u16, server version char[50], created u32, header size u8, sizes …, checksum kind u8.
  constexpr std::size_t kVersionAt = 2;
  constexpr std::size_t kVersionSize = 50;
  if (body.size() < 58) {
    quarantine({}, "a format description event that is cut short", body);
    return;
  }
  is_mariadb_ = body.substr(kVersionAt, kVersionSize).find("MariaDB") != std::string_view::npos;
  // Its own checksum is always there and was not cut off: the last five bytes are kind and CRC-32.
  has_checksums_ = body[body.size() - 5] == 1;
  tables_.clear();
  if (group_open_ && (header_.flags & EventHeader::kArtificial) == 0 && seq_ > 0) {
    quarantine({}, "a transaction without an end: the server stopped while it wrote it", {});
    group_open_ = false;
  }
}

void BinlogDecoder::read_gtid_list(std::string_view body) {
  // A live stream knows where it began, and a file may be read from its middle.
  if (point_.executed || origin_->epoch != kFilesEpoch) {
    return;
  }
  point_.executed = GtidSet::parse_event(is_mariadb_ ? Flavor::mariadb : Flavor::mysql, body);
  if (!point_.executed) {
    quarantine({}, "a list of GTIDs that cannot be read", body);
  }
}

// --- groups

void BinlogDecoder::open_group() {
  group_open_ = true;
  is_standalone_ = false;
  has_gtid_ = false;
  began_ = false;
  committed_.reset();
  seq_ = 0;
  transaction_.reset();
  xa_id_.clear();
  key_ = {point_.executed ? point_.executed->count()
                          : file_order(file_number_of(*place_.file).value_or(0), place_.offset),
          0, 0};
}

void BinlogDecoder::read_gtid(std::string_view body) {
  std::optional<GtidEvent> event;
  if (header_.type == EventType::mariadb_gtid) {
    event = parse_mariadb_gtid(body, header_.server_id);
  } else {
    event = header_.type == EventType::gtid ? parse_mysql_gtid(body) : parse_tagged_gtid(body);
  }
  open_group();
  if (!event) {
    quarantine({}, "a GTID event that cannot be read", body);
    return;
  }
  gtid_ = std::move(event->gtid);
  has_gtid_ = true;
  is_standalone_ = event->is_standalone;
  xa_id_ = std::move(event->xa_id);
  if (event->committed_micros != 0) {
    committed_ = Timestamp{static_cast<std::int64_t>(event->committed_micros)};
  }
}

void BinlogDecoder::commit() {
  if (!batch_->changes.empty() && seq_ > 0) {
    batch_->changes.back().transaction.last = true;
  }
  if (has_gtid_ && point_.executed && !point_.executed->add(gtid_) &&
      gtid_.flavor == Flavor::mariadb) {
    notice(Resync{ResyncReason::history_lost,
                  {},
                  "GTID " + gtid_.text() +
                      " came after a later one of its domain; set "
                      "gtid_strict_mode=1, so that positions stay in order",
                  {}});
  }
  point_.file = *place_.file;
  point_.offset = event_end_;
  group_open_ = false;
  has_gtid_ = false;
  seq_ = 0;
  transaction_.reset();
  if (batch_->changes.size() >= kBatchChanges) {
    hand_over();
  }
}

const ReadPoint& BinlogDecoder::read_from() const {
  // A prepared XA transaction's rows stand before its commit: they have to be read again.
  const ReadPoint* first = &point_;
  const auto order = [](const ReadPoint& point) {
    return point.executed ? point.executed->count()
                          : file_order(file_number_of(point.file).value_or(0), point.offset);
  };
  for (const auto& [id, prepared] : prepared_) {
    if (order(prepared.read_from) < order(*first)) {
      first = &prepared.read_from;
    }
  }
  return *first;
}

Position BinlogDecoder::boundary() const {
  const Position here = boundary_position(origin_, point_);
  const ReadPoint& from = read_from();
  return &from == &point_ ? here : Position(origin_, here.order_key(), from.encode());
}

void BinlogDecoder::read_payload(std::string_view body) {
  PayloadReader reader(body);
  const EventHeader outer = header_;
  while (!stopped_) {
    const std::shared_ptr<const std::string> event = reader.next();
    if (!event) {
      break;
    }
    header_ = EventHeader::parse(*event);
    if (header_.type == EventType::transaction_payload) {
      quarantine({}, "a compressed transaction inside another", *event);
    } else {
      dispatch(event, *event);
    }
  }
  header_ = outer;
  if (!reader.error().empty()) {
    quarantine({}, reader.error(), body);
  }
}

// --- statements

void BinlogDecoder::read_query(std::string_view body) {
  ByteReader reader(body);
  reader.skip(8);  // thread, seconds it took
  const std::uint8_t database_size = reader.u8();
  reader.skip(2);  // error code
  const std::uint16_t variables = reader.u16();
  reader.skip(variables);
  const std::string database(reader.take(database_size));
  reader.skip(1);
  if (!reader.ok()) {
    quarantine({}, "a statement that is cut short", body);
    return;
  }
  std::string text;
  if (header_.type == EventType::query) {
    text = reader.rest();
  } else if (!inflate_event(reader.rest(), text)) {
    quarantine(database, "a statement that cannot be decompressed", body);
    return;
  }
  read_statement(database, text);
}

void BinlogDecoder::read_statement(const std::string& database, const std::string& text) {
  const LoggedStatement statement = parse_statement(text, database);
  switch (statement.kind) {
    case LoggedStatement::Kind::begin:
      if (!group_open_) {
        open_group();
      }
      began_ = true;
      return;
    case LoggedStatement::Kind::other:
      if (is_standalone_ || (!is_mariadb_ && group_open_ && !began_)) {
        commit();  // a GRANT and the like is a group by itself
      }
      return;
    case LoggedStatement::Kind::commit:
      commit();
      return;
    case LoggedStatement::Kind::xa_start:
      if (!group_open_) {
        open_group();
      }
      began_ = true;
      xa_id_ = statement.xa_id;
      return;
    case LoggedStatement::Kind::xa_commit:
    case LoggedStatement::Kind::xa_rollback:
      end_xa(statement.xa_id, statement.kind == LoggedStatement::Kind::xa_commit);
      return;
    case LoggedStatement::Kind::ddl:
    case LoggedStatement::Kind::truncate:
      read_definition(statement, text);
      return;
    case LoggedStatement::Kind::rows:
      if (host_.concerns(database, text)) {
        quarantine(database,
                   "a change that was logged as a statement, not as rows: set binlog_format=ROW",
                   text);
      }
      return;
  }
}

void BinlogDecoder::read_definition(const LoggedStatement& statement, const std::string& text) {
  if (!group_open_) {
    open_group();
  }
  for (const TableName& table : statement.tables) {
    host_.defined(table);
    const std::optional<std::string> name = host_.collection(table);
    if (!name) {
      continue;
    }
    if (!is_valid_utf8(text) || !is_valid_utf8(*name)) {
      quarantine(*name, "a definition statement that is not UTF-8", text);
    } else if (name->empty()) {
      notice(Resync{ResyncReason::schema, {}, "the database was defined anew: " + text, {}});
    } else {
      Change change;
      change.op = statement.kind == LoggedStatement::Kind::truncate ? Op::truncate : Op::ddl;
      change.statement = text;
      next_event_key();
      add(std::move(change), scope(std::make_shared<const Schema>(*name, std::vector<Column>(),
                                                                  std::vector<std::size_t>())));
    }
  }
  // Its rows follow in the same transaction after CREATE TABLE … SELECT.
  if (is_mariadb_ ? (is_standalone_ || !has_gtid_) : !statement.begins_transaction) {
    commit();
  }
}

// --- XA

void BinlogDecoder::read_xa_prepare(std::string_view body) {
  // One phase: u8, format u32, sizes of gtrid and bqual u32 each, their bytes.
  ByteReader reader(body);
  const bool one_phase = reader.u8() != 0;
  const std::uint32_t format = reader.u32();
  const std::uint32_t gtrid = reader.u32();
  const std::uint32_t bqual = reader.u32();
  const std::string_view data = reader.take(std::size_t{gtrid} + bqual);
  if (!reader.ok()) {
    quarantine({}, "the end of an XA transaction that is cut short", body);
    return;
  }
  std::vector<Change> changes = std::exchange(xa_changes_, {});
  xa_id_.clear();
  if (one_phase) {
    for (Change& change : changes) {
      next_event_key();
      const SchemaPtr schema = change.schema;
      add(std::move(change), scope(schema));
    }
  } else if (!changes.empty()) {
    prepared_[xa_id_text(data.substr(0, gtrid), data.substr(gtrid), format)] = {std::move(changes),
                                                                                point_};
  }
  commit();
}

void BinlogDecoder::end_xa(const std::string& id, bool commits) {
  if (!group_open_) {
    open_group();
  }
  auto prepared = prepared_.extract(id);
  if (commits && !prepared.empty()) {
    for (Change& change : prepared.mapped().changes) {
      next_event_key();
      const SchemaPtr schema = change.schema;
      add(std::move(change), scope(schema));
    }
  }
  commit();
}

// --- out

void BinlogDecoder::next_event_key() {
  ++key_.event;
  key_.row = 0;
}

void BinlogDecoder::next_row_key() {
  if (++key_.row == OrderKey::kMaxRow) {
    next_event_key();
    key_.row = 1;
  }
}

std::shared_ptr<BinlogDecoder::Transaction> BinlogDecoder::transaction() {
  if (!transaction_) {
    transaction_ = std::make_shared<Transaction>();
    transaction_->gtid = has_gtid_ ? gtid_.text() : std::string();
    transaction_->detail = read_from().encode();
    transaction_->is_mariadb = is_mariadb_;
    transaction_->server_id = header_.server_id;
    transaction_->file = place_.file;
    transaction_->origin = origin_;
  }
  return transaction_;
}

std::shared_ptr<BinlogDecoder::RowsScope> BinlogDecoder::scope(SchemaPtr schema) {
  auto scope = std::make_shared<RowsScope>();
  scope->transaction = transaction();
  scope->schema = std::move(schema);
  scope->offset = place_.offset;
  return scope;
}

void BinlogDecoder::add(Change change, const std::shared_ptr<const RowsScope>& scope) {
  next_row_key();
  ++seq_;
  if (key_ <= told_) {
    return;
  }
  change.schema = SchemaPtr(scope, scope->schema.get());
  change.source = scope;
  change.position = Position(
      std::shared_ptr<const PositionOrigin>(scope, scope->transaction->origin.get()), key_.bytes(),
      SharedText(std::shared_ptr<const std::string>(scope, &scope->transaction->detail)));
  change.timestamp = committed_.value_or(Timestamp{std::int64_t{header_.timestamp} * 1'000'000});
  if (!scope->transaction->gtid.empty()) {
    change.transaction.id =
        SharedText(std::shared_ptr<const std::string>(scope, &scope->transaction->gtid));
  }
  change.transaction.seq = seq_;
  batch_->changes.push_back(std::move(change));
}

void BinlogDecoder::notice(std::variant<Quarantine, Resync> what) {
  if (!group_open_) {
    open_group();  // so that it has a place of its own
    group_open_ = false;
  }
  next_event_key();
  next_row_key();
  if (key_ <= told_) {
    return;
  }
  std::visit([&](auto& each) { each.position = {origin_, key_.bytes(), read_from().encode()}; },
             what);
  batch_->notices.push_back({batch_->changes.size(), std::move(what)});
}

void BinlogDecoder::quarantine(std::string collection, std::string reason, std::string_view raw) {
  Quarantine what;
  if (is_valid_utf8(collection)) {  // else the raw bytes have to do
    what.collection = std::move(collection);
  }
  what.reason = std::move(reason);
  what.raw = raw.substr(0, kMaxQuarantinedBytes);
  notice(std::move(what));
}

bool BinlogDecoder::flush() {
  hand_over();
  return !stopped_;
}

void BinlogDecoder::hand_over() {
  if (batch_->changes.empty() && batch_->notices.empty()) {
    return;
  }
  auto batch = std::exchange(batch_, std::make_shared<ChangeBatch>());
  batch_->changes.reserve(kBatchChanges + kBatchChanges / 4);
  if (!group_open_) {
    batch->boundary = boundary();
  } else if (!batch->changes.empty() && !batch->changes.back().transaction.last) {
    // It may turn out to be the transaction's last.
    batch_->changes.push_back(std::move(batch->changes.back()));
    batch->changes.pop_back();
    const auto behind = std::stable_partition(
        batch->notices.begin(), batch->notices.end(),
        [&](const Notice& each) { return each.index <= batch->changes.size(); });
    for (auto each = behind; each != batch->notices.end(); ++each) {
      each->index = 1;
      batch_->notices.push_back(std::move(*each));
    }
    batch->notices.erase(behind, batch->notices.end());
  }
  if (!stopped_ && (!batch->changes.empty() || !batch->notices.empty())) {
    stopped_ = !host_.deliver(std::move(batch));
  }
}

}  // namespace ustream::mysql
