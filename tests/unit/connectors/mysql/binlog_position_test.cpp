#include "connectors/mysql/binlog_position.hpp"

#include <gtest/gtest.h>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

std::shared_ptr<const PositionOrigin> origin(const char* epoch = "gtid") {
  return std::make_shared<const PositionOrigin>(PositionOrigin{"mysql", epoch});
}

TEST(BinlogPosition, ItsKeysCompareAsTheStreamOrders) {
  const OrderKey keys[] = {{7, 0, 0}, {7, 1, 1}, {7, 1, 2},  {7, 1, 300},
                           {7, 2, 1}, {8, 0, 0}, {300, 0, 0}};
  for (std::size_t i = 1; i < std::size(keys); ++i) {
    EXPECT_LT(keys[i - 1].bytes(), keys[i].bytes()) << i;
    EXPECT_LT(keys[i - 1], keys[i]);
    EXPECT_EQ(keys[i].bytes().size(), OrderKey::kSize);
  }
}

TEST(BinlogPosition, ComesBackFromItsCursor) {
  const ReadPoint point{{}, 0, GtidSet::parse(Flavor::mariadb, "0-1-99")};
  const Position boundary = boundary_position(origin(), point);
  const BinlogPosition back = parse_position(Position::parse(boundary.cursor()));
  EXPECT_EQ(back.key, (OrderKey{99, 0, 0}));
  EXPECT_EQ(back.read_from.executed, point.executed);
}

TEST(BinlogPosition, WithoutGtidsFilesOrderIt) {
  const auto at = [](const char* file, std::uint64_t offset) {
    return boundary_position(origin("file:x"), {file, offset, std::nullopt});
  };
  EXPECT_TRUE(at("bin.000009", 900).compare(at("bin.000010", 4)) < 0);
  EXPECT_TRUE(at("bin.000010", 4).compare(at("bin.000010", 5'000'000'000)) < 0);
  const BinlogPosition back =
      parse_position(Position::parse(at("bin.000017", 5'000'000'000).cursor()));
  EXPECT_FALSE(back.read_from.executed);
  EXPECT_EQ(back.read_from.file, "bin.000017");
  EXPECT_EQ(back.read_from.offset, 5'000'000'000U);
}

TEST(BinlogPosition, RefusesCursorsOfOthers) {
  EXPECT_THROW((void)parse_position({}), ValidationError);
  const auto other = std::make_shared<const PositionOrigin>(PositionOrigin{"sqlite", "e"});
  EXPECT_THROW((void)parse_position({other, std::string(15, 'x')}), ValidationError);
  EXPECT_THROW((void)parse_position({origin(), "short"}), ValidationError);
  for (const char* detail : {"", "F", "F\x05", "M123", "R\x01"}) {
    EXPECT_THROW((void)parse_position({origin(), std::string(15, 'x'), detail}), ValidationError)
        << detail;
  }
}

}  // namespace
}  // namespace ustream::mysql
