// What every binlog event begins with, and where it stands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

/// The 19 bytes at the head of every event. Source: MySQL's "Binary Log Event header".
struct EventHeader {
  static constexpr std::size_t kSize = 19;
  static constexpr std::size_t kChecksumSize = 4;
  static constexpr std::uint16_t kInUse = 0x1;        ///< the server writes to the file still
  static constexpr std::uint16_t kArtificial = 0x20;  ///< made for a stream, in no file
  static constexpr std::uint16_t kIgnorable = 0x80;   ///< who does not know it may pass over it

  std::uint32_t timestamp = 0;  ///< seconds since 1970
  EventType type = EventType::stop;
  std::uint32_t server_id = 0;
  std::uint32_t size = 0;  ///< of the event, header and checksum included
  std::uint32_t end = 0;   ///< offset behind it; 0 in MariaDB 11.4's transaction caches
  std::uint16_t flags = 0;

  /// REQUIRES kSize bytes.
  [[nodiscard]] static EventHeader parse(std::string_view bytes) noexcept;
};

/// Where an event stands.
struct EventPlace {
  std::shared_ptr<const std::string> file;  ///< its name
  std::uint64_t offset = 0;                 ///< bytes from the file's start
};

/// Whether the CRC-32 at the event's end is that of its content. `event` includes both.
[[nodiscard]] bool checksum_is_right(std::string_view event);

}  // namespace ustream::mysql
