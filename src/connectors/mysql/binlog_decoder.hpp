// From binlog events to changes: pure, no server behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ustream/change.hpp"

#include "connectors/mysql/binlog_event.hpp"
#include "connectors/mysql/binlog_position.hpp"
#include "connectors/mysql/gtid.hpp"
#include "connectors/mysql/row_codec.hpp"
#include "connectors/mysql/statement.hpp"
#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

struct PartialImage;

/// What a decoder asks whoever drives it. Called inside push(), on its thread.
class DecoderHost {
 public:
  DecoderHost() = default;
  DecoderHost(const DecoderHost&) = delete;
  DecoderHost& operator=(const DecoderHost&) = delete;
  virtual ~DecoderHost() = default;

  /// Takes changes and notices, in order. Returning false ends the decoding: push() returns false.
  [[nodiscard]] virtual bool deliver(ChangeBatchPtr batch) = 0;
  /// What the table's collection is called; nullopt when nobody wants its rows. Asked of a database
  /// (no table), an empty name stands for all collections.
  [[nodiscard]] virtual std::optional<std::string> collection(const TableName& table) const {
    return table.text();
  }
  /// Grows whenever collection() may answer otherwise than before.
  [[nodiscard]] virtual std::uint64_t collections_version() const { return 0; }
  /// Adds what the log does not say of a table: names, keys, types of their own. `timestamp`: of
  /// the event, seconds since 1970. Returns why the table's rows cannot be told; empty when they
  /// can.
  [[nodiscard]] virtual std::string complete(TableMap& /*table*/, std::uint32_t /*timestamp*/) {
    return {};
  }
  /// A statement defined the table anew.
  virtual void defined(const TableName& /*table*/) {}
  /// Whether a change that was logged as a statement may be one of a wanted table.
  [[nodiscard]] virtual bool concerns(std::string_view /*database*/,
                                      std::string_view /*statement*/) const {
    return true;
  }
};

/// Turns events into batches of changes. Nothing is skipped in silence: what cannot be decoded is a
/// quarantine notice where it stood. Rows share the memory of their event. A batch ends inside a
/// transaction when it is full, so memory is bounded by one event. Not thread-safe.
/// Formats: MySQL's libbinlogevents, MariaDB's knowledge base "Replication Protocol".
///
/// Known gaps: encrypted logs are told as quarantine (a server sends them decrypted); XA
/// transactions that are prepared are held in memory until they end.
class BinlogDecoder {
 public:
  /// `host` outlives the decoder.
  explicit BinlogDecoder(DecoderHost& host) : host_(host) {}

  /// Reading begins at `point`; what is at or before `after` is not told again. REQUIRED before the
  /// first event. Without a set of GTIDs in `point`, the one that a file begins with is taken,
  /// where `origin` is that of files.
  void start(std::shared_ptr<const PositionOrigin> origin, ReadPoint point, OrderKey after);

  /// One event, in order, header included, without its checksum. `owner` keeps its bytes alive.
  /// False when the host wants no more.
  [[nodiscard]] bool push(const std::shared_ptr<const std::string>& owner, std::string_view event,
                          const EventPlace& place);
  /// What stands between events and cannot be read, for its quarantine notice.
  [[nodiscard]] bool push_damage(std::string reason, std::string_view raw, const EventPlace& place);
  /// The file ends: a transaction that has no end yet is told as far as it goes, and its tables are
  /// forgotten.
  [[nodiscard]] bool end_file();
  /// Hands over what waits. False when the host wants no more.
  [[nodiscard]] bool flush();

  /// Whether events end with a CRC-32; known after the format description event.
  [[nodiscard]] bool has_checksums() const noexcept { return has_checksums_; }
  /// Between transactions.
  [[nodiscard]] bool at_boundary() const noexcept { return !group_open_; }
  /// Everything up to here was pushed. Costs as much as encoding the set of GTIDs.
  [[nodiscard]] Position boundary() const;
  [[nodiscard]] const ReadPoint& point() const noexcept { return point_; }
  /// Some table came without column names.
  [[nodiscard]] bool saw_unnamed_columns() const noexcept { return saw_unnamed_columns_; }

 private:
  struct Transaction;
  struct RowsScope;
  struct RowsEvent;
  struct Table {
    std::string definition;  // its event
    std::uint64_t collections_version = 0;
    bool is_wanted = true;
    std::string collection;
    std::string refused;  // why its rows cannot be told
    TableMapPtr map;
    std::vector<std::pair<std::string, std::shared_ptr<const BinlogRowCodec>>> codecs;
  };
  /// Handed over together at the most, but for what one event has beyond it.
  static constexpr std::size_t kBatchChanges = 1024;
  struct Prepared {
    std::vector<Change> changes;
    ReadPoint read_from;
  };

  void dispatch(const std::shared_ptr<const std::string>& owner, std::string_view event);
  void read_format(std::string_view body);
  void read_gtid(std::string_view body);
  void read_gtid_list(std::string_view body);
  void read_payload(std::string_view body);
  void read_table_map(std::string_view body);
  void read_rows(const std::shared_ptr<const std::string>& owner, std::string_view body,
                 RowsEvent kind);
  void read_row_images(const std::shared_ptr<RowsScope>& scope, std::string_view rows,
                       RowsEvent kind);
  /// Makes the after-image of a partial update whole; returns why it cannot, or nothing.
  [[nodiscard]] static std::string complete_after(RowsScope& scope, std::string_view before,
                                                  const PartialImage& partial, CheckedImage& after);
  void read_query(std::string_view body);
  void read_statement(const std::string& database, const std::string& text);
  void read_definition(const LoggedStatement& statement, const std::string& text);
  void read_xa_prepare(std::string_view body);
  void end_xa(const std::string& id, bool commit);

  void open_group();
  void commit();
  void next_event_key();
  void next_row_key();
  [[nodiscard]] std::shared_ptr<RowsScope> scope(SchemaPtr schema);
  /// Gives the change its place in the stream and in its transaction.
  void add(Change change, const std::shared_ptr<const RowsScope>& scope);
  void notice(std::variant<Quarantine, Resync> what);
  void quarantine(std::string collection, std::string reason, std::string_view raw);
  [[nodiscard]] std::shared_ptr<Transaction> transaction();
  [[nodiscard]] const ReadPoint& read_from() const;
  [[nodiscard]] std::shared_ptr<const BinlogRowCodec> codec(Table& table, std::string_view present);
  void hand_over();

  DecoderHost& host_;
  std::shared_ptr<const PositionOrigin> origin_;
  ReadPoint point_;  // the last boundary
  OrderKey told_;    // up to here everything was told before
  bool stopped_ = false;
  std::shared_ptr<ChangeBatch> batch_ = std::make_shared<ChangeBatch>();

  std::map<std::uint64_t, Table> tables_;  // by table id
  bool has_checksums_ = false;
  bool is_mariadb_ = false;
  bool saw_unnamed_columns_ = false;

  // The event that is read.
  EventHeader header_;
  EventPlace place_;
  std::uint64_t event_end_ = 0;  // offset behind it (behind the payload that it is in)
  OrderKey key_;                 // of the newest change or notice

  // The group (transaction) that is read.
  bool group_open_ = false;
  bool is_standalone_ = false;  // MariaDB: no commit follows
  bool began_ = false;          // with a BEGIN: a commit follows
  Gtid gtid_;
  bool has_gtid_ = false;
  std::optional<Timestamp> committed_;
  std::uint64_t seq_ = 0;
  std::shared_ptr<Transaction> transaction_;  // made for the group's first change

  // XA: what is prepared becomes a change when it is committed.
  std::string xa_id_;
  std::vector<Change> xa_changes_;
  std::map<std::string, Prepared> prepared_;
};

}  // namespace ustream::mysql
