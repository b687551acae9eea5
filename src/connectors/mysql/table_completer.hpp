// What a binlog does not say of its tables, from the server's schema.
#pragma once

#include <cstdint>
#include <string>

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// Adds to `map` what `table`, the server's definition as it is now, tells: names and keys where
/// the log has none (binlog_row_metadata=MINIMAL or NO_LOG), and the types that logs send as
/// others. `timestamp`: of the rows, seconds since 1970.
///
/// A row is never read with another definition than its own in silence: where the log has no names,
/// a table that was altered after the row, or whose columns are of other types, is refused. Returns
/// why; empty when the rows can be read. Pure.
[[nodiscard]] std::string complete_table(TableMap& map, const Table& table,
                                         std::uint32_t timestamp);

}  // namespace ustream::mysql
