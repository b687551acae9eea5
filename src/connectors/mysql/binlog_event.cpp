#include "connectors/mysql/binlog_event.hpp"

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {

EventHeader EventHeader::parse(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  EventHeader header;
  header.timestamp = reader.u32();
  header.type = static_cast<EventType>(reader.u8());
  header.server_id = reader.u32();
  header.size = reader.u32();
  header.end = reader.u32();
  header.flags = reader.u16();
  return header;
}

bool checksum_is_right(std::string_view event) {
  constexpr std::size_t kFlagsAt = 17;
  if (event.size() < EventHeader::kSize + EventHeader::kChecksumSize) {
    return false;
  }
  const std::string_view content = event.substr(0, event.size() - EventHeader::kChecksumSize);
  const auto stored = base::get_little_endian<std::uint32_t>(content.data() + content.size());
  if (EventHeader::parse(event).type != EventType::format_description) {
    return base::crc32(content) == stored;
  }
  // The server sets this flag while it writes to the file, and leaves the checksum as it is.
  std::string cleared(content);
  cleared[kFlagsAt] =
      static_cast<char>(static_cast<unsigned char>(cleared[kFlagsAt]) & ~EventHeader::kInUse);
  return base::crc32(cleared) == stored;
}

}  // namespace ustream::mysql
