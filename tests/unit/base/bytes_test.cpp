#include "base/bytes.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc32.hpp"

namespace ustream::base {
namespace {

using namespace std::string_literals;

TEST(Bytes, big_endian_puts_the_most_significant_first) {
  std::string out;
  put_big_endian(out, std::uint32_t{0x01020304});
  put_big_endian(out, std::int16_t{-2});
  EXPECT_EQ(out, "\x01\x02\x03\x04\xff\xfe"s);
  EXPECT_EQ(get_big_endian<std::uint32_t>(out.data()), 0x01020304U);
  EXPECT_EQ(get_big_endian<std::int16_t>(out.data() + 4), -2);
}

TEST(Bytes, little_endian_puts_the_least_significant_first) {
  std::string out;
  put_little_endian(out, std::uint32_t{0x01020304});
  put_little_endian(out, std::int64_t{-2});
  EXPECT_EQ(out, "\x04\x03\x02\x01\xfe\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(get_little_endian<std::uint32_t>(out.data()), 0x01020304U);
  EXPECT_EQ(get_little_endian<std::int64_t>(out.data() + 4), -2);
}

TEST(Bytes, ordered_forms_sort_as_the_numbers_do) {
  std::vector<std::int64_t> numbers = {std::numeric_limits<std::int64_t>::min(), -1, 0, 1,
                                       std::numeric_limits<std::int64_t>::max()};
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    numbers.push_back(static_cast<std::int64_t>(random()) >> (random() % 64));
  }
  std::sort(numbers.begin(), numbers.end());
  std::string before;
  for (const std::int64_t number : numbers) {
    std::string key;
    put_ordered_int64(key, number);
    EXPECT_EQ(key.size(), 8U);
    EXPECT_EQ(get_ordered_int64(key.data()), number);
    EXPECT_LE(before, key) << number;
    before = key;
  }
  std::string small;
  std::string large;
  put_ordered_uint64(small, 255);
  put_ordered_uint64(large, std::uint64_t{1} << 63);
  EXPECT_LT(small, large);
  EXPECT_EQ(get_ordered_uint64(large.data()), std::uint64_t{1} << 63);
}

TEST(ByteReader, fails_for_good_at_the_end) {
  const std::string bytes = "\x00\x05\x03xyz!"s;
  ByteReader reader(bytes);
  EXPECT_EQ(reader.big_endian<std::uint16_t>(), 5);
  EXPECT_EQ(reader.take(reader.little_endian<std::uint8_t>()), "xyz");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_EQ(reader.big_endian<std::uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.take(1), "");
}

TEST(Crc32, agrees_with_the_published_check_values) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
}

TEST(Crc32, goes_on_from_an_earlier_part) {
  const std::string text = "a text of some length, so that eight bytes are taken at once";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    EXPECT_EQ(crc32(text.substr(i), crc32(text.substr(0, i))), crc32(text));
  }
}

}  // namespace
}  // namespace ustream::base
