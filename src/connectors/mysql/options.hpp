// The options of a MySQL or MariaDB source, from its URL or configuration.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ustream/config.hpp"

namespace ustream::mysql {

/// How a connection is protected. `preferred` takes TLS where the server offers it and is satisfied
/// with less; from `required` on, a connection without TLS is refused.
enum class TlsMode : std::uint8_t {
  off,
  preferred,
  required,        ///< encrypted, by whatever certificate
  verify_ca,       ///< and the certificate is signed by an authority that is trusted
  verify_identity  ///< and names the host
};

struct Options {
  std::string host;
  std::uint16_t port = 3306;
  std::string user;
  std::string password;  ///< never printed
  std::string database;

  std::string socket;  ///< socket: path of a Unix socket, in place of host and port
  TlsMode tls =
      TlsMode::preferred;  ///< tls: verify-identity where the host is a name other than localhost
  std::string tls_ca;      ///< tls_ca: PEM file of trusted authorities; empty: the system's
  std::string tls_cert;    ///< tls_cert: PEM file of the client's own certificate
  std::string tls_key;     ///< tls_key: PEM file of its key
  /// get_server_public_key: without TLS, ask the server for its RSA key, so that
  /// caching_sha2_password can send the password encrypted by it. False: such a login is refused.
  bool get_server_public_key = true;
  std::chrono::milliseconds connect_timeout{10'000};  ///< connect_timeout, in whole seconds
  /// timeout: how long a call waits for a lock or a free connection, in whole seconds; a server
  /// that has not answered five seconds later is taken for lost.
  std::chrono::milliseconds timeout{30'000};
  std::size_t pool_size = 4;  ///< pool_size: connections for data calls
  std::uint32_t server_id =
      0;  ///< server_id: of the replica that reads the binlog; 0: a random one
  std::chrono::milliseconds heartbeat{1000};  ///< heartbeat: the server's sign of life on a stream
  std::chrono::milliseconds polling_interval{1000};
  LogLevel log_level = LogLevel::warn;

  /// Throws ValidationError for an unknown option or a value out of range.
  [[nodiscard]] static Options from(const SourceConfig& config);
  /// "mysql://host:port/database" or "mysql://socket/database": for messages.
  [[nodiscard]] std::string display() const;
};

}  // namespace ustream::mysql
