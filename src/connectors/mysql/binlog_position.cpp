#include "connectors/mysql/binlog_position.hpp"

#include <charconv>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/varint.hpp"

namespace ustream::mysql {
namespace {

/// Begins the detail of a source without GTIDs; GtidSet::encode() begins with another letter.
constexpr char kFileMark = 'F';

[[noreturn]] void refuse(const char* why) {
  throw ValidationError(std::string("this cursor cannot be used with a MySQL source: ") + why,
                        "cursor");
}

}  // namespace

std::string OrderKey::bytes() const {
  std::string key;  // fits without an allocation
  base::put_big_endian(key, before);
  base::put_big_endian(key, event);
  key += static_cast<char>(row >> 16U);
  key += static_cast<char>(row >> 8U);
  key += static_cast<char>(row);
  return key;
}

std::optional<std::uint64_t> file_number_of(std::string_view name) noexcept {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + dot + 1, end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

std::string ReadPoint::encode() const {
  std::string out;
  if (executed) {
    executed->encode(out);
    return out;
  }
  out += kFileMark;
  put_varint(out, offset);
  out += file;
  return out;
}

BinlogPosition parse_position(const Position& position) {
  if (!position || position.origin().source != "mysql") {
    refuse("it is another source's");
  }
  const std::string& key = position.order_key();
  if (key.size() != OrderKey::kSize) {
    refuse("its order key has another length");
  }
  BinlogPosition result;
  ByteReader order(key);
  result.key.before = order.big_endian(8);
  result.key.event = static_cast<std::uint32_t>(order.big_endian(4));
  result.key.row = static_cast<std::uint32_t>(order.big_endian(3));
  const std::string& detail = position.detail();
  if (!detail.starts_with(kFileMark)) {
    result.read_from.executed = GtidSet::decode(detail);
    if (!result.read_from.executed) {
      refuse("it does not say where to read");
    }
    return result;
  }
  ByteReader place(std::string_view(detail).substr(1));
  result.read_from.offset = get_varint(place);
  result.read_from.file = place.rest();
  if (result.read_from.file.empty()) {
    refuse("it names no binlog file");
  }
  return result;
}

Position boundary_position(const std::shared_ptr<const PositionOrigin>& origin,
                           const ReadPoint& point) {
  OrderKey key;
  key.before = point.executed ? point.executed->count()
                              : file_order(file_number_of(point.file).value_or(0), point.offset);
  return {origin, key.bytes(), point.encode()};
}

}  // namespace ustream::mysql
