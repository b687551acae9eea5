// Table maps and rows events: the part of BinlogDecoder in which nearly all time is spent.
#include <algorithm>
#include <utility>

#include "ustream/json.hpp"

#include "connectors/mysql/binlog_decoder.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/inflate.hpp"
#include "connectors/mysql/partial_image.hpp"
#include "connectors/mysql/rows_scope.hpp"
#include "model/number.hpp"

namespace ustream::mysql {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void BinlogDecoder::RowsScope::write_json(std::string& out, const Position& /*position*/) const {
  out += transaction->is_mariadb ? R"({"db":"mysql","server":"mariadb","file":)"
                                 : R"({"db":"mysql","server":"mysql","file":)";
  write_json_string(out, *transaction->file);
  out += ",\"pos\":";
  model::append_uint(out, offset);
  if (!transaction->gtid.empty()) {
    out += ",\"gtid\":";
    write_json_string(out, transaction->gtid);
  }
  out += ",\"server_id\":";
  model::append_uint(out, transaction->server_id);
  out += '}';
}

std::optional<BinlogDecoder::RowsEvent> BinlogDecoder::RowsEvent::of(EventType type) {
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
    case EventType::partial_update_rows:
      return RowsEvent{Op::update, true, false, true};
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

void BinlogDecoder::read_table_map(std::string_view body) {
  const std::uint64_t id = table_id_of(body);
  const std::uint64_t version = host_.collections_version();
  Table& table = tables_[id];
  // The same map comes again with every statement; it is read, and its codecs are made, once.
  if (table.definition == body && table.collections_version == version) {
    return;
  }
  table = {};
  table.definition = body;
  table.collections_version = version;
  std::string reason;
  const TableMapPtr map = parse_table_map(body, reason);
  if (!map) {
    tables_.erase(id);
    quarantine({}, std::move(reason), body);
    return;
  }
  const std::optional<std::string> name = host_.collection({map->database, map->table});
  if (!name) {
    table.is_wanted = false;
    return;
  }
  auto whole = std::make_shared<TableMap>(*map);
  table.collection = *name;
  table.refused = host_.complete(*whole, header_.timestamp);
  saw_unnamed_columns_ = saw_unnamed_columns_ || !whole->has_names;
  if (whole->schema->collection() != *name) {
    whole->schema = std::make_shared<const Schema>(
        *name, whole->schema->columns(), whole->schema->key_columns(), whole->schema->version());
  }
  table.map = std::move(whole);
}

std::shared_ptr<const BinlogRowCodec> BinlogDecoder::codec(Table& table, std::string_view present) {
  for (const auto& [bitmap, codec] : table.codecs) {
    if (bitmap == present) {
      return codec;
    }
  }
  return table.codecs
      .emplace_back(std::string(present),
                    std::make_shared<const BinlogRowCodec>(table.map, present))
      .second;
}

void BinlogDecoder::read_rows(const std::shared_ptr<const std::string>& owner,
                              std::string_view body, RowsEvent kind) {
  if (!group_open_) {
    open_group();
  }
  next_event_key();
  ByteReader reader(body);
  const std::uint64_t id = reader.little_endian(6);
  reader.skip(2);  // flags
  if (kind.has_extra) {
    const std::uint16_t extra = reader.u16();
    reader.skip(extra < 2 ? 0 : extra - 2U);
  }
  const std::uint64_t width = reader.packed();
  const auto found = tables_.find(id);
  if (found == tables_.end()) {
    quarantine({}, "rows of a table that no table map describes", body);
    return;
  }
  Table& table = found->second;
  if (!table.is_wanted) {
    return;
  }
  if (!table.refused.empty()) {
    quarantine(table.collection, table.refused, body);
    return;
  }
  const std::size_t bitmap = (table.map->columns.size() + 7) / 8;
  const std::string_view first = reader.take(bitmap);
  const std::string_view second = kind.op == Op::update ? reader.take(bitmap) : first;
  if (!reader.ok() || width != table.map->columns.size()) {
    quarantine(table.collection, "rows that do not fit their table map", body);
    return;
  }
  const std::shared_ptr<RowsScope> rows = scope(table.map->schema);
  rows->codecs[0] = codec(table, first);
  rows->codecs[1] = second == first ? rows->codecs[0] : codec(table, second);
  if (!kind.is_compressed) {
    rows->bytes = owner;
    read_row_images(rows, reader.rest(), kind);
    return;
  }
  auto plain = std::make_shared<std::string>();
  if (!inflate_event(reader.rest(), *plain)) {
    quarantine(table.collection, "rows that cannot be decompressed", body);
    return;
  }
  rows->bytes = plain;
  read_row_images(rows, *plain, kind);
}

std::string BinlogDecoder::complete_after(RowsScope& scope, std::string_view before,
                                          const PartialImage& partial, CheckedImage& after) {
  const BinlogRowCodec& codec = *scope.codecs[1];
  std::string& whole = scope.completed.emplace_back();
  std::string why = complete_image(whole, *scope.codecs[0], before, codec, partial);
  if (why.empty()) {
    after = codec.image_and_check(whole).value_or(CheckedImage());
  }
  return why;
}

void BinlogDecoder::read_row_images(const std::shared_ptr<RowsScope>& scope, std::string_view rows,
                                    RowsEvent kind) {
  const BinlogRowCodec& first = *scope->codecs[0];
  const BinlogRowCodec& second = *scope->codecs[1];
  const bool has_two = kind.op == Op::update;
  while (!rows.empty() && !stopped_) {
    const auto one = first.image_and_check(rows);
    std::size_t size = one ? one->bytes.size() : 0;
    CheckedImage two;
    std::string why = one ? one->undecodable() : std::string();
    bool is_whole = one.has_value() && size > 0;
    if (is_whole && kind.is_partial) {
      const auto partial = partial_image(second, rows.substr(size));
      is_whole = partial.has_value();
      if (partial) {
        size += partial->bytes.size();
        why = why.empty() ? complete_after(*scope, one->bytes, *partial, two) : why;
      }
    } else if (is_whole && has_two) {
      const auto after = second.image_and_check(rows.substr(size));
      is_whole = after.has_value();
      two = after.value_or(CheckedImage());
      size += two.bytes.size();
    }
    if (!is_whole) {
      quarantine(scope->schema->collection(), "rows that are cut short", rows);
      return;
    }
    if (!why.empty() || two.column != nullptr) {
      quarantine(scope->schema->collection(), why.empty() ? two.undecodable() : std::move(why),
                 rows.substr(0, size));
      rows.remove_prefix(size);
      continue;
    }
    Change change;
    change.op = kind.op;
    (kind.op == Op::create ? change.after : change.before) =
        Document(scope, &first, bytes_of(one->bytes));
    if (has_two) {
      change.after = Document(scope, &second, bytes_of(two.bytes));
    }
    if (xa_id_.empty()) {
      add(std::move(change), scope);
    } else {
      change.schema = scope->schema;
      xa_changes_.push_back(std::move(change));
    }
    rows.remove_prefix(size);
    if (batch_->changes.size() >= 4 * kBatchChanges) {
      hand_over();
    }
  }
  if (batch_->changes.size() >= kBatchChanges) {
    hand_over();
  }
}

}  // namespace ustream::mysql
