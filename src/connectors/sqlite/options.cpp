#include "connectors/sqlite/options.hpp"

#include <charconv>
#include <vector>

namespace ustream::sqlite {
namespace {

std::int64_t parse_count(const std::string& name, const std::string& text, std::int64_t low,
                         std::int64_t high) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < low || number > high) {
    throw ValidationError("option " + name + " must be a number from " + std::to_string(low) +
                          " to " + std::to_string(high) + ", not '" + text + "'");
  }
  return number;
}

std::chrono::microseconds parse_option(const std::string& name, const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const ValidationError& error) {
    throw ValidationError("option '" + name + "': " + error.what());
  }
}

}  // namespace

Options Options::from(const SourceConfig& config) {
  Options options;
  options.path = config.database;
  options.polling_interval = config.polling_interval;
  options.log_level = config.log_level;
  if (options.path.empty()) {
    throw ValidationError("a SQLite source needs a file: sqlite:PATH");
  }
  if (options.path.starts_with(":memory:")) {
    throw ValidationError(
        "an in-memory database belongs to one connection alone and cannot be watched; name a file");
  }
  const std::vector<std::string> known{"create", "busy_timeout", "pool_size", "log_max_age",
                                       "log_max_rows"};
  for (const auto& [name, value] : config.options) {
    if (name == "create") {
      if (value != "true" && value != "false") {
        throw ValidationError("option create must be true or false, not '" + value + "'");
      }
      options.access = value == "true" ? Access::create : Access::read_write;
    } else if (name == "busy_timeout") {
      options.busy_timeout =
          std::chrono::duration_cast<std::chrono::milliseconds>(parse_option(name, value));
    } else if (name == "pool_size") {
      options.pool_size = static_cast<std::size_t>(parse_count(name, value, 1, 1000));
    } else if (name == "log_max_age") {
      options.log_max_age =
          std::chrono::duration_cast<std::chrono::seconds>(parse_option(name, value));
    } else if (name == "log_max_rows") {
      options.log_max_rows = parse_count(name, value, 1, 1'000'000'000'000);
    } else {
      const std::string nearest = nearest_name(name, known);
      throw ValidationError(
          "a SQLite source has no option '" + name + "'" +
          (nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?"));
    }
  }
  return options;
}

}  // namespace ustream::sqlite
