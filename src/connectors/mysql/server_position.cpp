#include "connectors/mysql/server_position.hpp"

#include <charconv>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

/// SHOW MASTER STATUS has another name from MySQL 8.2 on, and none but that from 8.4 on.
constexpr std::uint32_t kBinaryLogStatus = 80'200;

bool has_gtids(Client& client) {
  if (client.server().is_mariadb) {
    return true;
  }
  return client.query_value("SELECT @@global.gtid_mode").value_or("OFF") == "ON";
}

[[noreturn]] void no_binlog(const Client& client) {
  throw Error(ErrorKind::unsupported,
              "the server writes no binlog; start it with log_bin and binlog_format=ROW",
              RetryAdvice::never, client.where());
}

}  // namespace

std::shared_ptr<const PositionOrigin> server_origin(Client& client) {
  if (has_gtids(client)) {
    return std::make_shared<const PositionOrigin>(PositionOrigin{"mysql", "gtid"});
  }
  return std::make_shared<const PositionOrigin>(PositionOrigin{
      "mysql", "file:" + client.query_value("SELECT @@global.server_uuid").value_or("")});
}

ReadPoint server_file_point(Client& client) {
  const ServerInfo& server = client.server();
  const TextRows rows = client.query(!server.is_mariadb && server.version >= kBinaryLogStatus
                                         ? "SHOW BINARY LOG STATUS"
                                         : "SHOW MASTER STATUS");
  if (rows.empty() || rows[0].size() < 2 || !rows[0][0] || !rows[0][1]) {
    no_binlog(client);
  }
  ReadPoint point;
  point.file = *rows[0][0];
  const std::string& offset = *rows[0][1];
  std::from_chars(offset.data(), offset.data() + offset.size(), point.offset);
  return point;
}

ReadPoint server_point(Client& client) {
  if (!has_gtids(client)) {
    return server_file_point(client);
  }
  const bool is_mariadb = client.server().is_mariadb;
  const TextRows rows =
      client.query(is_mariadb ? "SELECT @@global.log_bin, @@global.gtid_binlog_pos"
                              : "SELECT @@global.log_bin, @@global.gtid_executed");
  if (rows.empty() || rows[0][0].value_or("0") == "0") {
    no_binlog(client);
  }
  ReadPoint point;
  point.executed =
      GtidSet::parse(is_mariadb ? Flavor::mariadb : Flavor::mysql, rows[0][1].value_or(""));
  if (!point.executed) {
    throw StreamingError("the server's set of GTIDs cannot be read: " + rows[0][1].value_or(""),
                         ErrorKind::streaming, RetryAdvice::never, client.where());
  }
  return point;
}

Position server_position(Client& client) {
  return boundary_position(server_origin(client), server_point(client));
}

}  // namespace ustream::mysql
