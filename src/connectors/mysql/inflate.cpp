#include "connectors/mysql/inflate.hpp"

#include <zlib.h>

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

/// The largest event that a server writes; a compressed one cannot become larger either.
constexpr std::uint64_t kMaxEvent = std::uint64_t{1} << 30U;

}  // namespace

bool inflate_event(std::string_view data, std::string& out) {
  ByteReader reader(data);
  const std::uint8_t header = reader.u8();
  const std::uint64_t size = reader.big_endian(header & 7U);
  if ((header & 0x80U) == 0 || !reader.ok() || size > kMaxEvent ||
      size > (reader.rest().size() + 16) * 1040) {  // deflate's best ratio is 1032
    return false;
  }
  out.resize(static_cast<std::size_t>(size));
  uLongf got = static_cast<uLongf>(size);
  return ::uncompress(reinterpret_cast<Bytef*>(out.data()), &got,
                      reinterpret_cast<const Bytef*>(reader.rest().data()),
                      static_cast<uLong>(reader.rest().size())) == Z_OK &&
         got == size;
}

}  // namespace ustream::mysql
