// What the changes of a transaction and of a rows event share: one owner for all that they point
// to, so that a change costs one reference counter and not one for each of its parts.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "connectors/mysql/binlog_decoder.hpp"

namespace ustream::mysql {

/// The epoch of positions in files that are read offline.
inline constexpr std::string_view kFilesEpoch = "binlog-files";

struct BinlogDecoder::Transaction {
  std::string gtid;    ///< as text; empty without one
  std::string detail;  ///< of its positions
  bool is_mariadb = false;
  std::uint32_t server_id = 0;
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const PositionOrigin> origin;
};

/// Owner of one event's rows, and what stands under "source" of its changes.
struct BinlogDecoder::RowsScope final : SourceInfo {
  std::shared_ptr<const Transaction> transaction;
  SchemaPtr schema;
  std::uint64_t offset = 0;                  ///< of the event in its file
  std::shared_ptr<const std::string> bytes;  ///< what the images lie in
  std::shared_ptr<const BinlogRowCodec>
      codecs[2];  ///< of the first image, and of an update's second

  std::deque<std::string> completed;  ///< images of partial updates, made whole

  void write_json(std::string& out, const Position& position) const override;
};

struct BinlogDecoder::RowsEvent {
  Op op = Op::create;
  bool has_extra = false;  ///< version 2
  bool is_compressed = false;
  bool is_partial = false;  ///< JSON columns may hold what changed in them

  static std::optional<RowsEvent> of(EventType type);
};

}  // namespace ustream::mysql
