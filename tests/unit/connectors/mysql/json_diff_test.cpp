// Binary JSON made by hand: its text, its damage, and differences applied to it.
#include "connectors/mysql/json_diff.hpp"

#include <gtest/gtest.h>

#include "connectors/mysql/json_text.hpp"

namespace ustream::mysql {
namespace {

using namespace std::string_literals;

/// {"a": 1, "bc": "x"}: sizes, key entries, value entries, keys, the string.
const std::string kObject =
    "\x00"s
    "\x02\x00\x17\x00"
    "\x12\x00\x01\x00"
    "\x13\x00\x02\x00"
    "\x05\x01\x00"
    "\x0c\x15\x00"
    "a"
    "bc"
    "\x01x"s;
/// [1, 2]
const std::string kArray = "\x02\x02\x00\x0a\x00\x05\x01\x00\x05\x02\x00"s;
const std::string kThree = "\x05\x03\x00"s;

std::string text_of(const std::string& binary) {
  std::string text;
  return append_json_text(text, binary) ? text : "damaged";
}

std::string diff(char operation, const std::string& path, const std::string& value = {}) {
  std::string bytes(1, operation);
  bytes += static_cast<char>(path.size());
  bytes += path;
  if (operation != 2) {
    bytes += static_cast<char>(value.size());
    bytes += value;
  }
  return bytes;
}

/// The text of what becomes of `before`.
std::string after(const std::string& before, const std::string& diffs) {
  std::string out = "kept";
  if (!apply_json_diffs(out, before, diffs)) {
    return out == "kept" ? "refused" : "refused, with something left behind";
  }
  return text_of(out.substr(4));
}

constexpr char kReplace = 0;
constexpr char kInsert = 1;
constexpr char kRemove = 2;

TEST(JsonDiff, ReplacesInsertsAndRemoves) {
  ASSERT_EQ(text_of(kObject), R"({"a": 1, "bc": "x"})");
  ASSERT_EQ(text_of(kArray), "[1, 2]");
  EXPECT_EQ(after(kObject, ""), R"({"a": 1, "bc": "x"})");
  EXPECT_EQ(after(kObject, diff(kReplace, "$.a", kThree)), R"({"a": 3, "bc": "x"})");
  EXPECT_EQ(after(kObject, diff(kReplace, "$.bc", kObject)),
            R"({"a": 1, "bc": {"a": 1, "bc": "x"}})");
  EXPECT_EQ(after(kObject, diff(kInsert, "$.b", kThree)), R"({"a": 1, "b": 3, "bc": "x"})");
  EXPECT_EQ(after(kObject, diff(kInsert, R"($."b \"c")", kArray)),
            R"({"a": 1, "bc": "x", "b \"c": [1, 2]})");
  EXPECT_EQ(after(kObject, diff(kRemove, "$.a")), R"({"bc": "x"})");
  EXPECT_EQ(after(kArray, diff(kInsert, "$[0]", kThree)), "[3, 1, 2]");
  EXPECT_EQ(after(kArray, diff(kInsert, "$[9]", kThree)), "[1, 2, 3]");
  EXPECT_EQ(after(kArray, diff(kReplace, "$[last]", kThree)), "[1, 3]");
  EXPECT_EQ(after(kArray, diff(kRemove, "$[last-1]")), "[2]");
  EXPECT_EQ(after(kArray, diff(kRemove, "$[0]") + diff(kRemove, "$[0]")), "[]");
  EXPECT_EQ(after(kObject, diff(kReplace, "$.a", kArray) + diff(kReplace, "$.a[1]", kObject) +
                               diff(kInsert, "$.a[1].d", kThree)),
            R"({"a": [1, {"a": 1, "d": 3, "bc": "x"}], "bc": "x"})");
}

TEST(JsonDiff, GrowsPastWhatSmallContainersHold) {
  const std::string big = "\x0c\xa0\x9c\x01"s + std::string(20000, 'y');
  std::string diffs;
  for (int i = 0; i < 5; ++i) {
    std::string one(1, kInsert);
    const std::string path = "$.k" + std::to_string(i);
    one += static_cast<char>(path.size());
    one += path;
    one += "\xfc"s;
    one += static_cast<char>(big.size() & 0xffU);
    one += static_cast<char>(big.size() >> 8U);
    diffs += one + big;
  }
  const std::string text = after(kObject, diffs);
  EXPECT_GT(text.size(), 100'000U);
  EXPECT_TRUE(text.starts_with(R"({"a": 1, "bc": "x", "k0": "yy)")) << text.substr(0, 100);
  EXPECT_EQ(
      after(kObject, diffs + diff(kRemove, "$.k0") + diff(kRemove, "$.k1") + diff(kRemove, "$.k2") +
                         diff(kRemove, "$.k3") + diff(kRemove, "$.k4")),
      R"({"a": 1, "bc": "x"})");
}

TEST(JsonDiff, RefusesWhatDoesNotFit) {
  for (const std::string& bad :
       {diff(kReplace, "$.none", kThree), diff(kReplace, "$[0]", kThree), diff(kRemove, "$.none"),
        diff(kRemove, "$.a.b"), diff(kInsert, "$.a", kThree), diff(kInsert, "$.a.b", kThree),
        diff(kReplace, "$", kThree), diff(kReplace, "", kThree), diff(kReplace, ".a", kThree),
        diff(kReplace, "$.", kThree), diff(kReplace, "$[", kThree), diff(kReplace, "$[1", kThree),
        diff(kReplace, "$.\"a", kThree), diff(kReplace, "$.a", "\x0c\x05"s), diff(3, "$.a", kThree),
        diff(kReplace, "$.a"), "\x00\x09$.a"s}) {
    EXPECT_EQ(after(kObject, bad), "refused");
  }
  for (std::size_t size = 1; size < kObject.size(); ++size) {
    EXPECT_EQ(after(kObject.substr(0, size), diff(kReplace, "$.a", kThree)), "refused") << size;
  }
}

TEST(JsonText, RefusesDamageThatRepeatsItselfWithoutEnd) {
  // An array whose members are all the array's own tail, again and again.
  std::string array = "\x02"s;
  const std::size_t count = 60;
  const std::size_t size = 4 + 3 * count;
  std::string level = "\x00\x00\x04\x00"s;
  std::string bytes;
  bytes += static_cast<char>(count);
  bytes += '\0';
  bytes += static_cast<char>(size + 200);
  bytes += '\0';
  for (std::size_t i = 0; i < count; ++i) {
    bytes += "\x02"s + static_cast<char>(size) + '\0';
  }
  std::string inner = "\x20\x00\x64\x00"s;
  for (int i = 0; i < 32; ++i) {
    inner += "\x02\x01\x00"s;
  }
  bytes += inner + std::string(200, '\0');
  EXPECT_EQ(text_of(array + bytes), "damaged");
  EXPECT_FALSE(is_json_binary(array + bytes));
}

}  // namespace
}  // namespace ustream::mysql
