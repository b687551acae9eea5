// SourceConfig from an object with the keys of the JavaScript original, or their snake_case forms.
#include <cmath>
#include <utility>

#include "ustream/config.hpp"
#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "connectors/config_options.hpp"

namespace ustream {
namespace {

using connectors::OptionName;

constexpr OptionName kDbType{"dbType", "db_type"};
constexpr OptionName kHost{"host", "host"};
constexpr OptionName kPort{"port", "port"};
constexpr OptionName kUser{"user", "user"};
constexpr OptionName kPassword{"password", "password"};
constexpr OptionName kPasswordFile{"passwordFile", "password_file"};
constexpr OptionName kDatabase{"database", "database"};
constexpr OptionName kFilename{"filename", "filename"};
constexpr OptionName kConnectionString{"connectionString", "connection_string"};
constexpr OptionName kOptions{"options", "options"};
constexpr std::array<OptionName, 10> kOwnNames = {
    kDbType,           kHost,   kPort, kUser, kPassword, kPasswordFile, kDatabase, kFilename,
    kConnectionString, kOptions};

[[noreturn]] void wrong_type(std::string_view name, std::string_view expected, const Value& value) {
  throw ValidationError("configuration: '" + std::string(name) + "' must be " +
                            std::string(expected) + ", not " + std::string(to_string(value.type())),
                        std::string(name));
}

[[noreturn]] void refuse(const std::string& why, std::string_view name) {
  throw ValidationError("configuration: " + why, std::string(name));
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  std::vector<std::string> names;
  names.reserve(kOwnNames.size() + connectors::kCommonOptions.size());
  for (const OptionName& known : kOwnNames) {
    names.emplace_back(known.camel);
  }
  for (const OptionName& known : connectors::kCommonOptions) {
    names.emplace_back(known.camel);
  }
  const std::string nearest = nearest_name(name, names);
  std::string message = "unknown key '" + name.substr(0, 100) + "'";
  message += nearest.empty() ? "; a connector's own options stand under 'options'"
                             : "; did you mean '" + nearest + "'?";
  refuse(message, "configuration");
}

/// The text of a string; empty where the option does not allow it is refused.
const std::string& text_of(std::string_view name, const Value& value) {
  const auto* text = value.get_if<std::string>();
  if (text == nullptr) {
    wrong_type(name, "a string", value);
  }
  if (text->empty()) {
    refuse("'" + std::string(name) + "' is empty", name);
  }
  if (text->find('\0') != std::string::npos) {
    refuse("'" + std::string(name) + "' has a zero byte in it", name);
  }
  return *text;
}

/// The text of a string, a whole number or a boolean, as it would stand in a URL.
std::string option_text(std::string_view name, const Value& value) {
  if (const auto* text = value.get_if<std::string>()) {
    return *text;
  }
  if (const auto* number = value.get_if<std::int64_t>()) {
    return std::to_string(*number);
  }
  if (const auto* number = value.get_if<double>();
      number != nullptr && std::trunc(*number) == *number && std::abs(*number) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(*number));
  }
  if (const auto* flag = value.get_if<bool>()) {
    return *flag ? "true" : "false";
  }
  wrong_type(name, "a string, a whole number or a boolean", value);
}

class ObjectReader {
 public:
  SourceConfig read(const Value::Object& object) && {
    for (const Member& member : object) {
      if (kConnectionString.is(member.name)) {
        config_ = connectors::read_url(text_of(member.name, member.value), password_);
        has_url_ = true;
      }
    }
    for (const Member& member : object) {
      if (!kConnectionString.is(member.name)) {
        read_member(member.name, member.value);
      }
    }
    if (config_.scheme.empty()) {
      refuse("'dbType' is missing: the database's name, such as \"sqlite\"", kDbType.camel);
    }
    check_place();
    common_.apply(config_);
    connectors::complete_password(config_, std::move(password_));
    return std::move(config_);
  }

 private:
  void read_member(const std::string& name, const Value& value) {
    if (kDbType.is(name)) {
      read_type(text_of(name, value));
    } else if (kHost.is(name)) {
      config_.host = place(name, value);
    } else if (kUser.is(name)) {
      config_.user = place(name, value);
    } else if (kDatabase.is(name) || kFilename.is(name)) {
      if (!config_.database.empty() && !has_url_) {
        refuse("'database' and 'filename' say the same; give one", name);
      }
      config_.database = place(name, value);
    } else if (kPort.is(name)) {
      read_port(name, value);
    } else if (kPassword.is(name)) {
      read_password(name, value);
    } else if (kPasswordFile.is(name)) {
      config_.options.insert_or_assign(std::string(kPasswordFile.snake), text_of(name, value));
    } else if (kOptions.is(name)) {
      read_options(name, value);
    } else if (is_common(name)) {
      static_cast<void>(common_.accept(name, option_text(name, value)));
    } else {
      refuse_unknown(name);
    }
  }

  static bool is_common(std::string_view name) {
    for (const OptionName& known : connectors::kCommonOptions) {
      if (known.is(name)) {
        return true;
      }
    }
    return false;
  }

  /// What a connection string says already is not said twice.
  const std::string& place(std::string_view name, const Value& value) const {
    if (has_url_) {
      refuse("'connectionString' says where the database is; leave '" + std::string(name) + "' out",
             name);
    }
    return text_of(name, value);
  }

  void read_type(const std::string& type) {
    if (has_url_ && type != config_.scheme) {
      refuse("'dbType' does not name the database of 'connectionString', which is '" +
                 config_.scheme + "'",
             kDbType.camel);
    }
    config_.scheme = type;
  }

  void read_port(std::string_view name, const Value& value) {
    if (has_url_) {
      static_cast<void>(place(name, value));
    }
    const std::string text = option_text(name, value);
    const bool digits = !text.empty() && text.size() <= 5 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    const int port = digits ? std::stoi(text) : 0;
    if (port < 1 || port > 65'535) {
      refuse("'port' must be a number from 1 to 65535", name);
    }
    config_.port = static_cast<std::uint16_t>(port);
  }

  void read_password(std::string_view name, const Value& value) {
    const auto* text = value.get_if<std::string>();
    if (text == nullptr) {
      wrong_type(name, "a string", value);
    }
    if (password_) {
      refuse("'connectionString' holds a password already; leave 'password' out", name);
    }
    password_ = *text;
  }

  void read_options(std::string_view name, const Value& value) {
    const auto* members = value.get_if<Value::Object>();
    if (members == nullptr) {
      wrong_type(name, "an object", value);
    }
    for (const Member& member : *members) {
      std::string text = option_text(member.name, member.value);
      if (common_.accept(member.name, text)) {
        continue;
      }
      if (!config_.options.emplace(member.name, std::move(text)).second) {
        refuse("the option '" + member.name + "' is given twice", name);
      }
    }
  }

  void check_place() const {
    const bool embedded = config_.host.empty();
    if (embedded && (config_.port != 0 || !config_.user.empty() || password_)) {
      refuse("'host' is missing, but 'port', 'user' or 'password' is given", kHost.camel);
    }
    if (embedded && config_.database.empty()) {
      refuse(
          "it does not say where the database is: 'host' for a server, 'database' or "
          "'filename' for a file, or 'connectionString'",
          kDatabase.camel);
    }
  }

  SourceConfig config_;
  std::optional<std::string> password_;
  connectors::CommonOptions common_;
  bool has_url_ = false;
};

}  // namespace

SourceConfig SourceConfig::from_object(const Value::Object& object) {
  return ObjectReader().read(object);
}

SourceConfig SourceConfig::from_json(std::string_view json) {
  const Value value = parse_json(json);
  const auto* object = value.get_if<Value::Object>();
  if (object == nullptr) {
    refuse("it must be an object", "configuration");
  }
  return from_object(*object);
}

}  // namespace ustream
