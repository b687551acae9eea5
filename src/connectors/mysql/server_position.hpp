// Where a server's history stands.
#pragma once

#include "ustream/position.hpp"

#include "connectors/mysql/client.hpp"

namespace ustream::mysql {

/// A position at or behind everything that the client has committed. Throws as Client does.
[[nodiscard]] Position server_position(Client& client);

}  // namespace ustream::mysql
