// The wiring: every connector this build has, a line each.
#include "ustream/connector.hpp"

#include "connectors/sqlite/connector.hpp"

namespace ustream {

ConnectorRegistry builtin_connectors() {
  ConnectorRegistry registry;
  registry.add("sqlite", sqlite::make_sqlite_connector);
  return registry;
}

}  // namespace ustream
