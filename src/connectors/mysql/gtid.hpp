// Global transaction identifiers of both servers, and sets of them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ustream::mysql {

enum class Flavor : std::uint8_t { mysql, mariadb };

/// One transaction's identity: `source[:tag]:number` of MySQL, `domain-server-number` of MariaDB. A
/// regular value.
struct Gtid {
  using Uuid = std::array<std::uint8_t, 16>;
  Flavor flavor = Flavor::mysql;
  Uuid source{};             ///< MySQL
  std::string tag;           ///< MySQL 8.3 and later; mostly empty
  std::uint32_t domain = 0;  ///< MariaDB
  std::uint32_t server = 0;  ///< MariaDB
  std::uint64_t number = 0;
  [[nodiscard]] std::string text() const;
  bool operator==(const Gtid&) const = default;
};

/// What has been executed: of MySQL every transaction by itself, of MariaDB the last of each
/// domain. A regular value.
///
/// count() is the counter of positions: it grows by every transaction, on every server of a
/// topology in the same way, so that positions still compare after a failover.
class GtidSet {
 public:
  explicit GtidSet(Flavor flavor = Flavor::mysql) noexcept : flavor_(flavor) {}

  /// `@@gtid_executed` or `@@gtid_binlog_pos`; nullopt when the text is no such set.
  [[nodiscard]] static std::optional<GtidSet> parse(Flavor flavor, std::string_view text);
  /// The body of PREVIOUS_GTIDS_LOG_EVENT (MySQL: Gtid_set::encode) or GTID_LIST_EVENT (MariaDB).
  [[nodiscard]] static std::optional<GtidSet> parse_event(Flavor flavor, std::string_view body);
  /// What encode() wrote.
  [[nodiscard]] static std::optional<GtidSet> decode(std::string_view bytes);

  [[nodiscard]] Flavor flavor() const noexcept { return flavor_; }
  [[nodiscard]] bool empty() const noexcept { return sources_.empty() && domains_.empty(); }
  /// MySQL: how many transactions; MariaDB: the sum over the domains of their last numbers.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// False, without effect, when it is in the set already (MariaDB: not beyond its domain's last).
  bool add(const Gtid& gtid);
  [[nodiscard]] bool contains(const Gtid& gtid) const;
  /// Whether each transaction of `other` is in this set.
  [[nodiscard]] bool contains(const GtidSet& other) const;
  /// As the servers write it, in one line.
  [[nodiscard]] std::string text() const;
  /// Appends a compact form, for cursors.
  void encode(std::string& out) const;
  /// The set as COM_BINLOG_DUMP_GTID takes it. REQUIRES Flavor::mysql.
  [[nodiscard]] std::string dump_payload() const;
  bool operator==(const GtidSet&) const = default;

 private:
  using Source = std::pair<Gtid::Uuid, std::string>;                       // uuid, tag
  using Intervals = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // [first, end)
  struct Last {
    std::uint32_t server = 0;
    std::uint64_t number = 0;
    bool operator==(const Last&) const = default;
  };
  bool add_interval(const Source& source, std::uint64_t first, std::uint64_t end);
  void add_last(std::uint32_t domain, Last last);

  Flavor flavor_;
  std::uint64_t count_ = 0;
  std::map<Source, Intervals> sources_;
  std::map<std::uint32_t, Last> domains_;
};

/// "00112233-4455-…" in lower case.
[[nodiscard]] std::string uuid_text(const Gtid::Uuid& uuid);

/// The body of GTID_LOG_EVENT (33), GTID_TAGGED_LOG_EVENT (42) or MariaDB's GTID_EVENT (162).
struct GtidEvent {
  Gtid gtid;
  std::uint64_t committed_micros = 0;  ///< since 1970; 0: not told
  bool is_standalone = false;          ///< MariaDB: no commit event follows
  std::string xa_id;                   ///< MariaDB: of a transaction that is prepared here
};
/// nullopt when the bytes are cut short. `server_id` is the event header's.
[[nodiscard]] std::optional<GtidEvent> parse_mysql_gtid(std::string_view body);
[[nodiscard]] std::optional<GtidEvent> parse_tagged_gtid(std::string_view body);
[[nodiscard]] std::optional<GtidEvent> parse_mariadb_gtid(std::string_view body,
                                                          std::uint32_t server_id);

}  // namespace ustream::mysql
