// watch: changes as they commit.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ustream/package.hpp"

#include "app/change_printer.hpp"
#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/quiet_memory.hpp"
#include "app/signals.hpp"
#include "app/whole_number.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "stream/offset_store.hpp"

namespace ustream::app {
namespace {

using Clock = std::chrono::steady_clock;

// Standard output holds back the source, so little has to wait in between.
constexpr std::size_t kQueueChanges = 1024;
constexpr std::size_t kSourceQueueChanges = 1024;
constexpr std::size_t kSourceQueueBytes = 1ULL << 20;
constexpr std::size_t kQueueBytes = 1U << 20U;
// What waits may take 5 s to be handed over to a reader that reads; this is for what else may hang.
constexpr unsigned kStopSeconds = 8;
// How long a signal waits for a database that keeps the start waiting.
constexpr unsigned kStartSeconds = 1;

struct WatchArguments {
  std::string url;
  std::vector<std::string> collections;
  std::optional<std::string> filter;
  std::optional<std::string> fields;
  bool snapshot = false;
  std::optional<std::string> since;
  std::optional<std::string> resume;
  std::optional<std::uint64_t> batch;
  std::uint64_t batch_ms = 1000;
  std::uint64_t debounce_ms = 0;
  std::optional<std::uint64_t> count;
  std::optional<std::string> duration;
};

/// How the watch ends, told once by any thread.
class Ending {
 public:
  Ending() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) {
      throw Error(ErrorKind::internal, "eventfd is not available");
    }
  }
  /// Readable once it was told.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  void finish() { tell(std::nullopt); }
  void fail(const Error& error) { tell(error); }
  [[nodiscard]] std::optional<Error> error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  void tell(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(told_, true)) {
      error_ = std::move(error);
      const std::uint64_t one = 1;
      (void)!::write(fd_.get(), &one, sizeof one);
    }
  }

  base::UniqueFd fd_;
  mutable std::mutex mutex_;
  bool told_ = false;
  std::optional<Error> error_;
};

/// While one lives, a signal ends the program soon, although this thread waits for the database: no
/// position was stored yet that would have to be moved.
class EndsBlockedStart {
 public:
  explicit EndsBlockedStart(int signals)
      : over_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this, signals] {
          std::array<pollfd, 2> fds{pollfd{signals, POLLIN, 0}, pollfd{over_.get(), POLLIN, 0}};
          ::poll(fds.data(), fds.size(), -1);
          if (fds[0].revents != 0 && fds[1].revents == 0) {
            end_after(kStartSeconds);
          }
        }) {}
  ~EndsBlockedStart() {
    const std::uint64_t one = 1;
    (void)!::write(over_.get(), &one, sizeof one);
  }
  EndsBlockedStart(const EndsBlockedStart&) = delete;
  EndsBlockedStart& operator=(const EndsBlockedStart&) = delete;

 private:
  base::UniqueFd over_;
  std::jthread thread_;
};

/// While one lives, the program ends once nobody takes its output any more: what is not written is
/// not stored as a position either.
class EndsUnreadOutput {
 public:
  EndsUnreadOutput() : thread_([](const std::stop_token& stop) { look(stop); }) {}

 private:
  static void look(const std::stop_token& stop) {
    constexpr int kSliceMs = 20;
    constexpr int kPatience = 50;  // slices
    for (int full = 0; !stop.stop_requested() && full < kPatience;) {
      pollfd output{STDOUT_FILENO, POLLOUT, 0};
      if (::poll(&output, 1, kSliceMs) == 0) {
        ++full;
      } else {
        full = 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(kSliceMs));
      }
    }
    if (!stop.stop_requested()) {
      WritingLine::give_up();
    }
  }

  std::jthread thread_;
};

std::chrono::microseconds duration_of(const char* option, const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const ValidationError& error) {
    throw ValidationError(std::string(option) + ": " + error.what());
  }
}

class Watch {
 public:
  Watch(const WatchArguments& arguments, const Globals& globals)
      : arguments_(arguments),
        globals_(globals),
        log_(globals.log_level),
        printer_(standard_output(globals),
                 {parse_fields(arguments.fields), arguments.batch.has_value(), arguments.count}) {
    if (arguments.resume) {
      if (arguments.resume->empty()) {
        throw ValidationError("--resume wants the name of a file");
      }
      check_writable(*arguments.resume);
      store_.emplace(*arguments.resume);
    }
  }

  int run() {
    const SourceConfig config = source_config(arguments_.url, globals_);
    SubscriptionOptions options = subscription_options();
    std::optional<Clock::time_point> deadline;
    if (arguments_.duration) {
      deadline = Clock::now() + duration_of("--for", *arguments_.duration);
    }
    package_.on_event([this](const StreamEvent& event) { on_event(event); });
    try {
      const EndsBlockedStart guard(signals_.fd());
      begin(config, std::move(options));
    } catch (const Error& error) {
      ending_.fail(error);
    }
    wait(deadline);
    return stop();
  }

 private:
  void begin(const SourceConfig& config, SubscriptionOptions options) {
    package_.init(config, package_options());
    check_stored_position();
    subscription_ = package_.subscribe(
        arguments_.collections, std::move(options),
        [this](std::span<const Delivery> deliveries) { on_deliveries(deliveries); });
    package_.start();
  }

  /// A position of another kind of database is no mistake in the command line: it is of no use.
  void check_stored_position() {
    const auto stored = store_ ? store_->load() : std::nullopt;
    const std::string_view source = package_.connector().name();
    if (stored && stored->origin().source != source) {
      throw StreamingError("the position in " + *arguments_.resume + " is one of " +
                               stored->origin().source + ", the source is " + std::string(source),
                           ErrorKind::history_lost, RetryAdvice::resnapshot);
    }
  }

  /// Told now, rather than when there is a position to store.
  static void check_writable(const std::filesystem::path& file) {
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    const bool exists = ::access(file.c_str(), F_OK) == 0;
    if (::access(exists ? file.c_str() : folder.c_str(), W_OK) != 0) {
      throw ValidationError("the file of --resume cannot be written: " + file.string());
    }
  }

  [[nodiscard]] SubscriptionOptions subscription_options() {
    SubscriptionOptions options;
    if (arguments_.filter) {
      options.filter = Filter::parse(std::string_view(*arguments_.filter));
    }
    options.fields = parse_fields(arguments_.fields);
    options.slow_policy = SlowPolicy::block;
    options.queue_capacity = kQueueChanges;
    options.queue_bytes = kQueueBytes;
    options.debounce = std::chrono::milliseconds(arguments_.debounce_ms);
    options.batch_size = static_cast<std::size_t>(arguments_.batch.value_or(0));
    options.batch_timeout = std::chrono::milliseconds(arguments_.batch_ms);
    options.durable = store_.has_value();
    if (arguments_.since) {
      options.since = Position::parse(*arguments_.since);
    }
    options.snapshot = arguments_.snapshot;
    // A stored position wins: what came before it has been printed.
    if (store_ && store_->load()) {
      options.since = {};
      options.snapshot = false;
    }
    return options;
  }

  [[nodiscard]] PackageOptions package_options() const {
    PackageOptions options;
    options.offset_file = arguments_.resume.value_or(std::string());
    options.heartbeat_interval = {};
    options.source_queue = kSourceQueueChanges;
    options.source_queue_bytes = kSourceQueueBytes;
    options.delivery_threads = 1;
    options.max_delivery_threads = 1;
    if (goes_on()) {
      options.on_history_lost = HistoryLostPolicy::fail;
    }
    return options;
  }

  /// Whether somebody relies on getting everything since an earlier time.
  [[nodiscard]] bool goes_on() const { return arguments_.since || arguments_.resume; }

  void on_deliveries(std::span<const Delivery> deliveries) {
    memory_.noticed();
    try {
      printer_.print(deliveries);
    } catch (const OutputClosed&) {
      end(std::nullopt);
    } catch (const Error& error) {
      end(error);
    } catch (const std::exception& error) {
      end(Error(ErrorKind::internal, error.what()));
    }
    if (printer_.history_lost() && goes_on()) {
      end(StreamingError(*printer_.history_lost(), ErrorKind::history_lost,
                         RetryAdvice::resnapshot));
    } else if (printer_.complete()) {
      end(std::nullopt);
    }
  }

  // From within the callback: what was not printed is not to count as processed, so the
  // subscription ends before the callback returns.
  void end(const std::optional<Error>& error) {
    subscription_.unsubscribe();
    if (error) {
      ending_.fail(*error);
    } else {
      ending_.finish();
    }
  }

  void on_event(const StreamEvent& event) {
    const LogLevel level = level_of(event.type);
    if (log_.enabled(level)) {
      std::string text(to_string(event.type));
      if (!event.message.empty()) {
        text += ": " + redacted(event.message);
      }
      log_.log(level, text);
    }
    if (event.type == StreamEvent::Type::failed) {
      ending_.fail(Error(event.error.value_or(ErrorKind::streaming), event.message));
    }
  }

  static LogLevel level_of(StreamEvent::Type type) {
    switch (type) {
      case StreamEvent::Type::disconnected:
      case StreamEvent::Type::reconnecting:
      case StreamEvent::Type::error:
      case StreamEvent::Type::connection_lost:
      case StreamEvent::Type::resync:
      case StreamEvent::Type::quarantine:
        return LogLevel::warn;
      case StreamEvent::Type::failed:
        return LogLevel::debug;  // the program's last line says it
      default:
        return LogLevel::info;
    }
  }

  /// Waits for a signal, the end, the deadline, or until nobody reads the output any more.
  void wait(std::optional<Clock::time_point> deadline) {
    std::array<pollfd, 4> fds{pollfd{signals_.fd(), POLLIN, 0}, pollfd{ending_.fd(), POLLIN, 0},
                              pollfd{output_pipe(), 0, 0}, pollfd{memory_.fd(), POLLIN, 0}};
    for (;;) {
      const auto tick = memory_.next();
      const auto wake = tick && (!deadline || *tick < *deadline) ? tick : deadline;
      ::poll(fds.data(), fds.size(), wake ? milliseconds_until(*wake) : -1);
      if (fds[0].revents != 0 || fds[1].revents != 0 || fds[2].revents != 0 ||
          (deadline && Clock::now() >= *deadline)) {
        return;
      }
      if (fds[3].revents != 0 || (tick && Clock::now() >= *tick)) {
        memory_.tick();
      }
    }
  }

  static int milliseconds_until(Clock::time_point when) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
  }

  /// Standard output, if poll can tell that its reader is gone; -1 is ignored by poll.
  static int output_pipe() {
    struct stat status{};
    const bool is_pipe = ::fstat(STDOUT_FILENO, &status) == 0 &&
                         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
    return is_pipe ? STDOUT_FILENO : -1;
  }

  int stop() {
    end_after(kStopSeconds);
    const EndsUnreadOutput guard;
    package_.stop();
    store_exact_position();
    package_.destroy();
    const auto error = ending_.error();
    if (!error) {
      return done;
    }
    print_error(error->kind() == ErrorKind::history_lost ? with_advice(*error) : *error, globals_);
    return exit_code(error->kind());
  }

  /// A watch that ended by its count may stand in the middle of what was handed over together.
  void store_exact_position() const {
    if (store_ && printer_.complete() && printer_.written() && arguments_.debounce_ms == 0) {
      store_->store(printer_.written());
    }
  }

  /// One line which says how to start over.
  [[nodiscard]] Error with_advice(const Error& error) const {
    std::string text = error.what();
    text += "; changes are missing, so start over with a snapshot: ";
    text += arguments_.resume
                ? "remove " + *arguments_.resume + " and run the command with --snapshot"
                : "run the command with --snapshot and without --since";
    return Error(error.kind(), text, error.retry_advice(), error.where(), error.detail());
  }

  const WatchArguments& arguments_;
  const Globals& globals_;
  StopSignals signals_;  // before anything starts a thread
  base::Logger log_;
  Ending ending_;
  QuietMemory memory_;
  ChangePrinter printer_;
  std::optional<stream::OffsetStore> store_;
  RealtimeStreamPackage package_;
  Subscription subscription_;
};

constexpr const char* kFooter =
    "Prints {\"ready\":{\"cursor\":…}} once changes follow, after the snapshot's rows if asked "
    "for,\n"
    "then a change a line. --resume FILE stores the position in FILE after the lines before it "
    "are\n"
    "written, and goes on from it the next time; the first time it starts from now, from --since,\n"
    "or with --snapshot, which a FILE that is there makes needless. A line may come twice after a\n"
    "crash, never not at all.\n"
    "Exit code 5 when the position of --resume or --since is no longer in the source's history.";

void add_options(CLI::App& command, WatchArguments& arguments) {
  command.add_option("URL", arguments.url, kUrlHelp)->required();
  command.add_option("COLLECTION", arguments.collections, "tables or collections")->required();
  command
      .add_option("--filter", arguments.filter,
                  "only rows that match; one that enters is told as c, one that leaves as d")
      ->type_name("JSON");
  command.add_option("--fields", arguments.fields, "only these fields, with commas between")
      ->type_name("A,B");
  auto* snapshot =
      command.add_flag("--snapshot", arguments.snapshot, "first print the rows there are, as op r");
  command.add_option("--since", arguments.since, "what came after this cursor")
      ->type_name("CURSOR")
      ->excludes(snapshot);
  command
      .add_option("--resume", arguments.resume, "store the position in this file; go on from it")
      ->type_name("FILE");
  auto* batch =
      command.add_option("--batch", arguments.batch, "an array of up to N changes a line")
          ->type_name("N")
          ->check(whole_number(1, 1'000'000));
  command
      .add_option("--batch-ms", arguments.batch_ms, "a batch waits at most so long (default 1000)")
      ->type_name("MS")
      ->check(whole_number(0, 86'400'000))
      ->needs(batch);
  command
      .add_option("--debounce", arguments.debounce_ms,
                  "the newest change of a key, once it was quiet for so long")
      ->type_name("MS")
      ->check(whole_number(0, 86'400'000));
  command.add_option("--count", arguments.count, "end after N changes, snapshot rows included")
      ->type_name("N")
      ->check(whole_number(1));
  command.add_option("--for", arguments.duration, "end after this time: 500ms, 10s, 5m, 1h")
      ->type_name("DURATION");
  command.footer(kFooter);
}

}  // namespace

void add_watch_command(CLI::App& root, Action& action) {
  auto arguments = std::make_shared<WatchArguments>();
  add_options(*root.add_subcommand("watch", "Print changes as they commit"), *arguments);
  root.get_subcommand("watch")->callback([&action, arguments] {
    action = [arguments](const Globals& globals) { return Watch(*arguments, globals).run(); };
  });
}

}  // namespace ustream::app
