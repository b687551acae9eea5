// read, write, delete: one record.
#include <CLI/CLI.hpp>

#include "ustream/json.hpp"

#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"
#include "package/facets.hpp"

namespace ustream::app {
namespace {

struct RecordOptions {
  std::string url;
  std::string collection;
  std::string key;
  std::string json;
  bool replace = false;
};

int read_record(const RecordOptions& options, const Globals& globals) {
  Source source(options.url, globals);
  const auto row = package::require_crud(source.connector()).read(options.collection, options.key);
  if (!row) {
    print_error("there is no record '" + options.key + "' in " + options.collection);
    return record_not_found;
  }
  Output output = standard_output(globals);
  output.line(row->to_json(), Layout::indented);
  output.flush();
  return done;
}

int write_record(const RecordOptions& options, const Globals& globals) {
  const Value value = parse_json(argument_or_stdin(options.json));
  const auto* data = value.get_if<Value::Object>();
  if (data == nullptr) {
    throw ValidationError("a record is a JSON object, as {\"status\":\"paid\"}");
  }
  Source source(options.url, globals);
  const WriteResult result = package::require_crud(source.connector())
                                 .write(options.collection, options.key, *data,
                                        options.replace ? WriteMode::replace : WriteMode::merge);
  std::string line = "{\"key\":";
  write_json_string(line, result.key);
  append_text_member(line, "position", result.position ? result.position.cursor() : "");
  line += '}';
  Output output = standard_output(globals);
  output.line(line);
  output.flush();
  return done;
}

int delete_record(const RecordOptions& options, const Globals& globals) {
  Source source(options.url, globals);
  const DeleteResult result =
      package::require_crud(source.connector()).remove(options.collection, options.key);
  std::string line = "{\"key\":";
  write_json_string(line, result.key);
  line += result.existed ? ",\"existed\":true" : ",\"existed\":false";
  append_text_member(line, "position", result.position ? result.position.cursor() : "");
  line += '}';
  Output output = standard_output(globals);
  output.line(line);
  output.flush();
  return result.existed ? done : record_not_found;
}

using RecordFunction = int (*)(const RecordOptions&, const Globals&);

CLI::App* add_record_command(CLI::App& root, Action& action, const char* name,
                             const char* description, RecordFunction function,
                             const std::shared_ptr<RecordOptions>& options) {
  CLI::App* command = root.add_subcommand(name, description);
  command->add_option("URL", options->url, kUrlHelp)->required();
  command->add_option("COLLECTION", options->collection, "the table or collection")->required();
  command->add_option("KEY", options->key, "the key as text; a composite key as JSON: [1,\"a\"]")
      ->required();
  command->callback([&action, function, options] {
    action = [function, options](const Globals& globals) {
      end_at_once_on_signals();
      return function(*options, globals);
    };
  });
  return command;
}

}  // namespace

void add_record_commands(CLI::App& root, Action& action) {
  add_record_command(root, action, "read", "Print one record", read_record,
                     std::make_shared<RecordOptions>())
      ->footer("Exit code 4 when there is no such record.");

  auto options = std::make_shared<RecordOptions>();
  CLI::App* write = add_record_command(root, action, "write", "Create or change one record",
                                       write_record, options);
  write->add_option("JSON", options->json, "its fields as a JSON object; - reads it from stdin")
      ->required();
  write->add_flag("--replace", options->replace,
                  "replace the record: fields not given take their default");
  write->footer("Fields not given keep their value, unless with --replace.");

  add_record_command(root, action, "delete", "Delete one record", delete_record,
                     std::make_shared<RecordOptions>())
      ->footer("Exit code 4 when there was no such record.");
}

}  // namespace ustream::app
