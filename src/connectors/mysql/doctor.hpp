// What `ustream doctor` looks at in a MySQL or MariaDB server.
#pragma once

#include <vector>

#include "ustream/connector.hpp"

#include "connectors/mysql/options.hpp"

namespace ustream::mysql {

/// Opens a connection of its own and changes nothing. Does not throw for what it finds: that is a
/// failed check.
[[nodiscard]] std::vector<DoctorCheck> examine(const Options& options);

}  // namespace ustream::mysql
