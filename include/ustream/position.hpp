// Position: where in a source's history a change stands; its text is the cursor clients keep.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ustream/shared_text.hpp"

namespace ustream {

/// Which history a position belongs to. Two positions compare only within one origin.
struct PositionOrigin {
  std::string source;  ///< the connector's name: "sqlite", "mysql", …
  std::string
      epoch;  ///< changes when the history does (reinstalled capture, failover without GTID, …)
  bool operator==(const PositionOrigin&) const = default;
};

/// A place in a source's history: "everything up to and including this has been seen".
///
/// The cursor is opaque, URL-safe text: "u1." + base64url(version, source, epoch, order key,
/// detail, CRC-32); docs/cursor.md. A regular value; any thread may use distinct copies.
class Position {
 public:
  Position() noexcept = default;  ///< no position
  Position(std::shared_ptr<const PositionOrigin> origin, std::string order_key,
           SharedText detail = {})
      : origin_(std::move(origin)), order_key_(std::move(order_key)), detail_(std::move(detail)) {}

  [[nodiscard]] bool has_value() const noexcept { return origin_ != nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] const PositionOrigin& origin() const noexcept { return *origin_; }
  [[nodiscard]] const std::shared_ptr<const PositionOrigin>& shared_origin() const noexcept {
    return origin_;
  }
  /// Fixed-width bytes that compare as the source orders, within one epoch.
  [[nodiscard]] const std::string& order_key() const noexcept { return order_key_; }
  /// The connector's own bytes (a GTID set, a file name and offset, …).
  [[nodiscard]] const std::string& detail() const noexcept { return detail_.str(); }

  [[nodiscard]] std::string cursor() const;
  /// Appends the cursor's text, without allocating more than `out` needs. REQUIRES has_value() and
  /// parts that fit 16 KiB together; else throws Error(internal).
  void append_cursor(std::string& out) const;
  /// Throws ValidationError when the text is no cursor, is damaged, or of a version this build does
  /// not know.
  [[nodiscard]] static Position parse(std::string_view cursor);

  /// True when both are of the same source and epoch.
  [[nodiscard]] bool comparable(const Position& other) const noexcept;
  /// REQUIRES comparable(other).
  [[nodiscard]] std::strong_ordering compare(const Position& other) const noexcept {
    return order_key_.compare(other.order_key_) <=> 0;
  }
  bool operator==(const Position& other) const noexcept;

 private:
  std::shared_ptr<const PositionOrigin> origin_;
  std::string order_key_;
  SharedText detail_;
};

}  // namespace ustream
