#include "connectors/mysql/binlog_stream.hpp"

#include <algorithm>
#include <random>

#include <ma_pvio.h>
#include <poll.h>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

constexpr auto kDump = static_cast<enum_server_command>(0x12);
constexpr auto kDumpGtid = static_cast<enum_server_command>(0x1e);
/// The server ends the dump with it: ER_MASTER_FATAL_ERROR_READING_BINLOG.
constexpr unsigned kCannotReadBinlog = 1236;
constexpr unsigned kUnknownBinlog = 1373;
/// BINLOG_THROUGH_GTID: the set of GTIDs decides, not file and offset.
constexpr std::uint16_t kThroughGtid = 0x04;

std::uint32_t random_server_id() {
  // Far from what people number their servers with.
  return std::uniform_int_distribution<std::uint32_t>(
      0x4000'0000, 0xfffe'ffff)(*std::make_unique<std::random_device>());
}

/// The server shows a sign of life each `heartbeat`; without three of them the link is dead.
Options stream_options(Options options, BinlogStream::Purpose purpose) {
  using std::chrono::milliseconds;
  if (options.server_id == 0 || purpose == BinlogStream::Purpose::replay) {
    options.server_id = random_server_id();
  }
  options.timeout = std::max<milliseconds>(milliseconds(5000), options.heartbeat * 3);
  return options;
}

[[noreturn]] void lose_history(const std::string& why, const std::string& where,
                               const std::string& detail = {}) {
  throw StreamingError(why + "; take a new snapshot", ErrorKind::history_lost,
                       RetryAdvice::resnapshot, where, detail);
}

bool speaks_of_lost_history(std::string_view text) {
  constexpr std::string_view kSigns[] = {"purged",
                                         "Could not find first log",
                                         "could not find next log",
                                         "Could not find GTID state",
                                         "not in the master's binlog",
                                         "not in the binlog",
                                         "diverged",
                                         "Client requested master to start replication from"};
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](std::string_view sign) {
    return text.find(sign) != std::string_view::npos;
  });
}

}  // namespace

BinlogStream::BinlogStream(const Options& options, Purpose purpose)
    : options_(stream_options(options, purpose)), client_(options_) {}

void BinlogStream::open(const ReadPoint& from) {
  check_history(from);
  set_up(from);
  send_dump(from);
  file_ = std::make_shared<const std::string>(from.file);
  offset_ = from.offset;
}

void BinlogStream::check_history(const ReadPoint& from) {
  if (!from.executed) {
    const TextRows files = client_.query("SHOW BINARY LOGS");
    const bool there = std::any_of(files.begin(), files.end(), [&](const TextRow& row) {
      return !row.empty() && row[0] == from.file;
    });
    if (!there) {
      lose_history("the server does not have its binlog file " + from.file + " any more",
                   client_.where());
    }
    return;
  }
  if (client_.server().is_mariadb) {
    return;  // it says itself what it has not
  }
  const auto set = [&](const char* variable) {
    return GtidSet::parse(
               Flavor::mysql,
               client_.query_value(std::string("SELECT @@global.") + variable).value_or(""))
        .value_or(GtidSet(Flavor::mysql));
  };
  if (!set("gtid_executed").contains(*from.executed)) {
    lose_history(
        "the server has not executed all of the cursor's transactions: it is another "
        "server, or was restored from a backup",
        client_.where());
  }
  if (!from.executed->contains(set("gtid_purged"))) {
    lose_history("the server has purged binlogs that hold transactions behind the cursor",
                 client_.where());
  }
}

void BinlogStream::set_up(const ReadPoint& from) {
  const std::string period = std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(options_.heartbeat).count());
  // Each server reads the variables that it knows.
  client_.execute(
      "SET @master_binlog_checksum=@@global.binlog_checksum,"
      "@source_binlog_checksum=@@global.binlog_checksum,@master_heartbeat_period=" +
      period + ",@source_heartbeat_period=" + period);
  has_checksums_ = client_.query_value("SELECT @@global.binlog_checksum").value_or("") != "NONE";
  if (client_.server().is_mariadb) {
    // Capability 4: GTID events as they are.
    client_.execute("SET @mariadb_slave_capability=4,@slave_connect_state=" +
                    quote_literal(from.executed ? from.executed->text() : std::string()) +
                    ",@slave_gtid_strict_mode=0,@slave_gtid_ignore_duplicates=0");
  }
}

void BinlogStream::send_dump(const ReadPoint& from) {
  const std::uint32_t server_id = options_.server_id;
  std::string payload;
  enum_server_command command = kDump;
  if (from.executed && !client_.server().is_mariadb) {
    command = kDumpGtid;
    const std::string set = from.executed->dump_payload();
    base::put_little_endian(payload, kThroughGtid);
    base::put_little_endian(payload, server_id);
    base::put_little_endian(payload, std::uint32_t{0});  // no file name
    base::put_little_endian(payload, std::uint64_t{4});
    base::put_little_endian(payload, static_cast<std::uint32_t>(set.size()));
    payload += set;
  } else {
    const bool by_file = !from.executed;
    base::put_little_endian(payload,
                            by_file ? static_cast<std::uint32_t>(from.offset) : std::uint32_t{4});
    base::put_little_endian(payload, std::uint16_t{0});
    base::put_little_endian(payload, server_id);
    payload += by_file ? from.file : std::string();
  }
  MYSQL* handle = client_.handle();
  if (handle->methods->db_command(handle, command, payload.data(), payload.size(), 1, nullptr) !=
      0) {
    client_.fail();
  }
}

StreamedEvent BinlogStream::next() {
  MYSQL* handle = client_.handle();
  const unsigned long size = ::mysql_net_read_packet(handle);
  if (size == packet_error || size == 0) {
    refuse();  // the library has read the server's error packet
  }
  const std::string_view packet(reinterpret_cast<const char*>(handle->net.read_pos), size);
  const auto kind = static_cast<unsigned char>(packet.front());
  if (kind == 0xfe && size < 9) {
    throw ConnectionError("the server ended the stream of its binlog", RetryAdvice::retry,
                          client_.where());
  }
  if (kind != 0 || size < 1 + EventHeader::kSize) {
    throw StreamingError("the server sent something else than its binlog", ErrorKind::streaming,
                         RetryAdvice::retry, client_.where());
  }
  StreamedEvent event;
  event.bytes = std::make_shared<const std::string>(packet.substr(1));
  event.header = EventHeader::parse(*event.bytes);
  locate(event);
  return event;
}

void BinlogStream::locate(StreamedEvent& event) {
  const EventHeader& header = event.header;
  if (header.type == EventType::rotate) {
    ByteReader body(std::string_view(*event.bytes).substr(EventHeader::kSize));
    offset_ = body.u64();
    std::string_view name = body.rest();
    name.remove_suffix(has_checksums_ ? std::min(EventHeader::kChecksumSize, name.size()) : 0);
    file_ = std::make_shared<const std::string>(name);
    event.place = {file_, offset_};
    return;
  }
  if (header.type == EventType::format_description && event.bytes->size() > 5) {
    has_checksums_ = (*event.bytes)[event.bytes->size() - 5] == 1;
  }
  const bool in_file = (header.flags & EventHeader::kArtificial) == 0 &&
                       !(header.type == EventType::format_description && header.end == 0) &&
                       header.type != EventType::heartbeat &&
                       header.type != EventType::heartbeat_v2;
  if (!in_file) {
    event.place = {file_, offset_};
    return;
  }
  if (header.end != 0) {
    // Events that are passed over are not sent. The header has 32 bits of the offset.
    const std::uint64_t end = (offset_ & ~std::uint64_t{0xffff'ffff}) | header.end;
    if (end >= header.size) {
      offset_ = end - header.size + (end < offset_ ? std::uint64_t{1} << 32U : 0);
    }
  }
  event.place = {file_, offset_};
  offset_ += header.size;
}

bool BinlogStream::has_more() const noexcept {
  MYSQL* handle = client_.handle();
  const MARIADB_PVIO* link = handle->net.pvio;
  if (link == nullptr) {
    return false;
  }
  if (link->cache != nullptr && link->cache_pos != nullptr &&
      link->cache_pos < link->cache + link->cache_size) {
    return true;
  }
  pollfd socket{::mysql_get_socket(handle), POLLIN, 0};
  return ::poll(&socket, 1, 0) > 0;
}

void BinlogStream::refuse() {
  MYSQL* handle = client_.handle();
  const ServerError error{::mysql_errno(handle), ::mysql_sqlstate(handle), ::mysql_error(handle)};
  if (error.code == kUnknownBinlog ||
      (error.code == kCannotReadBinlog && speaks_of_lost_history(error.text))) {
    lose_history("the server does not have the binlog behind the cursor any more", client_.where(),
                 error.text);
  }
  if (error.code == kCannotReadBinlog) {
    const bool same_id = error.text.find("same server_uuid") != std::string::npos ||
                         error.text.find("same server_id") != std::string::npos ||
                         error.text.find("same server id") != std::string::npos;
    throw StreamingError(same_id ? "another reader of the binlog has this server_id; give each its "
                                   "own, or leave the option server_id out"
                                 : "the server cannot send its binlog; its own log says why",
                         ErrorKind::streaming, RetryAdvice::retry, client_.where(), error.text);
  }
  client_.fail();
}

}  // namespace ustream::mysql
