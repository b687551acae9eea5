#include "app/program.hpp"

#include <cerrno>
#include <csignal>
#include <exception>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "ustream/version.hpp"

#include "app/command.hpp"
#include "app/exit_code.hpp"

namespace ustream::app {
namespace {

constexpr const char* kFooter =
    "A URL names a database: sqlite:PATH, or scheme://user@host:port/database?option=value.\n"
    "Set the password in the environment's USTREAM_PASSWORD or with ?password_file=PATH: one in\n"
    "the URL can be seen in the list of processes.\n"
    "\n"
    "Exit codes: 0 done, 1 something failed, 2 usage or configuration, 3 cannot connect or\n"
    "authenticate, 4 record not found, 5 the stream's history is lost.\n"
    "\n"
    "'ustream COMMAND --help' tells more about a command.";

void add_global_options(CLI::App& command, Globals& globals) {
  command
      .add_option_function<std::string>(
          "--format",
          [&globals](const std::string& text) {
            globals.format = text == "json" ? Format::json : Format::pretty;
          },
          "json (an object a line) or pretty; on a terminal the default is pretty")
      ->check(CLI::IsMember({"json", "pretty"}))
      ->type_name("FORMAT");
  command
      .add_option_function<std::string>(
          "--log-level",
          [&globals](const std::string& text) { globals.log_level = parse_log_level(text); },
          "of what goes to stderr: trace debug info warn error off (default warn)")
      ->type_name("LEVEL");
}

std::vector<std::string> command_names(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

/// The subcommand that was named on the command line, or `root`.
const CLI::App& named_command(const CLI::App& root) {
  const auto commands = root.get_subcommands();
  return commands.empty() ? root : *commands.front();
}

/// Not root.help(): that delegates to the command which was named, be it `help` itself.
std::string help_text(const CLI::App& root, const CLI::App& about) {
  return &about == &root
             ? root.get_formatter()->make_help(&root, root.get_name(), CLI::AppFormatMode::Normal)
             : about.help(root.get_name());
}

std::string invocation(const CLI::App& root) {
  const CLI::App& command = named_command(root);
  return &command == &root ? "ustream" : "ustream " + command.get_name();
}

std::string usage_message(const CLI::App& root, const CLI::ParseError& error) {
  const bool has_command = !root.get_subcommands().empty();
  const auto rest = root.remaining();
  std::string message = error.what();
  if (!has_command && !rest.empty() && !rest.front().starts_with('-')) {
    message = "there is no command '" + rest.front() + "'";
    const std::string near = nearest_name(rest.front(), command_names(root));
    if (!near.empty()) {
      message += "; did you mean '" + near + "'?";
    }
  } else if (!has_command && rest.empty() &&
             dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    message = "which command?";
  } else if (!rest.empty() && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    message = "what is '" + rest.front() + "'?";
  }
  while (message.ends_with('.') || message.ends_with('\n')) {
    message.pop_back();
  }
  return message + " (see " + invocation(root) + " --help)";
}

/// Where a standard descriptor is closed, the next file to be opened would take its number, and our
/// output would go into a database. What takes its place here refuses what it is used for.
void reserve_standard_descriptors() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      // The lowest number that is free is this one.
      (void)!::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

void print(const std::string& text) {
  Output output(STDOUT_FILENO, Format::json, Palette(Palette::Use::plain));
  output.buffer() += text;
  output.flush();
}

void add_help_command(CLI::App& root, Action& action) {
  auto topic = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("help", "Tell about the program or a command");
  command->add_option("COMMAND", *topic, "a command");
  command->callback([&root, &action, topic] {
    action = [&root, topic](const Globals&) {
      const CLI::App* about = &root;
      if (!topic->empty()) {
        const auto commands = root.get_subcommands(
            [&](const CLI::App* candidate) { return candidate->get_name() == *topic; });
        if (commands.empty()) {
          throw ValidationError("there is no command '" + *topic + "' (see ustream --help)");
        }
        about = commands.front();
      }
      print(help_text(root, *about));
      return static_cast<int>(done);
    };
  });
}

void declare(CLI::App& root, Globals& globals, Action& action) {
  root.name("ustream");
  root.require_subcommand(1);
  root.set_help_flag("-h,--help", "Print this help and exit");
  root.set_version_flag("--version", std::string("ustream ") + version());
  root.footer(kFooter);
  add_watch_command(root, action);
  add_record_commands(root, action);
  add_query_commands(root, action);
  add_bulk_command(root, action);
  add_decode_command(root, action);
  add_admin_commands(root, action);
  add_completion_command(root, action);
  add_help_command(root, action);
  add_global_options(root, globals);
  for (CLI::App* command : root.get_subcommands({})) {
    add_global_options(*command, globals);
  }
}

/// Parses the command line; an exit code when that was all.
std::optional<int> parse(CLI::App& root, int argc, char** argv) {
  try {
    root.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    print(help_text(root, named_command(root)));
    return done;
  } catch (const CLI::CallForVersion& version_text) {
    print(std::string(version_text.what()) + "\n");
    return done;
  } catch (const CLI::ParseError& error) {
    print_error(usage_message(root, error));
    return usage;
  }
}

int run(int argc, char** argv, Globals& globals) {
  CLI::App root("Watches databases for changes, and reads and writes them.");
  Action action;
  declare(root, globals, action);
  if (const auto code = parse(root, argc, argv)) {
    return *code;
  }
  return action(globals);
}

}  // namespace

int run_program(int argc, char** argv) noexcept {
  std::signal(SIGPIPE, SIG_IGN);
  reserve_standard_descriptors();
  Globals globals;
  try {
    return run(argc, argv, globals);
  } catch (const OutputClosed&) {
    return done;
  } catch (const Error& error) {
    print_error(error, globals);
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    print_error(error.what());
    return failed;
  } catch (...) {
    print_error("an unexpected exception");
    return failed;
  }
}

}  // namespace ustream::app
