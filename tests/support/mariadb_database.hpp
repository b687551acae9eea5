// A database for one test, on the MariaDB server that all tests of a program share.
#pragma once

#include <memory>
#include <string>

#include "mariadb_server.hpp"

namespace ustream::test {

/// Makes a database of its own name and drops it at the end. The server is started by the first and
/// lives as long as the program. One thread.
class MariadbDatabase {
 public:
  /// Throws std::runtime_error when the server does not start. REQUIRES
  /// MariadbServer::missing().empty().
  MariadbDatabase();
  MariadbDatabase(const MariadbDatabase&) = delete;
  MariadbDatabase& operator=(const MariadbDatabase&) = delete;
  ~MariadbDatabase();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string url() const { return server().url(name_); }
  /// Runs statements in it; as MariadbServer::sql().
  std::string sql(const std::string& statements) const {
    return server().sql("USE " + name_ + ";" + statements);
  }
  [[nodiscard]] static MariadbServer& server();

 private:
  std::string name_;
};

}  // namespace ustream::test
