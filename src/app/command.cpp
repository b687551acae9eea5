#include "app/command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "ustream/json.hpp"

namespace ustream::app {
namespace {

constexpr std::size_t kMaxInput = 64U << 20U;

/// Everything from the scheme's "//" to the last '@', and what follows "password=", as "…".
void hide_secrets(std::string& text) {
  constexpr std::string_view kHidden = "…";
  if (const auto begin = text.find("://"); begin != std::string::npos) {
    if (const auto at = text.rfind('@'); at != std::string::npos && at > begin) {
      text.replace(begin + 3, at - begin - 3, kHidden);
    }
  }
  constexpr std::string_view kPassword = "password=";
  for (auto at = text.find(kPassword); at != std::string::npos;
       at = text.find(kPassword, at + kPassword.size())) {
    const auto begin = at + kPassword.size();
    const auto end = std::min(text.find_first_of("& '\"", begin), text.size());
    text.replace(begin, end - begin, kHidden);
  }
}

}  // namespace

Output standard_output(const Globals& globals) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const Format format = globals.format.value_or(terminal ? Format::pretty : Format::json);
  // https://no-color.org: any value that is not empty.
  const char* no_color = std::getenv("NO_COLOR");
  const bool coloured = terminal && (no_color == nullptr || *no_color == '\0');
  return {STDOUT_FILENO, format, Palette(coloured ? Palette::Use::coloured : Palette::Use::plain)};
}

SourceConfig source_config(const std::string& url, const Globals& globals) {
  SourceConfig config = SourceConfig::from_url(url);
  config.log_level = globals.log_level;
  return config;
}

Source::Source(const std::string& url, const Globals& globals)
    : connector_(builtin_connectors().create(source_config(url, globals))) {
  connector_->open();
}

Source::~Source() {
  connector_->close();
}

std::vector<std::string> parse_fields(const std::optional<std::string>& text) {
  std::vector<std::string> fields;
  for (std::size_t begin = 0; text && begin <= text->size();) {
    const std::size_t end = std::min(text->find(',', begin), text->size());
    if (end == begin) {
      throw ValidationError("--fields has an empty name; write names with commas between: a,b");
    }
    fields.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

std::string argument_or_stdin(const std::string& text) {
  if (text != "-") {
    return text;
  }
  std::string content;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      throw Error(ErrorKind::internal,
                  std::string("cannot read the standard input: ") + std::strerror(errno));
    }
    if (n == 0) {
      return content;
    }
    content.append(piece.data(), static_cast<std::size_t>(n));
    if (content.size() > kMaxInput) {
      throw ValidationError("the JSON on the standard input has more than 64 MB");
    }
  }
}

void append_text_member(std::string& out, std::string_view name, std::string_view text) {
  out += ',';
  write_json_string(out, name);
  out += ':';
  write_json_string(out, text);
}

std::string key_text(const Value& key) {
  if (const auto* text = key.get_if<std::string>()) {
    return *text;
  }
  if (const auto* decimal = key.get_if<Decimal>()) {
    return decimal->digits;
  }
  std::string json = to_json(key);
  // What JSON has no type for (a uuid, bytes) is a string in JSON and plain text as a key.
  if (json.starts_with('"')) {
    return parse_json(json).as_string();
  }
  return json;
}

std::string redacted(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), '\n', ' ');
  hide_secrets(result);
  return result;
}

void print_error(std::string_view text) noexcept {
  try {
    std::string line = "ustream: ";
    append_safe(line, redacted(text));
    line += '\n';
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  } catch (...) {
    // Out of memory: the exit code still tells that something went wrong.
  }
}

void print_error(const Error& error, const Globals& globals) noexcept {
  print_error(error.what());
  if (globals.log_level <= LogLevel::debug && !error.detail().empty()) {
    print_error(error.detail());
  }
}

}  // namespace ustream::app
