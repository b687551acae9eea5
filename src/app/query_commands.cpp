// query, count, aggregate.
#include <cstdint>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"
#include "app/whole_number.hpp"
#include "package/facets.hpp"

namespace ustream::app {
namespace {

struct QueryArguments {
  std::string url;
  std::string collection;
  std::optional<std::string> filter;
  std::optional<std::string> sort;
  std::optional<std::uint64_t> limit;
  std::uint64_t skip = 0;
  std::optional<std::string> fields;
  std::string pipeline;
};

Filter parse_filter(const QueryArguments& arguments) {
  return arguments.filter ? Filter::parse(std::string_view(*arguments.filter)) : Filter();
}

int run_query(const QueryArguments& arguments, const Globals& globals) {
  QueryOptions options;
  options.filter = parse_filter(arguments);
  if (arguments.sort) {
    options.sort = parse_sort(std::string_view(*arguments.sort));
  }
  options.limit = arguments.limit;
  options.skip = arguments.skip;
  options.fields = parse_fields(arguments.fields);

  Source source(arguments.url, globals);
  Output output = standard_output(globals);
  std::string json;
  package::require_query(source.connector())
      .query(arguments.collection, options, [&](const Document& row) {
        json.clear();
        row.write_json(json, options.fields);
        output.line(json);
        return true;
      });
  output.flush();
  return done;
}

int run_count(const QueryArguments& arguments, const Globals& globals) {
  const Filter filter = parse_filter(arguments);
  Source source(arguments.url, globals);
  const std::uint64_t count =
      package::require_query(source.connector()).count(arguments.collection, filter);
  Output output = standard_output(globals);
  output.line("{\"count\":" + std::to_string(count) + "}");
  output.flush();
  return done;
}

int run_aggregate(const QueryArguments& arguments, const Globals& globals) {
  const std::string text = argument_or_stdin(arguments.pipeline);
  const Pipeline pipeline = Pipeline::parse(std::string_view(text));
  Source source(arguments.url, globals);
  auto rows =
      package::require_aggregator(source.connector()).aggregate(arguments.collection, pipeline);
  Output output = standard_output(globals);
  for (auto& row : rows) {
    output.line(Document(std::move(row)).to_json());
  }
  output.flush();
  return done;
}

using QueryFunction = int (*)(const QueryArguments&, const Globals&);

CLI::App* add_command(CLI::App& root, Action& action, const char* name, const char* description,
                      QueryFunction function, const std::shared_ptr<QueryArguments>& arguments) {
  CLI::App* command = root.add_subcommand(name, description);
  command->add_option("URL", arguments->url, kUrlHelp)->required();
  command->add_option("COLLECTION", arguments->collection, "the table or collection")->required();
  command->callback([&action, function, arguments] {
    action = [function, arguments](const Globals& globals) {
      end_at_once_on_signals();
      return function(*arguments, globals);
    };
  });
  return command;
}

constexpr const char* kFilterHelp = "only rows that match, as {\"status\":\"paid\"}";

}  // namespace

void add_query_commands(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<QueryArguments>();
  CLI::App* query =
      add_command(root, action, "query", "Print the rows that match", run_query, arguments);
  query->add_option("--filter", arguments->filter, kFilterHelp)->type_name("JSON");
  query->add_option("--sort", arguments->sort, "as {\"total\":-1}: 1 ascending, -1 descending")
      ->type_name("JSON");
  query->add_option("--limit", arguments->limit, "at most so many rows")
      ->type_name("N")
      ->check(whole_number(0));
  query->add_option("--skip", arguments->skip, "leave out the first rows")
      ->type_name("N")
      ->check(whole_number(0));
  query->add_option("--fields", arguments->fields, "only these fields, with commas between")
      ->type_name("A,B");

  arguments = std::make_shared<QueryArguments>();
  CLI::App* count =
      add_command(root, action, "count", "Count the rows that match", run_count, arguments);
  count->add_option("--filter", arguments->filter, kFilterHelp)->type_name("JSON");

  arguments = std::make_shared<QueryArguments>();
  CLI::App* aggregate = add_command(root, action, "aggregate", "Run an aggregation pipeline",
                                    run_aggregate, arguments);
  aggregate
      ->add_option("PIPELINE", arguments->pipeline,
                   "a JSON array of $match $group $sort $limit $skip $project $count; - reads it "
                   "from stdin")
      ->required();
}

}  // namespace ustream::app
