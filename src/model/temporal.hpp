// Dates, times, UUIDs and ObjectIds as text: docs/values.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ustream/value.hpp"

namespace ustream::model {

void append_text(std::string& out, Date value);       ///< 2026-01-31
void append_text(std::string& out, Time value);       ///< -838:59:59.000000
void append_text(std::string& out, Timestamp value);  ///< 2026-01-31T10:00:00.123456Z
void append_text(std::string& out, DateTime value);   ///< 2026-01-31T10:00:00.123
void append_text(std::string& out, const Uuid& value);
void append_text(std::string& out, const ObjectId& value);

/// Room that any of these takes.
inline constexpr std::size_t kMaxTemporalText = 48;
// The same into memory; REQUIRES kMaxTemporalText bytes. They return where the text ends.
[[nodiscard]] char* write_text(char* to, Date value) noexcept;
[[nodiscard]] char* write_text(char* to, Time value) noexcept;
[[nodiscard]] char* write_text(char* to, Timestamp value) noexcept;
[[nodiscard]] char* write_text(char* to, DateTime value) noexcept;
[[nodiscard]] char* write_text(char* to, const Uuid& value) noexcept;
[[nodiscard]] char* write_text(char* to, const ObjectId& value) noexcept;

// The exact reverse, or nullopt. A fraction has at most six digits; a timestamp may leave it out.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text) noexcept;
[[nodiscard]] std::optional<Time> parse_time(std::string_view text) noexcept;
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept;
[[nodiscard]] std::optional<DateTime> parse_datetime(std::string_view text) noexcept;
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text) noexcept;
[[nodiscard]] std::optional<ObjectId> parse_objectid(std::string_view text) noexcept;

}  // namespace ustream::model
