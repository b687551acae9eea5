// completion: the script that a shell loads to complete ustream's command lines.
#include <CLI/CLI.hpp>

#include "app/bash_completion.hpp"
#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"

namespace ustream::app {

void add_completion_command(CLI::App& root, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("completion", "Print the completion script of a shell");
  command->add_option("SHELL", *shell, "bash")->required()->check(CLI::IsMember({"bash"}));
  command->footer("Load it: source <(ustream completion bash)");
  command->callback([&action] {
    action = [](const Globals& globals) {
      end_at_once_on_signals();
      Output output = standard_output(globals);
      output.buffer() += kBashCompletion;
      output.flush();
      return static_cast<int>(done);
    };
  });
}

}  // namespace ustream::app
