#include "connectors/mysql/gtid.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace ustream::mysql {
namespace {

constexpr const char* kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr const char* kB = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet mysql(const std::string& text) {
  return GtidSet::parse(Flavor::mysql, text).value();
}
GtidSet mariadb(const std::string& text) {
  return GtidSet::parse(Flavor::mariadb, text).value();
}
Gtid one(std::uint64_t number, const std::string& tag = {}) {
  Gtid gtid;
  gtid.source = {0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1,
                 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62};
  gtid.tag = tag;
  gtid.number = number;
  return gtid;
}

TEST(GtidSet, ReadsAndWritesWhatTheServersWrite) {
  const std::string text = std::string(kA) + ":1-5:7:10-20," + kB + ":1";
  EXPECT_EQ(mysql(text).text(), text);
  EXPECT_EQ(mysql(std::string(kA) + ":7:1-5,\n" + kA + ":6").text(), std::string(kA) + ":1-7");
  EXPECT_EQ(mysql("").text(), "");
  EXPECT_EQ(mysql(std::string(kA) + ":1-3:blue:5-6:red:1").text(),
            std::string(kA) + ":1-3," + kA + ":blue:5-6," + kA + ":red:1");
  EXPECT_EQ(mariadb("0-1-5,3-2-9").text(), "0-1-5,3-2-9");
}

TEST(GtidSet, RefusesWhatIsNoSet) {
  for (const char* text :
       {"x", "3e11fa47-71ca-11e1-9e33-c80aa9429562", "3e11fa47-71ca-11e1-9e33-c80aa9429562:0",
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-3", "3e11fa47-71ca-11e1-9e33-c80aa942956z:1",
        "0-1-5"}) {
    EXPECT_FALSE(GtidSet::parse(Flavor::mysql, text)) << text;
  }
  for (const char* text : {"0-1", "0-1-x", "4294967296-1-1", "0-1-5-6"}) {
    EXPECT_FALSE(GtidSet::parse(Flavor::mariadb, text)) << text;
  }
}

TEST(GtidSet, CountsEveryTransactionOnce) {
  GtidSet set = mysql(std::string(kA) + ":1-5:8");
  EXPECT_EQ(set.count(), 6U);
  EXPECT_TRUE(set.add(one(6)));
  EXPECT_FALSE(set.add(one(6)));
  EXPECT_TRUE(set.add(one(7)));
  EXPECT_TRUE(set.add(one(1, "blue")));
  EXPECT_EQ(set.count(), 9U);
  EXPECT_EQ(set.text(), std::string(kA) + ":1-8," + kA + ":blue:1");
  EXPECT_TRUE(set.contains(one(8)));
  EXPECT_FALSE(set.contains(one(9)));
  EXPECT_FALSE(set.contains(one(1, "red")));
}

TEST(GtidSet, OfMariadbGrowsByItsDomains) {
  GtidSet set = mariadb("0-1-5,1-1-2");
  EXPECT_EQ(set.count(), 7U);
  EXPECT_TRUE(set.add({Flavor::mariadb, {}, {}, 0, 9, 6}));
  EXPECT_FALSE(set.add({Flavor::mariadb, {}, {}, 0, 1, 4}));
  EXPECT_EQ(set.count(), 8U);
  EXPECT_EQ(set.text(), "0-9-6,1-1-2");
}

TEST(GtidSet, ContainsASetWhenItHasAllOfIt) {
  const GtidSet all = mysql(std::string(kA) + ":1-10," + kB + ":3-5");
  EXPECT_TRUE(all.contains(mysql(std::string(kA) + ":2-4:9")));
  EXPECT_TRUE(all.contains(mysql("")));
  EXPECT_FALSE(all.contains(mysql(std::string(kA) + ":2-11")));
  EXPECT_FALSE(all.contains(mysql(std::string(kB) + ":1")));
  EXPECT_TRUE(mariadb("0-1-9").contains(mariadb("0-2-9")));
  EXPECT_FALSE(mariadb("0-1-9").contains(mariadb("0-1-9,1-1-1")));
}

TEST(GtidSet, ComesBackFromItsBytes) {
  for (const GtidSet& set : {mysql(std::string(kA) + ":1-5:7:10-20," + kB + ":9223372036854775806"),
                             mysql(std::string(kA) + ":1:blue:5-6"),
                             mariadb("0-1-5,7-4294967295-9"), mysql(""), mariadb("")}) {
    std::string bytes;
    set.encode(bytes);
    EXPECT_EQ(GtidSet::decode(bytes), set) << set.text();
    for (std::size_t size = 2; size < bytes.size(); ++size) {
      const auto cut = GtidSet::decode(std::string_view(bytes).substr(0, size));
      EXPECT_TRUE(!cut || *cut != set) << size;
    }
  }
}

TEST(GtidSet, IsReadFromItsEvents) {
  const GtidSet set = mysql(std::string(kA) + ":1-5:7:10-20," + kB + ":1");
  EXPECT_EQ(GtidSet::parse_event(Flavor::mysql, set.dump_payload()), set);
  const GtidSet tagged = mysql(std::string(kA) + ":1-5:blue:7");
  EXPECT_EQ(GtidSet::parse_event(Flavor::mysql, tagged.dump_payload()), tagged);
  std::string list;
  base::put_little_endian(list, std::uint32_t{1});
  base::put_little_endian(list, std::uint32_t{2});
  base::put_little_endian(list, std::uint32_t{3});
  base::put_little_endian(list, std::uint64_t{4});
  EXPECT_EQ(GtidSet::parse_event(Flavor::mariadb, list), mariadb("2-3-4"));
  EXPECT_FALSE(GtidSet::parse_event(Flavor::mariadb, list.substr(0, 10)));
}

TEST(TaggedGtid, IsReadFieldByField) {
  // version 1, size, last field; flags = 1, uuid (a byte over 127 takes two), number 5, tag "blue".
  std::string body{2, 60, 0, 0, 2, 2};
  for (const std::uint8_t byte : one(1).source) {
    if (byte < 128) {
      body += static_cast<char>(byte << 1U);
    } else {
      body += static_cast<char>((byte << 2U) | 1U);
      body += static_cast<char>(byte >> 6U);
    }
  }
  body += {4, 20, 6, 8, 'b', 'l', 'u', 'e'};
  const auto event = parse_tagged_gtid(body);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->gtid, one(5, "blue"));
  EXPECT_EQ(event->gtid.text(), std::string(kA) + ":blue:5");
  EXPECT_FALSE(parse_tagged_gtid(body.substr(0, 20)));
}

}  // namespace
}  // namespace ustream::mysql
