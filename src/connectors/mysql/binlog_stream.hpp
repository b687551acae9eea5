// A connection over which a server sends its binlog.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/mysql/binlog_event.hpp"
#include "connectors/mysql/binlog_position.hpp"
#include "connectors/mysql/client.hpp"

namespace ustream::mysql {

/// One event as it came, with its checksum; the bytes are the stream's own copy.
struct StreamedEvent {
  std::shared_ptr<const std::string> bytes;
  EventHeader header;
  EventPlace place;
};

/// Asks a server for its binlog from a point on and reads what it sends. One thread, but for
/// cancel(). Sources: MySQL's "COM_BINLOG_DUMP" and "COM_BINLOG_DUMP_GTID", MariaDB's knowledge
/// base "COM_BINLOG_DUMP". The client library's own reader of binlogs gives up on events that it
/// does not know, so packets are read here.
class BinlogStream {
 public:
  /// A server ends the dump of an earlier reader with the same server_id; so only the one live
  /// stream of a source has the id of the options, and a replay beside it a random one.
  enum class Purpose : std::uint8_t { live, replay };
  /// Connects. Throws as Client does.
  BinlogStream(const Options& options, Purpose purpose);

  [[nodiscard]] Client& client() noexcept { return client_; }
  /// Begins at `from`. Throws StreamingError(history_lost) when the server knows that it does not
  /// have what follows it; it may also find that out later, in next().
  void open(const ReadPoint& from);
  /// The next event; waits for it. Throws ConnectionError when the connection ends, history_lost
  /// when the point is not there any more, AuthError without the privilege, else StreamingError.
  [[nodiscard]] StreamedEvent next();
  /// Whether next() would not have to wait.
  [[nodiscard]] bool has_more() const noexcept;
  /// Ends next(). Any thread.
  void cancel() noexcept { client_.cancel(); }

 private:
  void check_history(const ReadPoint& from);
  void set_up(const ReadPoint& from);
  void send_dump(const ReadPoint& from);
  [[noreturn]] void refuse();
  void locate(StreamedEvent& event);

  Options options_;
  Client client_;
  std::shared_ptr<const std::string> file_;
  std::uint64_t offset_ = 0;
  bool has_checksums_ = true;  // of the file that is read; before its first event: of the server
};

}  // namespace ustream::mysql
