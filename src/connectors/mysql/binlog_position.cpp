#include "connectors/mysql/binlog_position.hpp"

#include <charconv>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/varint.hpp"

namespace ustream::mysql {
namespace {

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
  put_varint(out, file.size());
  out += file;
  put_varint(out, offset);
  if (executed) {
    executed->encode(out);
  }
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
  ByteReader detail(position.detail());
  result.read_from.file = detail.take(static_cast<std::size_t>(get_varint(detail)));
  result.read_from.offset = get_varint(detail);
  if (!detail.ok()) {
    refuse("it does not say where to read");
  }
  if (!detail.at_end()) {
    result.read_from.executed = GtidSet::decode(detail.rest());
    if (!result.read_from.executed) {
      refuse("its set of GTIDs cannot be read");
    }
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
