// A real MariaDB server of a test's own.
#pragma once

#include <string>
#include <vector>

#include "sql_server.hpp"

namespace ustream::test {

/// See SqlServer. Its `options` come last and so override the others.
class MariadbServer final : public SqlServer {
 public:
  /// Why there can be none here; empty when there can. A test skips itself with it.
  [[nodiscard]] static std::string missing();

  /// Throws std::runtime_error with the server's log when it does not start.
  explicit MariadbServer(const std::vector<std::string>& options = {});
};

}  // namespace ustream::test
