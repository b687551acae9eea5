#include "ustream/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "ustream/error.hpp"

namespace ustream {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Optimal string alignment distance (Damerau and Levenshtein, a swap of neighbours counts once)
/// without regard to case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return prefix.size() >= 3 && name.size() > prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), name.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_secret(std::string_view option) {
  std::string name(option);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  return name.find("password") != std::string::npos || name.find("secret") != std::string::npos ||
         name.find("token") != std::string::npos;
}

/// Characters that would be misread, or spoil a line of a log, percent-encoded.
std::string shown(std::string_view text, std::string_view also_encoded) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%' || also_encoded.find(c) != std::string::npos) {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += c;
    }
  }
  return out;
}

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::array<Unit, 6> kUnits = {{{"us", 1},
                                         {"ms", 1'000},
                                         {"", 1'000},
                                         {"s", 1'000'000},
                                         {"m", 60'000'000},
                                         {"h", 3'600'000'000}}};

}  // namespace

LogLevel parse_log_level(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, LogLevel>, 8> kNames = {
      {{"trace", LogLevel::trace},
       {"debug", LogLevel::debug},
       {"verbose", LogLevel::debug},
       {"info", LogLevel::info},
       {"warn", LogLevel::warn},
       {"warning", LogLevel::warn},
       {"error", LogLevel::error},
       {"off", LogLevel::off}}};
  for (const auto& [name, level] : kNames) {
    if (name == text) {
      return level;
    }
  }
  throw ValidationError("a log level is trace, debug, info, warn, error or off", "log_level");
}

std::chrono::microseconds parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const auto* const found =
      std::find_if(kUnits.begin(), kUnits.end(), [unit](const Unit& u) { return u.name == unit; });
  if (text.empty() || error == std::errc::invalid_argument || count < 0 || text.front() == '-' ||
      found == kUnits.end()) {
    throw ValidationError(
        "a duration is a whole number with a unit: 250us, 500ms, 10s, 5m or 1h; without a unit "
        "it is milliseconds");
  }
  if (error != std::errc{} || count > std::numeric_limits<std::int64_t>::max() / found->micros) {
    throw ValidationError("the duration is too long");
  }
  return std::chrono::microseconds(count * found->micros);
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestName = 100;  // the distance takes time of both lengths' product
  if (name.size() > kLongestName) {
    return {};
  }
  const std::string* nearest = nullptr;
  std::size_t smallest = std::max<std::size_t>(1, name.size() / 3);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) {
      continue;
    }
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < smallest || (distance == smallest && nearest == nullptr)) {
      smallest = distance;
      nearest = &candidate;
    }
  }
  if (nearest == nullptr) {
    const auto related =
        std::find_if(candidates.begin(), candidates.end(), [name](const std::string& candidate) {
          return has_prefix(name, candidate) || has_prefix(candidate, name);
        });
    nearest = related == candidates.end() ? nullptr : &*related;
  }
  return nearest == nullptr ? std::string() : *nearest;
}

std::string SourceConfig::display() const {
  std::string out = scheme + ':';
  if (host.empty()) {
    out += shown(database, "?");
  } else {
    out += "//";
    if (!user.empty()) {
      out += shown(user, ":/?#@") + '@';
    }
    const bool is_ipv6 = host.find(':') != std::string::npos;
    out += is_ipv6 ? '[' + host + ']' : shown(host, "/?#@");
    if (port != 0) {
      out += ':' + std::to_string(port);
    }
    if (!database.empty()) {
      out += '/' + shown(database, "?#");
    }
  }
  char separator = '?';
  for (const auto& [name, value] : options) {
    out += separator + shown(name, "?#&=") + '=';
    out += is_secret(name) ? "***" : shown(value, "#&");
    separator = '&';
  }
  return out;
}

std::optional<std::string> SourceConfig::option(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ustream
