// ustream-bench: docs/benchmarks.md.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <fstream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "bench.hpp"

namespace {

using ustream::bench::Report;
using ustream::bench::Settings;

struct Benchmark {
  const char* name;
  void (*run)(const Settings&, Report&);
};
constexpr std::array kBenchmarks{
    Benchmark{"latency", ustream::bench::bench_latency},
    Benchmark{"capture", ustream::bench::bench_capture},
    Benchmark{"writes", ustream::bench::bench_writes},
    Benchmark{"snapshot", ustream::bench::bench_snapshot},
    Benchmark{"dispatch", ustream::bench::bench_dispatch},
    Benchmark{"binlog", ustream::bench::bench_binlog},
    Benchmark{"footprint", ustream::bench::bench_footprint},
};

/// A folder of our own, removed with what is in it.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& parent) : path_(parent + "/ustream-bench-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("no folder can be made in " + parent);
    }
  }
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

int run_benchmarks(Settings settings, const std::string& parent,
                   const std::vector<std::string>& only, const std::string& json_file) {
  const WorkFolder folder(parent);
  settings.folder = folder.path();
  settings.self = std::filesystem::read_symlink("/proc/self/exe");
  if (settings.quick) {
    settings.repetitions = 1;
  }
  if (!settings.program.empty() && ::access(settings.program.c_str(), X_OK) != 0) {
    throw std::runtime_error(settings.program + ": no such program");
  }
  Report report;
  ustream::bench::describe_machine(report, settings.folder);
  report.machine("repetitions", std::to_string(settings.repetitions));
  for (const Benchmark& benchmark : kBenchmarks) {
    if (only.empty() || std::find(only.begin(), only.end(), benchmark.name) != only.end()) {
      benchmark.run(settings, report);
    }
  }
  std::printf("\ntargets missed: %zu\n", report.missed());
  if (!json_file.empty()) {
    std::ofstream file(json_file);
    file << report.json() << '\n';
    if (!file.flush()) {
      throw std::runtime_error(json_file + " could not be written");
    }
  }
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Measures ustream against plain SQLite; docs/benchmarks.md explains the numbers");
  Settings settings;
  std::vector<std::string> only;
  std::string parent = std::filesystem::temp_directory_path();
  std::string json_file;
#ifdef USTREAM_PROGRAM
  settings.program = USTREAM_PROGRAM;
#endif
  std::vector<std::string> names;
  names.reserve(std::size(kBenchmarks));
  for (const Benchmark& benchmark : kBenchmarks) {
    names.emplace_back(benchmark.name);
  }
  app.add_option("--only", only, "Run these alone")->check(CLI::IsMember(names));
  app.add_flag("--quick", settings.quick, "A smoke run of seconds; its numbers mean little");
  app.add_option("--repetitions", settings.repetitions, "Of each measurement; medians are shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--folder", parent, "Where the databases are made")->capture_default_str();
  app.add_option("--program", settings.program, "The ustream program")->capture_default_str();
  app.add_option("--binlog", settings.binlog, "A binlog whose rows the section binlog reads")
      ->check(CLI::ExistingFile);
  app.add_option("--json", json_file, "Write the results here, too");

  // What this program starts itself as; an empty group hides it from the help.
  ustream::bench::ChildWrites child;
  CLI::App* writer = app.add_subcommand("write-orders")->group("");
  writer->add_option("--database", child.database)->required();
  writer->add_option("--synchronous", child.synchronous)->required();
  writer->add_option("--first-id", child.first_id)->required();
  writer->add_option("--count", child.count)->required();
  writer->add_option("--rate", child.rate)->required();
  std::string growth_folder;
  std::size_t records = 0;
  CLI::App* growth = app.add_subcommand("grow-memory")->group("");
  growth->add_option("--folder", growth_folder)->required();
  growth->add_option("--records", records)->required();
  CLI11_PARSE(app, argc, argv);

  if (writer->parsed()) {
    ustream::bench::write_as_child(child);
    return 0;
  }
  if (growth->parsed()) {
    ustream::bench::print_memory_growth(growth_folder, records);
    return 0;
  }
  return run_benchmarks(settings, parent, only, json_file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "ustream-bench: %s\n", error.what());
    return 1;
  }
}
