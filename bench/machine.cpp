#include <charconv>
#include <fstream>
#include <string>
#include <thread>

#include <sqlite3.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "report.hpp"

namespace ustream::bench {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

std::string memory() {
  struct sysinfo info{};
  ::sysinfo(&info);
  return std::to_string(info.totalram * info.mem_unit >> 20U) + " MiB";
}

std::string kernel() {
  utsname name{};
  ::uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

/// Names of statfs(2)'s magic numbers, of the file systems one is likely to measure on.
std::string file_system(const std::string& folder) {
  struct statfs info{};
  if (::statfs(folder.c_str(), &info) != 0) {
    return "unknown";
  }
  switch (static_cast<unsigned long>(info.f_type)) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs (nothing is durable here: fsync costs nothing)";
    case 0x794C7630:
      return "overlayfs";
    case 0x2FC12FC1:
      return "zfs";
    default: {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, info.f_type, 16).ptr;
      return "type 0x" + std::string(text, end);
    }
  }
}

std::string load() {
  std::ifstream file("/proc/loadavg");
  std::string one;
  std::string five;
  std::string fifteen;
  file >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

}  // namespace

void describe_machine(Report& report, const std::string& folder) {
  report.machine("cpu", cpu_model());
  report.machine("cores", std::to_string(std::thread::hardware_concurrency()));
  report.machine("memory", memory());
  report.machine("kernel", kernel());
  report.machine("file system", file_system(folder));
  report.machine("sqlite", sqlite3_libversion());
  report.machine("journal mode", "WAL, synchronous as each section says");
#ifdef __clang__
  report.machine("compiler", __VERSION__);
#else
  report.machine("compiler", std::string("GCC ") + __VERSION__);
#endif
  const std::string sanitizers = USTREAM_BENCH_SANITIZE;
  report.machine("build", USTREAM_BENCH_BUILD_TYPE +
                              (sanitizers.empty() ? "" : " with sanitizers: " + sanitizers));
  report.machine("load average", load());
}

}  // namespace ustream::bench
