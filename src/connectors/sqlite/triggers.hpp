// The SQL of the capture triggers for one table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/catalog.hpp"

namespace ustream::sqlite {

/// Name and CREATE TRIGGER text of each trigger that captures `table` as shape `shape_id`.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> capture_triggers(
    const Table& table, std::int64_t shape_id);
/// The CREATE TABLE of the shape's pad.
[[nodiscard]] std::string pad_table(const Table& table, std::int64_t shape_id);
[[nodiscard]] std::string pad_name(std::int64_t shape_id);

}  // namespace ustream::sqlite
