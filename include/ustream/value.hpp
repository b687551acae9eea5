// Value: one field of a row, owned; ValueView: the same, borrowed.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ustream {

/// The types of docs/values.md; the order of the enumerators is that of Value::Storage.
enum class ValueType : std::uint8_t {
  null,
  boolean,
  int64,
  uint64,
  float32,
  float64,
  decimal,
  string,
  bytes,
  date,
  time,
  timestamp,
  datetime,
  uuid,
  objectid,
  json,
  array,
  object,
  extended
};

/// "int64", "string", …: the name used in messages.
[[nodiscard]] std::string_view to_string(ValueType type) noexcept;

/// Exact decimal digits as the database stores them, e.g. "-12.340"; also "NaN" and "Infinity".
struct Decimal {
  std::string digits;
  bool operator==(const Decimal&) const = default;
};
/// Raw bytes.
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};
/// A calendar date of the proleptic Gregorian calendar; month and day may be 0 (MySQL's zero
/// dates).
struct Date {
  std::int32_t year = 0;
  std::uint8_t month = 0;
  std::uint8_t day = 0;
  auto operator<=>(const Date&) const = default;
};
/// A signed span of time in microseconds, with the number of fraction digits its column shows (0 to
/// 6).
struct Time {
  std::int64_t micros = 0;
  std::uint8_t digits = 6;
  bool operator==(const Time&) const = default;
};
/// An instant: microseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  std::int64_t micros = 0;
  auto operator<=>(const Timestamp&) const = default;
};
/// A date and time without a zone: microseconds since 1970-01-01T00:00:00 on that clock, and its
/// fraction digits.
struct DateTime {
  std::int64_t micros = 0;
  std::uint8_t digits = 6;
  bool operator==(const DateTime&) const = default;
};
/// RFC 4122 UUID, in network byte order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};
/// BSON ObjectId.
struct ObjectId {
  std::array<std::uint8_t, 12> bytes{};
  auto operator<=>(const ObjectId&) const = default;
};
/// The text of a JSON column, valid JSON, as the database stores it.
struct Json {
  std::string text;
  bool operator==(const Json&) const = default;
};
/// What only one database has: a type name and the server's text (or canonical extended JSON for
/// BSON).
struct Extended {
  std::string type;
  std::string text;
  bool operator==(const Extended&) const = default;
};

struct Member;

/// A typed value that owns its content. Regular type; distinct objects may be used from distinct
/// threads.
class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;  ///< in order; names are unique
  using Storage = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, float, double,
                               Decimal, std::string, Bytes, Date, Time, Timestamp, DateTime, Uuid,
                               ObjectId, Json, Array, Object, Extended>;

  // Defined below Member: a constructor may have to destroy what it holds.
  // NOLINTBEGIN(google-explicit-constructor): a value is what it holds
  Value() noexcept;  ///< null
  Value(std::nullptr_t) noexcept;
  Value(bool v) noexcept;
  Value(std::int64_t v) noexcept;
  Value(int v) noexcept;
  Value(std::uint64_t v) noexcept;
  Value(float v) noexcept;
  Value(double v) noexcept;
  Value(std::string v) noexcept;
  Value(std::string_view v);
  Value(const char* v);
  Value(Decimal v) noexcept;
  Value(Bytes v) noexcept;
  Value(Date v) noexcept;
  Value(Time v) noexcept;
  Value(Timestamp v) noexcept;
  Value(DateTime v) noexcept;
  Value(Uuid v) noexcept;
  Value(ObjectId v) noexcept;
  Value(Json v) noexcept;
  Value(Array v) noexcept;
  Value(Object v) noexcept;
  Value(Extended v) noexcept;
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] ValueType type() const noexcept { return static_cast<ValueType>(storage_.index()); }
  [[nodiscard]] bool is_null() const noexcept { return type() == ValueType::null; }
  /// The content if the type is T, else nullptr. T is one of Storage's alternatives.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&storage_);
  }
  template <class T>
  [[nodiscard]] T* get_if() noexcept {
    return std::get_if<T>(&storage_);
  }
  /// The content; throws ValidationError when the type is another.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int64() const;  ///< int64, or uint64 that fits
  [[nodiscard]] double as_double() const;       ///< any number, rounded to nearest
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Object& as_object() const;
  /// A member of an object, or nullptr (also when this is no object).
  [[nodiscard]] const Value* find(std::string_view name) const noexcept;

  [[nodiscard]] const Storage& storage() const noexcept { return storage_; }
  /// Same type and same content (doubles by value, so NaN differs from itself). Filters compare by
  /// docs/query-language.md instead.
  bool operator==(const Value& other) const;

 private:
  Storage storage_;
};

/// One member of an object.
struct Member {
  std::string name;
  Value value;
  bool operator==(const Member&) const = default;
};

inline Value::Value() noexcept = default;
inline Value::Value(std::nullptr_t) noexcept {}
inline Value::Value(bool v) noexcept : storage_(v) {}
inline Value::Value(std::int64_t v) noexcept : storage_(v) {}
inline Value::Value(int v) noexcept : storage_(static_cast<std::int64_t>(v)) {}
inline Value::Value(std::uint64_t v) noexcept : storage_(v) {}
inline Value::Value(float v) noexcept : storage_(v) {}
inline Value::Value(double v) noexcept : storage_(v) {}
inline Value::Value(std::string v) noexcept : storage_(std::move(v)) {}
inline Value::Value(std::string_view v) : storage_(std::string(v)) {}
inline Value::Value(const char* v) : storage_(std::string(v)) {}
inline Value::Value(Decimal v) noexcept : storage_(std::move(v)) {}
inline Value::Value(Bytes v) noexcept : storage_(std::move(v)) {}
inline Value::Value(Date v) noexcept : storage_(v) {}
inline Value::Value(Time v) noexcept : storage_(v) {}
inline Value::Value(Timestamp v) noexcept : storage_(v) {}
inline Value::Value(DateTime v) noexcept : storage_(v) {}
inline Value::Value(Uuid v) noexcept : storage_(v) {}
inline Value::Value(ObjectId v) noexcept : storage_(v) {}
inline Value::Value(Json v) noexcept : storage_(std::move(v)) {}
inline Value::Value(Array v) noexcept : storage_(std::move(v)) {}
inline Value::Value(Object v) noexcept : storage_(std::move(v)) {}
inline Value::Value(Extended v) noexcept : storage_(std::move(v)) {}

/// A borrowed value: trivially copyable, valid while what it was taken from lives.
///
/// Text-like types (decimal, string, bytes, json) are `text()`. Arrays and objects point to their
/// owning containers; uuid, objectid and extended point to their owning structs.
class ValueView {
 public:
  constexpr ValueView() noexcept = default;  ///< null
  ValueView(
      const Value& value) noexcept;  // NOLINT(google-explicit-constructor): a view of an owner
  static ValueView of_null() noexcept { return {}; }
  static ValueView of(bool v) noexcept {
    ValueView r;
    r.type_ = ValueType::boolean;
    r.int_ = v ? 1 : 0;
    return r;
  }
  static ValueView of(std::int64_t v) noexcept {
    ValueView r;
    r.type_ = ValueType::int64;
    r.int_ = v;
    return r;
  }
  static ValueView of(std::uint64_t v) noexcept {
    ValueView r;
    r.type_ = ValueType::uint64;
    r.uint_ = v;
    return r;
  }
  static ValueView of(float v) noexcept {
    ValueView r;
    r.type_ = ValueType::float32;
    r.double_ = static_cast<double>(v);
    return r;
  }
  static ValueView of(double v) noexcept {
    ValueView r;
    r.type_ = ValueType::float64;
    r.double_ = v;
    return r;
  }
  static ValueView of(Date v) noexcept {
    ValueView r;
    r.type_ = ValueType::date;
    r.int_ = (std::int64_t{v.year} << 16) | (v.month << 8) | v.day;
    return r;
  }
  static ValueView of(Time v) noexcept {
    ValueView r;
    r.type_ = ValueType::time;
    r.int_ = v.micros;
    r.digits_ = v.digits;
    return r;
  }
  static ValueView of(Timestamp v) noexcept {
    ValueView r;
    r.type_ = ValueType::timestamp;
    r.int_ = v.micros;
    return r;
  }
  static ValueView of(DateTime v) noexcept {
    ValueView r;
    r.type_ = ValueType::datetime;
    r.int_ = v.micros;
    r.digits_ = v.digits;
    return r;
  }
  /// `type` is string, bytes, decimal or json.
  static ValueView of_text(ValueType type, std::string_view text) noexcept {
    ValueView r;
    r.type_ = type;
    r.pointer_ = text.data();
    r.size_ = text.size();
    return r;
  }
  static ValueView of(std::string_view text) noexcept { return of_text(ValueType::string, text); }

  [[nodiscard]] ValueType type() const noexcept { return type_; }
  [[nodiscard]] bool is_null() const noexcept { return type_ == ValueType::null; }
  // Each accessor REQUIRES the matching type().
  [[nodiscard]] bool boolean() const noexcept { return int_ != 0; }
  [[nodiscard]] std::int64_t int64() const noexcept { return int_; }
  [[nodiscard]] std::uint64_t uint64() const noexcept { return uint_; }
  [[nodiscard]] float float32() const noexcept { return static_cast<float>(double_); }
  [[nodiscard]] double float64() const noexcept { return double_; }  ///< float32 or float64
  [[nodiscard]] std::string_view text() const noexcept {
    return {static_cast<const char*>(pointer_), size_};
  }
  [[nodiscard]] Date date() const noexcept {
    return {static_cast<std::int32_t>(int_ >> 16), static_cast<std::uint8_t>((int_ >> 8) & 0xff),
            static_cast<std::uint8_t>(int_ & 0xff)};
  }
  [[nodiscard]] std::int64_t micros() const noexcept {
    return int_;
  }  ///< time, timestamp, datetime
  [[nodiscard]] std::uint8_t digits() const noexcept { return digits_; }
  [[nodiscard]] const Uuid& uuid() const noexcept { return *static_cast<const Uuid*>(pointer_); }
  [[nodiscard]] const ObjectId& objectid() const noexcept {
    return *static_cast<const ObjectId*>(pointer_);
  }
  [[nodiscard]] const Value::Array& array() const noexcept {
    return *static_cast<const Value::Array*>(pointer_);
  }
  [[nodiscard]] const Value::Object& object() const noexcept {
    return *static_cast<const Value::Object*>(pointer_);
  }
  [[nodiscard]] const Extended& extended() const noexcept {
    return *static_cast<const Extended*>(pointer_);
  }
  /// A deep copy that owns its content.
  [[nodiscard]] Value to_value() const;

 private:
  ValueType type_ = ValueType::null;
  std::uint8_t digits_ = 0;
  union {
    std::int64_t int_ = 0;
    std::uint64_t uint_;
    double double_;
    const void* pointer_;
  };
  std::size_t size_ = 0;
};

}  // namespace ustream
