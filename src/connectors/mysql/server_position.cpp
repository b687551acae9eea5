#include "connectors/mysql/server_position.hpp"

namespace ustream::mysql {

Position server_position(Client& client) {
  (void)client.query_value(client.server().is_mariadb ? "SELECT @@gtid_binlog_pos"
                                                      : "SELECT @@global.gtid_executed");
  return {};
}

}  // namespace ustream::mysql
