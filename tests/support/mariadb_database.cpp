#include "mariadb_database.hpp"

namespace ustream::test {

MariadbServer& MariadbDatabase::server() {
  static MariadbServer shared;
  return shared;
}

MariadbDatabase::MariadbDatabase() {
  static int made = 0;
  name_ = "test_" + std::to_string(++made);
  server().sql("CREATE DATABASE " + name_);
}

MariadbDatabase::~MariadbDatabase() {
  try {
    server().sql("DROP DATABASE " + name_);
  } catch (const std::exception&) {
    // The next test has a database of its own.
  }
}

}  // namespace ustream::test
