// The wiring: every connector this build has, a line each.
#include "ustream/connector.hpp"

#include "connectors/mysql/connector.hpp"
#include "connectors/sqlite/connector.hpp"

namespace ustream {

ConnectorRegistry builtin_connectors() {
  ConnectorRegistry registry;
  registry.add("sqlite", sqlite::make_sqlite_connector);
  registry.add("mysql", mysql::make_mysql_connector, {"mariadb"});
  return registry;
}

}  // namespace ustream
