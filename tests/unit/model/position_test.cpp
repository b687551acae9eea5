#include "ustream/position.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "model/base64.hpp"
#include "model/random_value.hpp"

namespace ustream {
namespace {

std::shared_ptr<const PositionOrigin> origin(std::string epoch = "e1") {
  return std::make_shared<const PositionOrigin>(PositionOrigin{"sqlite", std::move(epoch)});
}

Position at(std::int64_t sequence, std::string detail = {}) {
  std::string key;
  base::put_ordered_int64(key, sequence);
  return Position(origin(), key, std::move(detail));
}

/// A cursor of these bytes, with a checksum that is right.
std::string sealed(std::string bytes) {
  base::put_big_endian(bytes, base::crc32(bytes));
  std::string text = "u1.";
  model::append_base64url(text, bytes);
  return text;
}

std::string refusal(std::string_view cursor) {
  try {
    static_cast<void>(Position::parse(cursor));
  } catch (const ValidationError& error) {
    return error.what();
  }
  return {};
}

TEST(Cursor, reads_back_as_the_position_it_was_made_of) {
  test::RandomValues random(1);
  for (int i = 0; i < 2000; ++i) {
    const Position position(
        std::make_shared<const PositionOrigin>(PositionOrigin{random.bytes(), random.bytes()}),
        random.bytes(), random.bytes() + std::string(random.below(300), 'd'));
    const std::string cursor = position.cursor();
    EXPECT_EQ(Position::parse(cursor), position);
    EXPECT_EQ(Position::parse(cursor).cursor(), cursor);
    EXPECT_EQ(cursor.find_first_not_of(
                  "u1.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
  }
}

TEST(Cursor, is_the_same_text_for_equal_positions_and_stays_as_documented) {
  EXPECT_EQ(at(17, "d").cursor(), at(17, "d").cursor());
  EXPECT_NE(at(17).cursor(), at(18).cursor());
  std::string bytes(
      "\x01\x06sqlite\x02"
      "e1\x08\x80\0\0\0\0\0\0\x11\0\x01"
      "d",
      23);
  EXPECT_EQ(at(17, "d").cursor(), sealed(bytes));
}

TEST(Cursor, appends_to_what_is_there) {
  std::string out = "cursor=";
  at(1).append_cursor(out);
  EXPECT_EQ(out, "cursor=" + at(1).cursor());
}

TEST(Cursor, every_flipped_bit_is_noticed) {
  const std::string cursor = at(123'456'789, "detail").cursor();
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = cursor;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_NE(refusal(damaged), "") << "byte " << i << ", bit " << bit;
    }
  }
}

TEST(Cursor, a_part_or_more_than_a_cursor_is_refused) {
  const std::string cursor = at(5, "detail").cursor();
  for (std::size_t size = 0; size < cursor.size(); ++size) {
    EXPECT_NE(refusal(cursor.substr(0, size)), "") << size;
  }
  EXPECT_NE(refusal(cursor + "A"), "");
  EXPECT_NE(refusal(cursor + "AAAA"), "");
  EXPECT_NE(refusal(" " + cursor), "");
  EXPECT_NE(refusal(cursor + "\n"), "");
}

TEST(Cursor, each_refusal_says_why) {
  EXPECT_NE(refusal("12345").find("this is not a cursor"), std::string::npos);
  EXPECT_NE(refusal("12345").find("does not begin with"), std::string::npos);
  EXPECT_NE(refusal("u2.AAAA").find("version"), std::string::npos);
  EXPECT_NE(refusal("u1.****").find("damaged"), std::string::npos);
  EXPECT_NE(refusal("u1." + std::string(10'000, 'A')).find("damaged"), std::string::npos);
  EXPECT_NE(refusal(sealed(std::string("\x02\0\0\0\0\0", 6))).find("version"), std::string::npos);
  EXPECT_NE(refusal(sealed(std::string("\x01\x09\0\0\0\0", 6))).find("cut off"), std::string::npos);
  EXPECT_NE(refusal(sealed(std::string("\x01\0\0\0\0\0x", 7))).find("follow"), std::string::npos);
  EXPECT_EQ(refusal(sealed(std::string("\x01\0\0\0\0\0", 6))), "");
}

TEST(Cursor, positions_that_do_not_fit_are_refused_rather_than_cut) {
  EXPECT_EQ(Position(origin(""), "", std::string(16'368, 'x')).cursor().size(),
            3 + (16'384 * 4 + 2) / 3);
  EXPECT_THROW(static_cast<void>(Position(origin(""), "", std::string(16'369, 'x')).cursor()),
               Error);
  EXPECT_THROW(static_cast<void>(Position(origin(), std::string(256, 'x')).cursor()), Error);
  EXPECT_THROW(static_cast<void>(Position().cursor()), Error);
}

TEST(Position, compares_by_order_key_within_one_epoch) {
  EXPECT_TRUE(at(1).comparable(at(2)));
  EXPECT_EQ(at(1).compare(at(2)), std::strong_ordering::less);
  EXPECT_EQ(at(-1).compare(at(-2)), std::strong_ordering::greater);
  EXPECT_EQ(at(300).compare(at(300)), std::strong_ordering::equal);
  EXPECT_FALSE(at(1).comparable(Position(origin("e2"), at(1).order_key())));
  EXPECT_FALSE(at(1).comparable(Position()));
  EXPECT_FALSE(Position().comparable(Position()));
}

TEST(Position, equality_is_of_all_parts) {
  EXPECT_EQ(Position(), Position());
  EXPECT_NE(Position(), at(1));
  EXPECT_EQ(at(1, "a"), at(1, "a"));
  EXPECT_NE(at(1, "a"), at(1, "b"));
  EXPECT_NE(at(1), Position(origin("e2"), at(1).order_key()));
}

}  // namespace
}  // namespace ustream
