// Where a server's history stands.
#pragma once

#include <memory>

#include "ustream/position.hpp"

#include "connectors/mysql/binlog_position.hpp"
#include "connectors/mysql/client.hpp"

namespace ustream::mysql {

/// The origin of the server's positions: with GTIDs (MariaDB always has them) they hold on every
/// server of a topology, without on this one only. Throws as Client does.
[[nodiscard]] std::shared_ptr<const PositionOrigin> server_origin(Client& client);

/// The end of the binlog. With GTIDs the file and its offset are left out: nothing needs them.
/// Throws Error(unsupported) when the server writes no binlog, AuthError when the account may not
/// ask, else as Client does.
[[nodiscard]] ReadPoint server_point(Client& client);

/// A position at or behind everything that was committed before the call. Throws as server_point().
[[nodiscard]] Position server_position(Client& client);

/// What a server without GTIDs says of its current file; always asked of the server.
[[nodiscard]] ReadPoint server_file_point(Client& client);

}  // namespace ustream::mysql
