// doctor, uninstall: what ustream finds, and what it left, in a database.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "ustream/json.hpp"

#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"

namespace ustream::app {
namespace {

using Status = DoctorCheck::Status;

std::string_view status_name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::warning:
      return "warning";
    case Status::failed:
      break;
  }
  return "failed";
}

void append_json(std::string& out, const DoctorCheck& check) {
  out += "{\"check\":";
  write_json_string(out, check.check);
  append_text_member(out, "status", status_name(check.status));
  append_text_member(out, "found", check.found);
  append_text_member(out, "fix", check.fix);
  out += '}';
}

void append_table_row(std::string& out, const DoctorCheck& check, std::size_t width,
                      const Palette& palette) {
  const std::string_view colour = check.status == Status::ok        ? palette.green()
                                  : check.status == Status::warning ? palette.yellow()
                                                                    : palette.red();
  out += colour;
  out += status_name(check.status);
  out += palette.reset();
  out.append(9 - status_name(check.status).size(), ' ');
  append_safe(out, check.check);
  out.append(width - std::min(width, check.check.size()) + 2, ' ');
  append_safe(out, check.found);
  out += '\n';
  if (!check.fix.empty()) {
    out.append(9, ' ');
    out += palette.dim();
    out += "→ ";
    append_safe(out, check.fix);
    out += palette.reset();
    out += '\n';
  }
}

int print_checks(const std::vector<DoctorCheck>& checks, const Globals& globals) {
  Output output = standard_output(globals);
  std::size_t width = 0;
  bool any_failed = false;
  for (const auto& check : checks) {
    width = std::max(width, check.check.size());
    any_failed = any_failed || check.status == Status::failed;
  }
  for (const auto& check : checks) {
    if (output.format() == Format::pretty) {
      append_table_row(output.buffer(), check, width, output.palette());
    } else {
      append_json(output.buffer(), check);
      output.buffer() += '\n';
    }
  }
  output.flush();
  return any_failed ? failed : done;
}

DoctorCheck unreachable(const Error& error) {
  std::string found = redacted(error.what());
  std::string fix = "check that the database is there and that you may open it";
  // Our messages say what is wrong, and what to do after a semicolon.
  if (const auto end = found.find("; "); end != std::string::npos) {
    fix = found.substr(end + 2);
    found.resize(end);
  } else if (error.kind() == ErrorKind::auth) {
    fix = "check the user, the password (USTREAM_PASSWORD) and the privileges";
  } else if (error.kind() == ErrorKind::corrupt) {
    fix = "restore the database from a backup";
  }
  return {"reachable", Status::failed, std::move(found), std::move(fix)};
}

int run_doctor(const std::string& url, const Globals& globals) {
  const auto connector = builtin_connectors().create(source_config(url, globals));
  std::vector<DoctorCheck> checks;
  try {
    connector->open();
    checks = connector->doctor();
  } catch (const ValidationError&) {
    throw;
  } catch (const Error& error) {
    checks = {unreachable(error)};
  }
  connector->close();
  return print_checks(checks, globals);
}

int run_uninstall(const std::string& url, const Globals& globals) {
  Source source(url, globals);
  Output output = standard_output(globals);
  const std::vector<std::string> all = source.connector().uninstall();
  if (all.empty()) {
    print_error("there is nothing of ustream's in the database to remove");
  }
  for (const auto& removed : all) {
    std::string line = "{\"removed\":";
    write_json_string(line, removed);
    line += '}';
    if (output.format() == Format::pretty) {
      output.buffer() += "removed ";
      append_safe(output.buffer(), removed);
      output.buffer() += '\n';
    } else {
      output.line(line);
    }
  }
  output.flush();
  return done;
}

}  // namespace

void add_admin_commands(CLI::App& root, Action& action) {
  const auto add = [&](const char* name, const char* description, auto function) {
    auto url = std::make_shared<std::string>();
    CLI::App* command = root.add_subcommand(name, description);
    command->add_option("URL", *url, kUrlHelp)->required();
    command->callback([&action, url, function] {
      action = [url, function](const Globals& globals) {
        end_at_once_on_signals();
        return function(*url, globals);
      };
    });
    return command;
  };
  add("doctor", "Check reachability, version, privileges and settings", run_doctor)
      ->footer("Exit code 1 when a check failed.");
  add("uninstall", "Remove what ustream made in the database", run_uninstall);
}

}  // namespace ustream::app
