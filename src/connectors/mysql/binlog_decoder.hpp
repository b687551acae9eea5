// From binlog events to changes: pure, no server behind it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/change.hpp"

#include "connectors/mysql/row_codec.hpp"
#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// Event types that decide something here (both servers' numbers).
enum class EventType : std::uint8_t {
  query = 2,
  stop = 3,
  rotate = 4,
  format_description = 15,
  xid = 16,
  table_map = 19,
  write_rows_v1 = 23,
  update_rows_v1 = 24,
  delete_rows_v1 = 25,
  incident = 26,
  heartbeat = 27,
  rows_query = 29,
  write_rows = 30,
  update_rows = 31,
  delete_rows = 32,
  gtid = 33,
  anonymous_gtid = 34,
  previous_gtids = 35,
  xa_prepare = 38,
  partial_update_rows = 39,
  transaction_payload = 40,
  heartbeat_v2 = 41,
  tagged_gtid = 42,
  annotate_rows = 160,
  binlog_checkpoint = 161,
  mariadb_gtid = 162,
  mariadb_gtid_list = 163,
  start_encryption = 164,
  query_compressed = 165,
  write_rows_compressed_v1 = 166,
  update_rows_compressed_v1 = 167,
  delete_rows_compressed_v1 = 168,
  write_rows_compressed = 169,
  update_rows_compressed = 170,
  delete_rows_compressed = 171,
};

/// The 19 bytes at the head of every event.
struct EventHeader {
  static constexpr std::size_t kSize = 19;
  static constexpr std::uint16_t kInUse = 0x1;       ///< the server writes to the file still
  static constexpr std::uint16_t kIgnorable = 0x80;  ///< who does not know it may pass over it

  std::uint32_t timestamp = 0;  ///< seconds since 1970
  EventType type = EventType::stop;
  std::uint32_t server_id = 0;
  std::uint32_t size = 0;  ///< of the event, header and checksum included
  std::uint16_t flags = 0;

  /// REQUIRES kSize bytes.
  [[nodiscard]] static EventHeader parse(std::string_view bytes) noexcept;
};

/// A file of the binlog, and where in it an event begins.
struct EventPlace {
  std::shared_ptr<const std::string> file;  ///< its name
  std::uint64_t number = 0;                 ///< of the file: its name's digits
  std::uint64_t offset = 0;                 ///< bytes from the file's start
};

/// Turns events into batches of changes. Nothing is skipped in silence: what cannot be decoded is a
/// quarantine notice where it stood. Rows share the memory of their event. Not thread-safe.
/// Formats: MySQL's libbinlogevents, MariaDB's knowledge base "Replication Protocol".
///
/// Known gaps, each told as quarantine: partial JSON updates (39), compressed transactions (40) and
/// encrypted logs. XA transactions that are prepared are held in memory until they end.
class BinlogDecoder {
 public:
  /// `origin` is that of all positions.
  explicit BinlogDecoder(std::shared_ptr<const PositionOrigin> origin);

  /// One event, in order, header included, without its checksum. `owner` keeps its bytes alive.
  void push(const std::shared_ptr<const std::string>& owner, std::string_view event,
            const EventPlace& place);
  /// What stands between events and cannot be read, for its quarantine notice.
  void push_damage(std::string reason, std::string_view raw, const EventPlace& place);
  /// The file ends: a transaction that has no end yet is told as far as it goes, and its tables are
  /// forgotten.
  void end_file();

  /// Changes and notices that can be taken.
  [[nodiscard]] std::size_t ready() const noexcept {
    return batch_->changes.size() + batch_->notices.size();
  }
  [[nodiscard]] ChangeBatchPtr take();

  /// Whether events of the file end with a CRC-32; known after its format description event.
  [[nodiscard]] bool has_checksums() const noexcept { return has_checksums_; }
  /// Some table came without column names.
  [[nodiscard]] bool saw_unnamed_columns() const noexcept { return saw_unnamed_columns_; }

 private:
  class Source;
  struct Table {
    std::string definition;  // its event
    TableMapPtr map;
    std::map<std::string, std::shared_ptr<const BinlogRowCodec>, std::less<>> codecs;
  };
  struct RowsEvent;

  void read_format(std::string_view body);
  void begin_group(std::string gtid, std::optional<Timestamp> timestamp);
  void read_gtid(std::string_view body);
  void read_mariadb_gtid(std::string_view body);
  void read_table_map(std::string_view body);
  void read_query(std::string_view body, bool compressed);
  void read_statement(const std::string& database, const std::string& statement);
  void read_ddl(const std::string& database, const std::string& statement);
  void read_rows(const std::shared_ptr<const std::string>& owner, std::string_view body,
                 RowsEvent kind);
  void read_xa_prepare(std::string_view body);
  void end_xa(const std::string& id, bool commit);

  void add(Change change);
  void release();
  void commit();
  void quarantine(std::string collection, std::string reason, std::string_view raw);
  [[nodiscard]] Position position(std::uint32_t part) const;
  std::shared_ptr<const BinlogRowCodec> codec(Table& table, std::string_view present);

  std::shared_ptr<const PositionOrigin> origin_;
  std::shared_ptr<ChangeBatch> batch_ = std::make_shared<ChangeBatch>();
  std::map<std::uint64_t, Table> tables_;  // by table id
  bool has_checksums_ = false;
  bool is_mariadb_ = false;
  bool saw_unnamed_columns_ = false;

  // The event that is read.
  EventHeader header_;
  EventPlace place_;
  std::uint32_t part_ = 0;

  // The group (transaction) that is read. Its newest change is kept back: it may be the last.
  std::shared_ptr<const Source> source_;
  std::string transaction_id_;
  std::optional<Timestamp> committed_;
  std::uint64_t seq_ = 0;
  std::optional<Change> newest_;

  // XA: what is prepared becomes a change when it is committed.
  std::string xa_id_;
  std::vector<Change> xa_changes_;
  std::map<std::string, std::vector<Change>> prepared_;
};

}  // namespace ustream::mysql
