#include "model/random_value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace ustream::test {
namespace {

constexpr std::array<const char*, 40> kTrickyTexts = {"",
                                                      "42",
                                                      "-0",
                                                      "007",
                                                      "1.0",
                                                      "1.50",
                                                      "1e2",
                                                      "1e+30",
                                                      "1e400",
                                                      "18446744073709551615",
                                                      "18446744073709551616",
                                                      "true",
                                                      "null",
                                                      " null",
                                                      "nulls",
                                                      "\"42\"",
                                                      "\"",
                                                      "\"\"",
                                                      "{}",
                                                      "[1,2]",
                                                      "{\"a\":1}",
                                                      "{\"a\":1",
                                                      "{\"$type\":\"bytes\",\"text\":\"YQ==\"}",
                                                      "{\"$type\":",
                                                      "{\"$type\":\"nonsense\"}",
                                                      "{\"$numberDecimal\":\"1.50\"}",
                                                      "507f1f77bcf86cd799439011",
                                                      "507F1F77BCF86CD799439011",
                                                      "123456789012345678901234",
                                                      "YQ==",
                                                      "YWJj",
                                                      "NaN",
                                                      "Infinity",
                                                      "line\nbreak\ttab \x01 \x7f",
                                                      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                                      "back\\slash \"quote\" /",
                                                      "2026-01-31",
                                                      "[",
                                                      "  [1]  ",
                                                      "\xef\xbf\xbf\xf4\x8f\xbf\xbf"};

template <std::size_t Size>
std::array<std::uint8_t, Size> random_array(std::mt19937_64& random) {
  std::array<std::uint8_t, Size> bytes{};
  std::generate(bytes.begin(), bytes.end(),
                [&random] { return static_cast<std::uint8_t>(random() & 0xff); });
  return bytes;
}

/// `micros` cut to what `digits` fraction digits show.
std::int64_t cut(std::int64_t micros, std::uint8_t digits) {
  std::int64_t unit = 1;
  for (int i = digits; i < 6; ++i) {
    unit *= 10;
  }
  return micros - micros % unit;
}

}  // namespace

std::string RandomValues::text() {
  if (below(3) != 0) {
    return kTrickyTexts[below(kTrickyTexts.size())];
  }
  std::string text;
  for (std::uint64_t i = below(12); i > 0; --i) {
    text += kTrickyTexts[below(kTrickyTexts.size())];
    text += static_cast<char>(below(128));
  }
  return text;
}

std::string RandomValues::bytes() {
  std::string bytes(below(20), '\0');
  std::generate(bytes.begin(), bytes.end(),
                [this] { return static_cast<char>(static_cast<unsigned char>(below(256))); });
  return bytes;
}

std::int64_t RandomValues::integer() {
  switch (below(6)) {
    case 0:
      return std::numeric_limits<std::int64_t>::min() + static_cast<std::int64_t>(below(3));
    case 1:
      return std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(below(3));
    default:
      return static_cast<std::int64_t>(random_()) >> below(64);
  }
}

double RandomValues::real() {
  constexpr std::array<double, 9> kEdges = {0.0,
                                            -0.0,
                                            1.0,
                                            0.1,
                                            1e22,
                                            1e23,
                                            5e-324,
                                            std::numeric_limits<double>::max(),
                                            std::numeric_limits<double>::infinity()};
  switch (below(4)) {
    case 0:
      return kEdges[below(kEdges.size())];
    case 1:
      return static_cast<double>(integer()) / 100.0;
    default: {
      const auto number = std::bit_cast<double>(random_());
      return std::isnan(number) ? 1.5 : number;
    }
  }
}

std::string RandomValues::decimal() {
  constexpr std::array<const char*, 9> kEdges = {"1.50",
                                                 "42",
                                                 "-0.00",
                                                 "1e400",
                                                 "18446744073709551616",
                                                 "0.1",
                                                 "123456789012345678901234",
                                                 "Infinity",
                                                 "00012.50"};
  if (below(2) == 0) {
    return kEdges[below(kEdges.size())];
  }
  return std::to_string(integer()) + "." + std::to_string(random_());
}

Value RandomValues::scalar() {
  const auto digits = static_cast<std::uint8_t>(below(7));
  switch (static_cast<ValueType>(below(17))) {
    case ValueType::null:
      return nullptr;
    case ValueType::boolean:
      return below(2) == 0;
    case ValueType::int64:
      return integer();
    case ValueType::uint64:
      return static_cast<std::uint64_t>(integer());
    case ValueType::float32:
      return static_cast<float>(below(1000)) / 7.0F;
    case ValueType::float64:
      return real();
    case ValueType::decimal:
      return Decimal{decimal()};
    case ValueType::string:
      return text();
    case ValueType::bytes:
      return Bytes{bytes()};
    case ValueType::date:
      return Date{static_cast<std::int32_t>(integer() >> 40), static_cast<std::uint8_t>(below(13)),
                  static_cast<std::uint8_t>(below(32))};
    case ValueType::time:
      return Time{cut(integer(), digits), digits};
    case ValueType::timestamp:
      return Timestamp{integer()};
    case ValueType::datetime:
      // Away from the first and the last second of int64, which have no whole-second text.
      return DateTime{cut(integer() / 2, digits), digits};
    case ValueType::uuid:
      return Uuid{random_array<16>(random_)};
    case ValueType::objectid:
      return ObjectId{random_array<12>(random_)};
    case ValueType::json:
      return Json{"{\"n\": 1.50, \"a\":[18446744073709551616]}"};
    default: {
      constexpr std::array<const char*, 4> kTypes = {"inet", "regex", "bytes", "extended"};
      return Extended{kTypes[below(kTypes.size())], text()};
    }
  }
}

Value RandomValues::any(int depth) {
  if (depth == 0 || below(3) != 0) {
    return scalar();
  }
  if (below(2) == 0) {
    Value::Array items;
    for (std::uint64_t i = below(5); i > 0; --i) {
      items.push_back(any(depth - 1));
    }
    return items;
  }
  Value::Object members;
  for (std::uint64_t i = below(20); i > 0; --i) {
    members.push_back({"m" + std::to_string(i) + text(), any(depth - 1)});
  }
  return members;
}

}  // namespace ustream::test
