// Positions in a binlog: what their order key and their detail hold.
//
// Order key, 15 bytes, compared as bytes:
//   8   with GTIDs: how many transactions lie before (GtidSet::count()); else u24 number of the
//       file and u40 offset of the transaction in it
//   4   the rows event within the transaction, from 1; 0 for a boundary
//   3   the row within the event, from 1
// So the positions of a source with GTIDs compare across a failover, and each key fits into a
// std::string without an allocation.
//
// Detail: from where to read so that everything after the position is read. With GTIDs
// GtidSet::encode(), which is the same on every server and wherever reading began; else 'F', a
// varint with the offset, and the file's name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/position.hpp"

#include "connectors/mysql/gtid.hpp"

namespace ustream::mysql {

struct OrderKey {
  std::uint64_t before = 0;
  std::uint32_t event = 0;
  std::uint32_t row = 0;  ///< less than kMaxRow
  static constexpr std::uint32_t kMaxRow = 1U << 24U;
  static constexpr std::size_t kSize = 15;

  [[nodiscard]] std::string bytes() const;
  auto operator<=>(const OrderKey&) const = default;
};

/// `before` of an order key without GTIDs.
[[nodiscard]] constexpr std::uint64_t file_order(std::uint64_t file_number, std::uint64_t offset) {
  return (file_number << 40U) | (offset & 0xff'ffff'ffffU);
}
/// "mysql-bin.000017" is 17; nullopt for a name without a number.
[[nodiscard]] std::optional<std::uint64_t> file_number_of(std::string_view name) noexcept;

/// Where reading begins.
struct ReadPoint {
  std::string file;
  std::uint64_t offset = 0;
  std::optional<GtidSet> executed;  ///< nullopt: a source without GTIDs
  [[nodiscard]] std::string encode() const;
};

struct BinlogPosition {
  OrderKey key;
  ReadPoint read_from;
};

/// The parts of one of our positions. Throws ValidationError when it is another source's or its
/// parts make no sense.
[[nodiscard]] BinlogPosition parse_position(const Position& position);

/// The position at a boundary.
[[nodiscard]] Position boundary_position(const std::shared_ptr<const PositionOrigin>& origin,
                                         const ReadPoint& point);

}  // namespace ustream::mysql
