// decode: a database's log files, read offline.
#include <vector>

#include <CLI/CLI.hpp>

#include "app/change_printer.hpp"
#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"
#include "connectors/mysql/binlog_file.hpp"

namespace ustream::app {
namespace {

/// Changes and notices of a batch, in the order in which they stood.
std::vector<Delivery> deliveries_of(const ChangeBatchPtr& batch) {
  std::vector<Delivery> result;
  result.reserve(batch->changes.size() + batch->notices.size());
  auto notice = batch->notices.begin();
  for (std::size_t i = 0; i <= batch->changes.size(); ++i) {
    for (; notice != batch->notices.end() && notice->index == i; ++notice) {
      std::visit([&](const auto& what) { result.emplace_back().notice = what; }, notice->what);
    }
    if (i < batch->changes.size()) {
      Delivery& delivery = result.emplace_back();
      delivery.batch = batch;
      delivery.change = &batch->changes[i];
      delivery.op = delivery.change->op;
    }
  }
  return result;
}

int decode(const std::vector<std::string>& files, const Globals& globals) {
  ChangePrinter printer(standard_output(globals), {});
  mysql::BinlogFileReader reader(
      [&](const ChangeBatchPtr& batch) { printer.print(deliveries_of(batch)); });
  reader.read(files);
  if (reader.report().unnamed_columns) {
    print_error(
        "some tables have no column names in the log, so their columns are called @1, @2, …: set "
        "binlog_row_metadata=FULL on the server for later files");
  }
  if (reader.report().quarantined > 0) {
    print_error(std::to_string(reader.report().quarantined) +
                " events or rows could not be decoded; each is told where it stood");
    return failed;
  }
  return done;
}

}  // namespace

void add_decode_command(CLI::App& root, Action& action) {
  CLI::App* command = root.add_subcommand(
      "decode", "Print the changes in binlog files of MySQL or MariaDB, without a server");
  auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "binlog files, in order")->required();
  command->footer(
      "A table is called database.table. What cannot be decoded is told as a quarantine line, and "
      "the exit code is then 1.");
  command->callback([files, &action] {
    action = [files](const Globals& globals) {
      end_at_once_on_signals();
      return decode(*files, globals);
    };
  });
}

}  // namespace ustream::app
