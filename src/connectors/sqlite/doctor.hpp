// What `ustream doctor` looks at in a SQLite database.
#pragma once

#include <vector>

#include "ustream/connector.hpp"

#include "connectors/sqlite/options.hpp"

namespace ustream::sqlite {

/// Opens connections of its own and changes nothing. Does not throw for what it finds: that is a
/// failed check.
[[nodiscard]] std::vector<DoctorCheck> examine(const Options& options);

}  // namespace ustream::sqlite
