#include "connectors/mysql/binlog_decoder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <zlib.h>

#include "ustream/json.hpp"

#include "base/bytes.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/statement.hpp"

namespace ustream::mysql {
namespace {

constexpr std::size_t kMaxQuarantinedBytes = 64U << 10U;
/// The largest event that a server writes; a compressed one cannot become larger either.
constexpr std::uint64_t kMaxEvent = std::uint64_t{1} << 30;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string hex_uuid(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

/// MariaDB's compressed events: a byte 0x80 plus the size of the length, the length, zlib data
/// (binlog_buf_uncompress in log_event.cc).
bool inflate_event(std::string_view data, std::string& out) {
  ByteReader reader(data);
  const std::uint8_t header = reader.u8();
  const std::uint64_t size = reader.big_endian(header & 7U);
  if ((header & 0x80U) == 0 || !reader.ok() || size > kMaxEvent ||
      size > (reader.rest().size() + 16) * 1040) {
    return false;
  }
  out.resize(static_cast<std::size_t>(size));
  uLongf got = static_cast<uLongf>(size);
  return ::uncompress(reinterpret_cast<Bytef*>(out.data()), &got,
                      reinterpret_cast<const Bytef*>(reader.rest().data()),
                      static_cast<uLong>(reader.rest().size())) == Z_OK &&
         got == size;
}

}  // namespace

/// What stands under "source" of a transaction's changes.
class BinlogDecoder::Source final : public SourceInfo {
 public:
  Source(bool is_mariadb, std::uint32_t server_id, std::string gtid)
      : is_mariadb_(is_mariadb), server_id_(server_id), gtid_(std::move(gtid)) {}

  void write_json(std::string& out, const Position& position) const override {
    out += is_mariadb_ ? R"({"db":"mariadb","file":)" : R"({"db":"mysql","file":)";
    write_json_string(out, position.detail());
    out += ",\"pos\":";
    out += std::to_string(base::get_big_endian<std::uint64_t>(position.order_key().data() + 8));
    if (!gtid_.empty()) {
      out += ",\"gtid\":";
      write_json_string(out, gtid_);
    }
    out += ",\"server_id\":";
    out += std::to_string(server_id_);
    out += '}';
  }

 private:
  bool is_mariadb_;
  std::uint32_t server_id_;
  std::string gtid_;
};

struct BinlogDecoder::RowsEvent {
  Op op = Op::create;
  bool has_extra = false;  ///< version 2
  bool is_compressed = false;

  static std::optional<RowsEvent> of(EventType type) {
    switch (type) {
      case EventType::write_rows_v1:
        return RowsEvent{Op::create, false, false};
      case EventType::update_rows_v1:
        return RowsEvent{Op::update, false, false};
      case EventType::delete_rows_v1:
        return RowsEvent{Op::remove, false, false};
      case EventType::write_rows:
        return RowsEvent{Op::create, true, false};
      case EventType::update_rows:
        return RowsEvent{Op::update, true, false};
      case EventType::delete_rows:
        return RowsEvent{Op::remove, true, false};
      case EventType::write_rows_compressed_v1:
        return RowsEvent{Op::create, false, true};
      case EventType::update_rows_compressed_v1:
        return RowsEvent{Op::update, false, true};
      case EventType::delete_rows_compressed_v1:
        return RowsEvent{Op::remove, false, true};
      case EventType::write_rows_compressed:
        return RowsEvent{Op::create, true, true};
      case EventType::update_rows_compressed:
        return RowsEvent{Op::update, true, true};
      case EventType::delete_rows_compressed:
        return RowsEvent{Op::remove, true, true};
      default:
        return std::nullopt;
    }
  }
};

EventHeader EventHeader::parse(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  EventHeader header;
  header.timestamp = reader.u32();
  header.type = static_cast<EventType>(reader.u8());
  header.server_id = reader.u32();
  header.size = reader.u32();
  reader.skip(4);  // where the next event begins: 0 in MariaDB 11.4's transaction caches
  header.flags = reader.u16();
  return header;
}

BinlogDecoder::BinlogDecoder(std::shared_ptr<const PositionOrigin> origin)
    : origin_(std::move(origin)) {}

Position BinlogDecoder::position(std::uint32_t part) const {
  std::string key;
  base::put_big_endian(key, place_.number);
  base::put_big_endian(key, place_.offset);
  base::put_big_endian(key, part);
  return {origin_, std::move(key), *place_.file};
}

void BinlogDecoder::push(const std::shared_ptr<const std::string>& owner, std::string_view event,
                         const EventPlace& place) {
  place_ = place;
  part_ = 0;
  if (event.size() < EventHeader::kSize) {
    quarantine({}, "an event that is shorter than its header", event);
    return;
  }
  header_ = EventHeader::parse(event);
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
      read_query(body, header_.type == EventType::query_compressed);
      return;
    case EventType::xid:
      commit();
      return;
    case EventType::xa_prepare:
      read_xa_prepare(body);
      return;
    case EventType::gtid:
      read_gtid(body);
      return;
    case EventType::mariadb_gtid:
      read_mariadb_gtid(body);
      return;
    case EventType::anonymous_gtid:
    case EventType::tagged_gtid:
      begin_group({}, std::nullopt);
      return;
    case EventType::stop:
    case EventType::rotate:
    case EventType::heartbeat:
    case EventType::heartbeat_v2:
    case EventType::rows_query:
    case EventType::annotate_rows:
    case EventType::previous_gtids:
    case EventType::binlog_checkpoint:
    case EventType::mariadb_gtid_list:
      return;
    case EventType::incident:
      quarantine({}, "an incident: the server says that it lost changes here", event);
      return;
    case EventType::start_encryption:
      quarantine({}, "the rest of the file is encrypted", event);
      return;
    case EventType::partial_update_rows:
      quarantine({}, "partial JSON updates are not read: set binlog_row_value_options=''", event);
      return;
    case EventType::transaction_payload:
      quarantine({}, "compressed transactions are not read: set binlog_transaction_compression=OFF",
                 event);
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

void BinlogDecoder::push_damage(std::string reason, std::string_view raw, const EventPlace& place) {
  place_ = place;
  part_ = 0;
  quarantine({}, std::move(reason), raw);
}

void BinlogDecoder::end_file() {
  if (newest_) {
    release();
  }
  if (!xa_changes_.empty()) {
    quarantine({}, "the file ends inside an XA transaction; its changes are not told", {});
    xa_changes_.clear();
  }
  xa_id_.clear();
  tables_.clear();
}

ChangeBatchPtr BinlogDecoder::take() {
  return std::exchange(batch_, std::make_shared<ChangeBatch>());
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
}

void BinlogDecoder::begin_group(std::string gtid, std::optional<Timestamp> timestamp) {
  if (newest_) {  // what a group without an end left
    release();
  }
  transaction_id_ = gtid;
  committed_ = timestamp;
  seq_ = 0;
  source_ = std::make_shared<const Source>(is_mariadb_, header_.server_id, std::move(gtid));
}

void BinlogDecoder::read_gtid(std::string_view body) {
  ByteReader reader(body);
  reader.skip(1);
  const std::string_view uuid = reader.take(16);
  const std::uint64_t number = reader.u64();
  if (!reader.ok()) {
    quarantine({}, "a GTID event that is cut short", body);
    return;
  }
  std::optional<Timestamp> committed;
  if (reader.u8() == 2) {  // logical clocks, then the commit's time in microseconds (MySQL 8)
    reader.skip(16);
    const std::uint64_t micros = reader.little_endian(7) & ~(std::uint64_t{1} << 55U);
    if (reader.ok() && micros > 0) {
      committed = Timestamp{static_cast<std::int64_t>(micros)};
    }
  }
  begin_group(hex_uuid(uuid) + ":" + std::to_string(number), committed);
}

void BinlogDecoder::read_mariadb_gtid(std::string_view body) {
  ByteReader reader(body);
  const std::uint64_t number = reader.u64();
  const std::uint32_t domain = reader.u32();
  if (!reader.ok()) {
    quarantine({}, "a GTID event that is cut short", body);
    return;
  }
  begin_group(std::to_string(domain) + "-" + std::to_string(header_.server_id) + "-" +
                  std::to_string(number),
              std::nullopt);
  // Flags: 0x40 a prepared XA transaction, 0x80 the end of one; then format, sizes and its id.
  const std::uint8_t flags = reader.u8();
  if ((flags & 0x02U) != 0) {
    reader.skip(8);  // the id of its commit group
  }
  if ((flags & 0x40U) != 0) {
    const std::uint32_t format = reader.u32();
    const std::uint8_t gtrid = reader.u8();
    const std::uint8_t bqual = reader.u8();
    const std::string_view data = reader.take(std::size_t{gtrid} + bqual);
    if (!reader.ok()) {
      quarantine({}, "a GTID event that is cut short", body);
      return;
    }
    xa_id_ = xa_id_text(data.substr(0, gtrid), data.substr(gtrid), format);
  }
}

void BinlogDecoder::read_table_map(std::string_view body) {
  const std::uint64_t id = table_id_of(body);
  // The same map comes again with every statement; it is read, and its codecs are made, once.
  if (const auto known = tables_.find(id);
      known != tables_.end() && known->second.definition == body) {
    return;
  }
  std::string reason;
  TableMapPtr map = parse_table_map(body, reason);
  if (!map) {
    tables_.erase(id);
    quarantine({}, std::move(reason), body);
    return;
  }
  saw_unnamed_columns_ = saw_unnamed_columns_ || !map->has_names;
  tables_[id] = {std::string(body), std::move(map), {}};
}

std::shared_ptr<const BinlogRowCodec> BinlogDecoder::codec(Table& table, std::string_view present) {
  const auto found = table.codecs.find(present);
  if (found != table.codecs.end()) {
    return found->second;
  }
  return table.codecs
      .emplace(std::string(present), std::make_shared<const BinlogRowCodec>(table.map, present))
      .first->second;
}

namespace {

/// Keeps an event's bytes and its rows' codec alive for the documents over them.
struct RowsOwner {
  std::shared_ptr<const std::string> bytes;
  std::shared_ptr<const BinlogRowCodec> codec;
};

}  // namespace

void BinlogDecoder::read_rows(const std::shared_ptr<const std::string>& owner,
                              std::string_view body, RowsEvent kind) {
  ByteReader reader(body);
  const std::uint64_t id = reader.little_endian(6);
  reader.skip(2);  // flags
  if (kind.has_extra) {
    const std::uint16_t extra = reader.u16();
    reader.skip(extra < 2 ? 0 : extra - 2U);
  }
  const std::uint64_t width = reader.packed();
  const auto table = tables_.find(id);
  if (table == tables_.end()) {
    quarantine({}, "rows of a table that no table map describes", body);
    return;
  }
  const TableMap& map = *table->second.map;
  const std::size_t bitmap = (map.columns.size() + 7) / 8;
  if (!reader.ok() || width != map.columns.size()) {
    quarantine(map.schema->collection(), "rows that do not fit their table map", body);
    return;
  }
  const std::string_view first = reader.take(bitmap);
  const std::string_view second = kind.op == Op::update ? reader.take(bitmap) : first;
  if (!reader.ok()) {
    quarantine(map.schema->collection(), "rows that are cut short", body);
    return;
  }
  std::shared_ptr<const std::string> bytes = owner;
  std::string_view rows = reader.rest();
  if (kind.is_compressed) {
    auto plain = std::make_shared<std::string>();
    if (!inflate_event(rows, *plain)) {
      quarantine(map.schema->collection(), "rows that cannot be decompressed", body);
      return;
    }
    rows = *plain;
    bytes = std::move(plain);
  }
  const auto owner_of = [&](std::string_view present) {
    return std::make_shared<const RowsOwner>(RowsOwner{bytes, codec(table->second, present)});
  };
  const auto first_owner = owner_of(first);
  const auto second_owner = kind.op == Op::update ? owner_of(second) : first_owner;
  while (!rows.empty()) {
    const auto one = first_owner->codec->image(rows);
    const auto two = kind.op == Op::update && one
                         ? second_owner->codec->image(rows.substr(one->size()))
                         : std::nullopt;
    const std::size_t size = one ? one->size() + (two ? two->size() : 0) : 0;
    if (size == 0 || (kind.op == Op::update && !two)) {
      quarantine(map.schema->collection(), "rows that are cut short", rows);
      return;
    }
    std::string why = first_owner->codec->undecodable(*one);
    if (why.empty() && two) {
      why = second_owner->codec->undecodable(*two);
    }
    if (!why.empty()) {
      quarantine(map.schema->collection(), std::move(why), rows.substr(0, size));
    } else {
      Change change;
      change.op = kind.op;
      change.schema = map.schema;
      Document image(first_owner, first_owner->codec.get(), bytes_of(*one));
      if (kind.op == Op::create) {
        change.after = std::move(image);
      } else {
        change.before = std::move(image);
      }
      if (two) {
        change.after = Document(second_owner, second_owner->codec.get(), bytes_of(*two));
      }
      add(std::move(change));
    }
    rows.remove_prefix(size);
  }
}

void BinlogDecoder::read_query(std::string_view body, bool compressed) {
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
  std::string statement;
  if (!compressed) {
    statement = reader.rest();
  } else if (!inflate_event(reader.rest(), statement)) {
    quarantine(database, "a statement that cannot be decompressed", body);
    return;
  }
  read_statement(database, statement);
}

void BinlogDecoder::read_statement(const std::string& database, const std::string& statement) {
  const Statement parsed = parse_statement(statement, database);
  switch (parsed.kind) {
    case Statement::Kind::begin:
    case Statement::Kind::other:
      return;
    case Statement::Kind::commit:
      commit();
      return;
    case Statement::Kind::xa_start:
      xa_id_ = parsed.name;
      return;
    case Statement::Kind::xa_commit:
    case Statement::Kind::xa_rollback:
      end_xa(parsed.name, parsed.kind == Statement::Kind::xa_commit);
      return;
    case Statement::Kind::ddl:
    case Statement::Kind::truncate: {
      if (!is_valid_utf8(statement) || !is_valid_utf8(parsed.name)) {
        quarantine(parsed.name, "a definition statement that is not UTF-8", statement);
        return;
      }
      Change change;
      change.op = parsed.kind == Statement::Kind::truncate ? Op::truncate : Op::ddl;
      change.schema = std::make_shared<const Schema>(parsed.name, std::vector<Column>(),
                                                     std::vector<std::size_t>());
      change.statement = statement;
      add(std::move(change));
      commit();
      return;
    }
    case Statement::Kind::rows:
      quarantine(parsed.name.empty() ? database : parsed.name,
                 "a change that was logged as a statement, not as rows: set binlog_format=ROW",
                 statement);
      return;
  }
}

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
      add(std::move(change));
    }
    commit();
    return;
  }
  prepared_[xa_id_text(data.substr(0, gtrid), data.substr(gtrid), format)] = std::move(changes);
}

void BinlogDecoder::end_xa(const std::string& id, bool commits) {
  auto prepared = prepared_.extract(id);
  if (!commits) {
    return;
  }
  if (prepared.empty()) {
    quarantine(
        {},
        "the commit of an XA transaction that was prepared before what was read: its changes "
        "are not here",
        id);
    return;
  }
  for (Change& change : prepared.mapped()) {
    add(std::move(change));
  }
  commit();
}

void BinlogDecoder::add(Change change) {
  if (!xa_id_.empty()) {
    xa_changes_.push_back(std::move(change));
    return;
  }
  if (!source_) {
    begin_group({}, std::nullopt);
  }
  release();
  change.source = source_;
  change.position = position(++part_);
  change.timestamp = committed_.value_or(Timestamp{std::int64_t{header_.timestamp} * 1'000'000});
  change.transaction = {transaction_id_, ++seq_, false};
  newest_ = std::move(change);
}

void BinlogDecoder::release() {
  if (newest_) {
    batch_->changes.push_back(*std::exchange(newest_, std::nullopt));
  }
}

void BinlogDecoder::commit() {
  if (newest_) {
    newest_->transaction.last = true;
    release();
  }
  batch_->boundary = position(~std::uint32_t{0});
  source_.reset();
  transaction_id_.clear();
  committed_.reset();
  seq_ = 0;
}

void BinlogDecoder::quarantine(std::string collection, std::string reason, std::string_view raw) {
  release();
  Quarantine notice;
  if (is_valid_utf8(collection)) {  // else the raw bytes have to do
    notice.collection = std::move(collection);
  }
  notice.reason = std::move(reason);
  notice.raw = raw.substr(0, kMaxQuarantinedBytes);
  notice.position = position(++part_);
  batch_->notices.push_back({batch_->changes.size(), std::move(notice)});
}

}  // namespace ustream::mysql
