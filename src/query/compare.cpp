#include "query/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <exception>
#include <functional>
#include <optional>

#include "ustream/json.hpp"
#include "ustream/query.hpp"

#include "query/number.hpp"

namespace ustream::query {
namespace {

/// Values nested deeper than any source sends compare as equal below this, so that no recursion is
/// unbounded.
constexpr int kDepthLimit = 256;

template <class T>
int three_way(const T& a, const T& b) noexcept {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int three_way(std::string_view a, std::string_view b) noexcept {
  const int order = a.compare(b);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int compare_at(const ValueView& a, const ValueView& b, int depth) noexcept;

int compare_arrays(const Value::Array& a, const Value::Array& b, int depth) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare_at(a[i], b[i], depth); order != 0) {
      return order;
    }
  }
  return three_way(a.size(), b.size());
}

int compare_objects(const Value::Object& a, const Value::Object& b, int depth) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const int names = three_way(std::string_view(a[i].name), std::string_view(b[i].name));
    if (names != 0) {
      return names;
    }
    if (const int order = compare_at(a[i].value, b[i].value, depth); order != 0) {
      return order;
    }
  }
  return three_way(a.size(), b.size());
}

int compare_extended(const Extended& a, const Extended& b) noexcept {
  const int types = three_way(std::string_view(a.type), std::string_view(b.type));
  return types != 0 ? types : three_way(std::string_view(a.text), std::string_view(b.text));
}

int compare_ranked(const ValueView& a, const ValueView& b, Rank rank, int depth) noexcept {
  switch (rank) {
    case Rank::null:
      return 0;
    case Rank::number:
      return compare_numbers(a, b);
    case Rank::string:
    case Rank::bytes:
    case Rank::opaque:
      return three_way(a.text(), b.text());
    case Rank::object:
      return depth > kDepthLimit ? 0 : compare_objects(a.object(), b.object(), depth);
    case Rank::array:
      return depth > kDepthLimit ? 0 : compare_arrays(a.array(), b.array(), depth);
    case Rank::objectid:
      return three_way(a.objectid(), b.objectid());
    case Rank::uuid:
      return three_way(a.uuid(), b.uuid());
    case Rank::boolean:
      return static_cast<int>(a.boolean()) - static_cast<int>(b.boolean());
    case Rank::date:
      return three_way(a.date(), b.date());
    case Rank::time:
    case Rank::timestamp:
    case Rank::datetime:
      return three_way(a.micros(), b.micros());
    case Rank::extended:
      return compare_extended(a.extended(), b.extended());
  }
  return 0;
}

std::optional<Value> parse_or_nothing(std::string_view text) noexcept {
  try {
    return parse_json(text);
  } catch (const std::exception&) {
    return std::nullopt;  // no JSON: it stays text of its own bracket
  }
}

int compare_at(const ValueView& a, const ValueView& b, int depth) noexcept {
  // JSON text is opened for as long as the comparison lasts.
  if (a.type() == ValueType::json) {
    if (const auto opened = parse_or_nothing(a.text())) {
      return compare_at(*opened, b, depth + 1);
    }
  }
  if (b.type() == ValueType::json) {
    if (const auto opened = parse_or_nothing(b.text())) {
      return compare_at(a, *opened, depth + 1);
    }
  }
  const Rank left = rank_of(a.type());
  const Rank right = rank_of(b.type());
  return left != right ? three_way(left, right) : compare_ranked(a, b, left, depth + 1);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t more) noexcept {
  hash ^= more + 0x9e3779b97f4a7c15ULL + (hash << 6U) + (hash >> 2U);
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33U);
}

std::uint64_t hash_text(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

/// Equal numbers round to the same double, whatever their type.
std::uint64_t hash_number(const ValueView& value) noexcept {
  const double number = to_double(value);
  if (std::isnan(number)) {
    return 1;
  }
  return std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
}

template <std::size_t N>
std::uint64_t hash_bytes(const std::array<std::uint8_t, N>& bytes) noexcept {
  std::uint64_t hash = N;
  for (const std::uint8_t byte : bytes) {
    hash = mix(hash, byte);
  }
  return hash;
}

std::uint64_t hash_at(const ValueView& value, int depth) noexcept;

std::uint64_t hash_object(const Value::Object& object, int depth) noexcept {
  std::uint64_t hash = object.size();
  for (const Member& member : object) {
    hash = mix(mix(hash, hash_text(member.name)), hash_at(member.value, depth));
  }
  return hash;
}

std::uint64_t hash_array(const Value::Array& array, int depth) noexcept {
  std::uint64_t hash = array.size();
  for (const Value& element : array) {
    hash = mix(hash, hash_at(element, depth));
  }
  return hash;
}

std::uint64_t hash_date(const Date& date) noexcept {
  return mix(static_cast<std::uint32_t>(date.year),
             (static_cast<std::uint64_t>(date.month) << 8U) | date.day);
}

std::uint64_t hash_content(const ValueView& value, Rank rank, int depth) noexcept {
  switch (rank) {
    case Rank::null:
      return 0;
    case Rank::number:
      return hash_number(value);
    case Rank::string:
    case Rank::bytes:
    case Rank::opaque:
      return hash_text(value.text());
    case Rank::object:
      return depth > kDepthLimit ? 0 : hash_object(value.object(), depth);
    case Rank::array:
      return depth > kDepthLimit ? 0 : hash_array(value.array(), depth);
    case Rank::objectid:
      return hash_bytes(value.objectid().bytes);
    case Rank::uuid:
      return hash_bytes(value.uuid().bytes);
    case Rank::boolean:
      return value.boolean() ? 1 : 0;
    case Rank::date:
      return hash_date(value.date());
    case Rank::time:
    case Rank::timestamp:
    case Rank::datetime:
      return static_cast<std::uint64_t>(value.micros());
    case Rank::extended:
      return mix(hash_text(value.extended().type), hash_text(value.extended().text));
  }
  return 0;
}

std::uint64_t hash_at(const ValueView& value, int depth) noexcept {
  if (value.type() == ValueType::json) {
    if (const auto opened = parse_or_nothing(value.text())) {
      return hash_at(*opened, depth + 1);
    }
  }
  const Rank rank = rank_of(value.type());
  return mix(static_cast<std::uint64_t>(rank), hash_content(value, rank, depth + 1));
}

}  // namespace

Rank rank_of(ValueType type) noexcept {
  switch (type) {
    case ValueType::null:
      return Rank::null;
    case ValueType::boolean:
      return Rank::boolean;
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float32:
    case ValueType::float64:
    case ValueType::decimal:
      return Rank::number;
    case ValueType::string:
      return Rank::string;
    case ValueType::bytes:
      return Rank::bytes;
    case ValueType::date:
      return Rank::date;
    case ValueType::time:
      return Rank::time;
    case ValueType::timestamp:
      return Rank::timestamp;
    case ValueType::datetime:
      return Rank::datetime;
    case ValueType::uuid:
      return Rank::uuid;
    case ValueType::objectid:
      return Rank::objectid;
    case ValueType::json:
      return Rank::opaque;
    case ValueType::array:
      return Rank::array;
    case ValueType::object:
      return Rank::object;
    case ValueType::extended:
      return Rank::extended;
  }
  return Rank::opaque;
}

ValueView open_json(const ValueView& value, Scratch& scratch) {
  if (value.type() == ValueType::json) {
    if (auto opened = parse_or_nothing(value.text())) {
      return scratch.keep(*std::move(opened));
    }
  }
  return value;
}

int compare_same_rank(const ValueView& a, const ValueView& b, Rank rank) noexcept {
  return compare_ranked(a, b, rank, 0);
}

}  // namespace ustream::query

namespace ustream {

int compare_values(const ValueView& a, const ValueView& b) noexcept {
  return query::compare_at(a, b, 0);
}

bool values_equal(const ValueView& a, const ValueView& b) noexcept {
  return query::compare_at(a, b, 0) == 0;
}

std::uint64_t hash_value(const ValueView& value) noexcept {
  return query::hash_at(value, 0);
}

}  // namespace ustream
