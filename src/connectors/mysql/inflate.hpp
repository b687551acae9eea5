// MariaDB's compressed events.
#pragma once

#include <string>
#include <string_view>

namespace ustream::mysql {

/// Replaces `out` by the content of a compressed event: a byte 0x80 plus the size of the length,
/// the length, zlib data (binlog_buf_uncompress in MariaDB's log_event.cc). False when it is none.
[[nodiscard]] bool inflate_event(std::string_view data, std::string& out);

}  // namespace ustream::mysql
