#include "connectors/mysql/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include <arpa/inet.h>

#include "ustream/error.hpp"

namespace ustream::mysql {
namespace {

constexpr std::array kTlsModes{
    std::pair{"off", TlsMode::off}, std::pair{"preferred", TlsMode::preferred},
    std::pair{"required", TlsMode::required}, std::pair{"verify-ca", TlsMode::verify_ca},
    std::pair{"verify-identity", TlsMode::verify_identity}};

std::uint64_t parse_count(const std::string& name, const std::string& text, std::uint64_t low,
                          std::uint64_t high) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high) {
    throw ValidationError("option " + name + " must be a number from " + std::to_string(low) +
                          " to " + std::to_string(high) + ", not '" + text + "'");
  }
  return number;
}

std::chrono::milliseconds parse_wait(const std::string& name, const std::string& text,
                                     std::chrono::milliseconds low) {
  constexpr std::chrono::hours kLongest{24};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(parse_duration(text));
  if (wait < low || wait > kLongest) {
    throw ValidationError("option " + name + " must be a time from " + std::to_string(low.count()) +
                          "ms to 24h, not '" + text + "'");
  }
  return wait;
}

bool parse_flag(const std::string& name, const std::string& text) {
  if (text != "true" && text != "false") {
    throw ValidationError("option " + name + " must be true or false, not '" + text + "'");
  }
  return text == "true";
}

TlsMode parse_tls(const std::string& text) {
  const auto* found = std::find_if(kTlsModes.begin(), kTlsModes.end(),
                                   [&](const auto& mode) { return text == mode.first; });
  if (found == kTlsModes.end()) {
    throw ValidationError(
        "option tls must be off, preferred, required, verify-ca or verify-identity, not '" + text +
        "'");
  }
  return found->second;
}

/// Only a name can be checked against a certificate, and that of this machine needs none.
bool is_remote_name(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return host != "localhost" && ::inet_pton(AF_INET, host.c_str(), address.data()) != 1 &&
         ::inet_pton(AF_INET6, host.c_str(), address.data()) != 1;
}

[[noreturn]] void refuse_option(const std::string& name) {
  const std::string nearest =
      nearest_name(name, {"socket", "tls", "tls_ca", "tls_cert", "tls_key", "get_server_public_key",
                          "connect_timeout", "timeout", "pool_size", "server_id", "heartbeat"});
  throw ValidationError("a MySQL source has no option '" + name + "'" +
                        (nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?"));
}

void set_option(Options& options, const std::string& name, const std::string& value) {
  using std::chrono::milliseconds;
  if (name == "socket") {
    options.socket = value;
  } else if (name == "tls") {
    options.tls = parse_tls(value);
  } else if (name == "tls_ca") {
    options.tls_ca = value;
  } else if (name == "tls_cert") {
    options.tls_cert = value;
  } else if (name == "tls_key") {
    options.tls_key = value;
  } else if (name == "get_server_public_key") {
    options.get_server_public_key = parse_flag(name, value);
  } else if (name == "connect_timeout") {
    options.connect_timeout = parse_wait(name, value, milliseconds(1));
  } else if (name == "timeout") {
    options.timeout = parse_wait(name, value, milliseconds(1));
  } else if (name == "heartbeat") {
    options.heartbeat = parse_wait(name, value, milliseconds(10));
  } else if (name == "pool_size") {
    options.pool_size = static_cast<std::size_t>(parse_count(name, value, 1, 1000));
  } else if (name == "server_id") {
    options.server_id = static_cast<std::uint32_t>(
        parse_count(name, value, 0, std::numeric_limits<std::uint32_t>::max()));
  } else {
    refuse_option(name);
  }
}

}  // namespace

Options Options::from(const SourceConfig& config) {
  Options options;
  options.host = config.host;
  options.port = config.port == 0 ? options.port : config.port;
  options.user = config.user;
  options.password = config.password;
  options.database = config.database;
  options.polling_interval = config.polling_interval;
  options.log_level = config.log_level;
  if (options.database.empty()) {
    throw ValidationError(
        "a MySQL source is one database: mysql://user:password@host:port/DATABASE");
  }
  for (const auto& [name, value] : config.options) {
    set_option(options, name, value);
  }
  if (options.host.empty() && options.socket.empty()) {
    throw ValidationError("a MySQL source needs a host, or the option socket");
  }
  if (options.socket.empty() && !config.option("tls") && is_remote_name(options.host)) {
    options.tls = TlsMode::verify_identity;
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    throw ValidationError("options tls_cert and tls_key belong together: give both");
  }
  const bool has_file = !options.tls_ca.empty() || !options.tls_cert.empty();
  if (options.tls == TlsMode::off && has_file) {
    throw ValidationError("options tls_ca, tls_cert and tls_key are of no use with tls=off");
  }
  return options;
}

std::string Options::display() const {
  if (!socket.empty()) {
    return "mysql://" + socket + "/" + database;
  }
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "mysql://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "/" +
         database;
}

}  // namespace ustream::mysql
