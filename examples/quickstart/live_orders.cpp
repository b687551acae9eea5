// Shows the shop's orders as they change, each with the time from the statement that changed it to
// the callback, and at the end how those times were spread.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <ustream/error.hpp>
#include <ustream/package.hpp>

namespace {

constexpr const char* kUsage =
    "Usage: live-orders DB [--seconds N]\n"
    "\n"
    "Prints each change of the table orders of the SQLite database DB, until Ctrl-C, SIGTERM or\n"
    "the end of --seconds, and then a summary.\n";

std::int64_t now_microseconds() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::string text_of(const ustream::Document& row, std::string_view field) {
  const auto value = row.get(field);
  const auto* text = value ? value->get_if<std::string>() : nullptr;
  return text != nullptr ? *text : std::string("?");
}

std::int64_t integer_of(const ustream::Document& row, std::string_view field) {
  const auto value = row.get(field);
  const auto* number = value ? value->get_if<std::int64_t>() : nullptr;
  return number != nullptr ? *number : 0;
}

// `text` filled up to `width` columns: printf would count the bytes of a UTF-8 letter.
std::string padded(std::string text, std::size_t width) {
  const auto columns = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
  if (columns < width) {
    text.append(width - columns, ' ');
  }
  return text;
}

std::string time_of_day(std::int64_t microseconds) {
  const std::time_t seconds = microseconds / 1'000'000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03d",
                static_cast<int>(microseconds / 1'000 % 1'000));
  return text;
}

// Prints changes and keeps their latencies. Safe from any thread.
class Display {
 public:
  explicit Display(bool colour) : colour_(colour) {}

  void show(const ustream::Document& row, const ustream::ChangeMeta& meta) {
    // Taken first: what follows is the display's own time.
    const std::int64_t now = now_microseconds();
    const std::int64_t stamped = integer_of(row, "updated_at");
    const std::int64_t latency = now - stamped;
    const std::string status = text_of(row, "status");
    const std::string what =
        std::to_string(integer_of(row, "quantity")) + " x " + text_of(row, "product");

    const std::lock_guard lock(mutex_);
    latencies_.push_back(latency);
    std::printf("%s%s%s  %s%s%s  order %s%s %s %8.2f   %s%7.3f ms%s\n", code("\033[2m"),
                time_of_day(stamped).c_str(), code("\033[0m"), code(colour_of(status)),
                padded(status, 9).c_str(), code("\033[0m"), padded(meta.key, 5).c_str(),
                padded(text_of(row, "customer"), 8).c_str(), padded(what, 18).c_str(),
                static_cast<double>(integer_of(row, "total_cents")) / 100.0, code("\033[1m"),
                static_cast<double>(latency) / 1000.0, code("\033[0m"));
    std::fflush(stdout);
  }

  void summarise() {
    const std::lock_guard lock(mutex_);
    if (latencies_.empty()) {
      std::printf("no changes seen\n");
      return;
    }
    std::sort(latencies_.begin(), latencies_.end());
    std::printf(
        "\n%s%zu changes%s, from statement to callback: p50 %.3f ms, p95 %.3f ms, max %.3f ms\n",
        code("\033[1m"), latencies_.size(), code("\033[0m"), percentile(50), percentile(95),
        percentile(100));
  }

 private:
  [[nodiscard]] const char* code(const char* sequence) const { return colour_ ? sequence : ""; }

  static const char* colour_of(std::string_view status) {
    if (status == "placed") {
      return "\033[36m";
    }
    if (status == "cancelled") {
      return "\033[31m";
    }
    return status == "paid" ? "\033[33m" : "\033[32m";
  }

  // In milliseconds, by the nearest rank of the sorted latencies.
  [[nodiscard]] double percentile(std::size_t percent) const {
    const std::size_t rank = (latencies_.size() * percent + 99) / 100;
    return static_cast<double>(latencies_[std::max<std::size_t>(rank, 1) - 1]) / 1000.0;
  }

  const bool colour_;
  std::mutex mutex_;
  std::vector<std::int64_t> latencies_;  // microseconds
};

struct Options {
  std::string path;
  std::optional<std::uint32_t> seconds;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      const std::string_view text = argv[++i];
      std::uint32_t seconds = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
      if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
      }
      options.seconds = seconds;
    } else if (options.path.empty() && !argument.starts_with("-")) {
      options.path = argument;
    } else {
      return std::nullopt;
    }
  }
  return options.path.empty() ? std::nullopt : std::optional(options);
}

// Waits for SIGINT or SIGTERM, or for the time to be over.
void wait_for_end(const sigset_t& signals, std::optional<std::uint32_t> seconds) {
  if (!seconds) {
    int signal = 0;
    sigwait(&signals, &signal);
    return;
  }
  timespec duration{};
  duration.tv_sec = static_cast<std::time_t>(*seconds);
  sigtimedwait(&signals, nullptr, &duration);
}

void watch(const Options& options) {
  // Blocked before the library starts threads, which inherit it: only wait_for_end() gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Display display(isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr);
  ustream::RealtimeStreamPackage shop;
  shop.init("sqlite:" + options.path);
  const ustream::Subscription orders =
      shop.on("orders", [&display](const ustream::Document& row, const ustream::ChangeMeta& meta) {
        display.show(row, meta);
      });
  shop.start();
  wait_for_end(signals, options.seconds);
  shop.stop();
  display.summarise();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = parse(argc, argv);
    if (!options) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    watch(*options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "live-orders: %s\n", error.what());
    return 1;
  }
}
