// SourceConfig from a URL. No message repeats a part of the URL that could belong to a password:
// one with a raw '/', '?', '#' or '@' in it ends up in the port, the path or the options.
#include <algorithm>
#include <charconv>
#include <utility>

#include "ustream/config.hpp"
#include "ustream/error.hpp"

#include "connectors/config_options.hpp"

namespace ustream {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw ValidationError("the source's URL " + why, "url");
}

constexpr std::string_view kEncodingHint =
    " ('@', ':', '/', '?', '#' and '%' in a user name or password are written %40, %3A, %2F, %3F, "
    "%23 and %25)";

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// `part` names what is decoded, for messages.
std::string percent_decode(std::string_view text, std::string_view part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      refuse("has a '%' in its " + std::string(part) +
             " that two hex digits do not follow; a '%' itself is written %25");
    }
    if (high == 0 && low == 0) {
      refuse("has a zero byte (%00) in its " + std::string(part));
    }
    out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string parse_scheme(std::string_view url, std::size_t colon) {
  const std::string_view text = url.substr(0, std::min(colon, url.size()));
  std::string scheme;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool letter = lower >= 'a' && lower <= 'z';
    const bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && (scheme.empty() || !other)) {
      scheme.clear();
      break;
    }
    scheme += lower;
  }
  if (colon == std::string_view::npos || scheme.empty()) {
    refuse("does not say which database: write sqlite:PATH or mysql://user@host/database");
  }
  return scheme;
}

class UrlReader {
 public:
  explicit UrlReader(std::string_view url) {
    if (url.find('\0') != std::string_view::npos) {
      refuse("has a zero byte in it");
    }
    const std::size_t colon = url.find(':');
    config_.scheme = parse_scheme(url, colon);
    rest_ = url.substr(colon + 1);
  }

  SourceConfig read(std::optional<std::string>& password) && {
    if (!rest_.starts_with("//") || config_.scheme == "sqlite") {
      read_embedded();
    } else {
      rest_.remove_prefix(2);
      read_server();
    }
    common_.apply(config_);
    password = std::move(password_);
    return std::move(config_);
  }

 private:
  /// scheme:PATH?options; "scheme:///PATH" is an absolute path.
  void read_embedded() {
    if (rest_.starts_with("//")) {
      rest_.remove_prefix(2);
      if (!rest_.starts_with('/')) {
        refuse("has two slashes before a relative path: write " + config_.scheme +
               ":PATH, or three slashes for an absolute path");
      }
    }
    const std::size_t question = rest_.find('?');
    config_.database = percent_decode(rest_.substr(0, question), "path");
    if (config_.database.empty()) {
      refuse("has no path: write " + config_.scheme + ":PATH");
    }
    if (question != std::string_view::npos) {
      read_options(rest_.substr(question + 1));
    }
  }

  void read_server() {
    const std::size_t end = std::min(rest_.find_first_of("/?#"), rest_.size());
    const std::string_view authority = rest_.substr(0, end);
    std::string_view path = rest_.substr(end);
    if (path.find('@') != std::string_view::npos) {
      refuse("has an '@' behind its host" + std::string(kEncodingHint));
    }
    if (path.find('#') != std::string_view::npos) {
      refuse("has a '#' in it" + std::string(kEncodingHint));
    }
    read_authority(authority);
    const std::size_t question = std::min(path.find('?'), path.size());
    if (path.starts_with('/')) {
      config_.database = percent_decode(path.substr(1, question - 1), "database name");
    }
    if (question < path.size()) {
      read_options(path.substr(question + 1));
    }
  }

  void read_authority(std::string_view authority) {
    const std::size_t at = authority.find('@');
    if (at != std::string_view::npos) {
      if (authority.find('@', at + 1) != std::string_view::npos) {
        refuse("has two '@' in it" + std::string(kEncodingHint));
      }
      const std::string_view user = authority.substr(0, at);
      const std::size_t colon = user.find(':');
      config_.user = percent_decode(user.substr(0, colon), "user name");
      if (colon != std::string_view::npos) {
        password_ = percent_decode(user.substr(colon + 1), "password");
      }
      authority.remove_prefix(at + 1);
    }
    read_host(authority);
  }

  void read_host(std::string_view text) {
    std::size_t end = 0;
    if (text.starts_with('[')) {
      end = text.find(']');
      const std::string_view address =
          text.substr(1, end == std::string_view::npos ? end : end - 1);
      if (end == std::string_view::npos ||
          address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
        refuse("has a malformed IPv6 address: write [::1]");
      }
      config_.host = address;
      ++end;
    } else {
      end = std::min(text.find(':'), text.size());
      config_.host = percent_decode(text.substr(0, end), "host");
    }
    if (config_.host.empty()) {
      refuse("has no host: write " + config_.scheme + "://user@host/database");
    }
    if (std::any_of(config_.host.begin(), config_.host.end(),
                    [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
      refuse("has a space or a control character in its host");
    }
    if (end < text.size()) {
      read_port(text.substr(end));
    }
  }

  void read_port(std::string_view text) {
    const char* const end = text.data() + text.size();
    const bool has_colon = text.starts_with(':');
    const auto result = std::from_chars(text.data() + (has_colon ? 1 : 0), end, config_.port);
    if (!has_colon || result.ec != std::errc{} || result.ptr != end || config_.port == 0) {
      refuse("has a port that is not a number from 1 to 65535" + std::string(kEncodingHint));
    }
  }

  void read_options(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('&'), text.size());
      read_option(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  void read_option(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      refuse("has an option that is not of the form name=value" + std::string(kEncodingHint));
    }
    const std::string name = percent_decode(text.substr(0, equals), "options");
    std::string value = percent_decode(text.substr(equals + 1), "options");
    if (name == "password") {
      refuse(
          "has a password among its options: write scheme://user:password@host, password_file= "
          "or set USTREAM_PASSWORD");
    }
    if (common_.accept(name, value)) {
      return;
    }
    if (!config_.options.emplace(name, std::move(value)).second) {
      throw ValidationError("option '" + name + "' is given twice", "url");
    }
  }

  SourceConfig config_;
  std::optional<std::string> password_;
  connectors::CommonOptions common_;
  std::string_view rest_;
};

}  // namespace

SourceConfig connectors::read_url(std::string_view url, std::optional<std::string>& password) {
  return UrlReader(url).read(password);
}

SourceConfig SourceConfig::from_url(std::string_view url) {
  std::optional<std::string> password;
  SourceConfig config = connectors::read_url(url, password);
  connectors::complete_password(config, std::move(password));
  return config;
}

}  // namespace ustream
