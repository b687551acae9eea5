// What watching costs while nothing happens, and what it keeps.
#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

#include "bench.hpp"

namespace ustream::bench {
namespace {

/// Seconds of processor time that the process has used: utime and stime of proc(5)'s stat.
double processor_time(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the program's name in parentheses, which may hold anything.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) {
    fields >> skipped;
  }
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

constexpr double kMiB = 1024.0 * 1024.0;

void idle_watch(const Settings& settings, Report& report) {
  const DatabaseFile file(settings.folder, "idle");
  Plain database(file.path(), "FULL");
  database.execute(orders_table().create);
  Child watch({settings.program, "watch", file.url(), "orders", "--format", "json"});
  if (!watch.read_line().starts_with("{\"ready\"")) {
    throw std::runtime_error(settings.program + " watch did not say that it is ready");
  }
  const double idle = settings.quick ? 1 : 10;
  const double cpu_before = processor_time(watch.pid());
  const std::int64_t before = now_ns();
  sleep_until_ns(before + static_cast<std::int64_t>(idle * 1e9));
  const double share = (processor_time(watch.pid()) - cpu_before) /
                       (static_cast<double>(now_ns() - before) / 1e9) * 100;
  report.add(below(8, {"ustream watch, idle: anonymous memory",
                       static_cast<double>(anonymous_memory(watch.pid())) / kMiB, "MiB"}));
  report.add(below(0.5, {"ustream watch, idle: processor", share, "% of a core"}));
}

}  // namespace

void print_memory_growth(const std::string& folder, std::size_t records) {
  const DatabaseFile file(folder, "growth");
  Plain(file.path(), "FULL").execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT)");
  Watcher watcher(file.url(), "notes");
  const Value::Object row{{"text", std::string(1024, 'x')}};
  const std::uint64_t before = anonymous_memory(::getpid());
  for (std::size_t i = 1; i <= records; ++i) {
    watcher.package().write("notes", std::to_string(i), row);
  }
  watcher.await(records);
  const std::uint64_t after = anonymous_memory(::getpid());
  std::printf("%lld\n", static_cast<long long>(after) - static_cast<long long>(before));
}

void bench_footprint(const Settings& settings, Report& report) {
  report.section("footprint",
                 "RssAnon of proc(5); the growth in a process of its own, from a "
                 "running watcher to 1000 records of 1 KiB written and delivered");
  if (settings.program.empty()) {
    report.machine("left out", "ustream watch: name the program with --program");
  } else {
    idle_watch(settings, report);
  }
  std::vector<double> growth;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    Child child({settings.self, "grow-memory", "--folder", settings.folder, "--records",
                 std::to_string(settings.amount(1000, 20))});
    const std::string text = child.read_all();
    double bytes = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec != std::errc()) {
      throw std::runtime_error("the process whose memory is measured failed");
    }
    growth.push_back(bytes / kMiB);
  }
  report.add(below(5, {"growth by 1000 records of 1 KiB", median(growth), "MiB"}));
}

}  // namespace ustream::bench
