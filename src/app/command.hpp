// What the commands share: how they are declared, and what they are run with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/config.hpp"
#include "ustream/connector.hpp"
#include "ustream/value.hpp"

#include "app/output.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace ustream::app {

/// Options that every command takes.
struct Globals {
  std::optional<Format> format;  ///< nullopt: pretty on a terminal, else json
  LogLevel log_level = LogLevel::warn;
};

/// The command that the command line asks for; returns the exit code.
using Action = std::function<int(const Globals&)>;

// Each declares its subcommands on `root`; parsing one of them sets `action`.
void add_watch_command(CLI::App& root, Action& action);
void add_record_commands(CLI::App& root, Action& action);
void add_query_commands(CLI::App& root, Action& action);
void add_bulk_command(CLI::App& root, Action& action);
void add_decode_command(CLI::App& root, Action& action);
void add_admin_commands(CLI::App& root, Action& action);
void add_completion_command(CLI::App& root, Action& action);

/// Standard output as the options and the terminal want it.
[[nodiscard]] Output standard_output(const Globals& globals);
/// The source's configuration, with the program's log level. Throws ValidationError.
[[nodiscard]] SourceConfig source_config(const std::string& url, const Globals& globals);

/// An open connector; closed when it goes.
class Source {
 public:
  /// Throws what BaseConnector::open throws.
  Source(const std::string& url, const Globals& globals);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] BaseConnector& connector() noexcept { return *connector_; }

 private:
  std::unique_ptr<BaseConnector> connector_;
};

/// "a,b" as names; empty ones are refused. No text: no names. Throws ValidationError.
[[nodiscard]] std::vector<std::string> parse_fields(const std::optional<std::string>& text);
/// `text`, or all of standard input when it is "-". Throws ValidationError when that is too long.
[[nodiscard]] std::string argument_or_stdin(const std::string& text);

/// Appends ,"name":"text" to an object that has members already.
void append_text_member(std::string& out, std::string_view name, std::string_view text);
/// The key as JSON text of a command says it: a string is the text itself, a number its digits, an
/// array or object its JSON.
[[nodiscard]] std::string key_text(const Value& key);

/// `text` without what may be a password in a URL, and on one line.
[[nodiscard]] std::string redacted(std::string_view text);
/// One line on stderr: "ustream: " and the text.
void print_error(std::string_view text) noexcept;
/// The same for an error; its details when the log level is debug.
void print_error(const Error& error, const Globals& globals) noexcept;

constexpr const char* kUrlHelp =
    "the database: sqlite:PATH, mysql://user@host:port/db, … (password: USTREAM_PASSWORD)";

}  // namespace ustream::app
