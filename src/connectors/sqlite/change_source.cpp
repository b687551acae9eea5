#include "connectors/sqlite/change_source.hpp"

#include <algorithm>

#include <sys/prctl.h>

#include "connectors/sqlite/log_reader.hpp"

namespace ustream::sqlite {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr microseconds kFirstRecheck{50};
constexpr microseconds kLastRecheck{50'000};
constexpr std::int64_t kTrimChunk = 2000;
constexpr int kTrimChunksAtOnce = 10;

std::int64_t data_version(Database& database) {
  return database.query_int64("PRAGMA data_version");
}
std::int64_t schema_version(Database& database) {
  return database.query_int64("PRAGMA main.schema_version");
}

}  // namespace

SqliteChangeSource::SqliteChangeSource(Options options, const base::Logger& logger)
    : options_(std::move(options)), logger_(logger), files_(options_.path) {
  if (!files_.watching()) {
    logger_.warn(
        "the system grants no file watch (fs.inotify.max_user_watches); changes are found by "
        "polling every ",
        options_.polling_interval.count(), " ms");
  }
}

Database& SqliteChangeSource::maintenance() {
  if (const FileIdentity file = FileIdentity::of(options_.path);
      !maintenance_ || maintenance_file_ != file) {
    maintenance_file_ = file;
    maintenance_ =
        std::make_unique<Database>(options_.path, options_.access, options_.busy_timeout);
  }
  return *maintenance_;
}

void SqliteChangeSource::close() noexcept {
  const std::lock_guard lock(mutex_);
  maintenance_.reset();
}

SqliteChangeSource::Tables SqliteChangeSource::tables() {
  const std::lock_guard lock(mutex_);
  return tables_;
}

Position SqliteChangeSource::watch(const std::vector<std::string>& collections) {
  const std::lock_guard lock(mutex_);
  Capture capture(maintenance());
  for (const std::string& note : capture.install(collections)) {
    logger_.info(options_.path, ": ", note);
  }
  tables_.insert(collections.begin(), collections.end());
  return LogReader(maintenance()).end();
}

Position SqliteChangeSource::current() {
  const std::lock_guard lock(mutex_);
  if (!Catalog().has_log(maintenance())) {
    // Nothing was watched yet, or the file was replaced and the new one needs the capture.
    Capture(maintenance()).install({tables_.begin(), tables_.end()});
  }
  Position now = LogReader(maintenance()).end();
  if (!first_current_ || !first_current_.comparable(now) || now.compare(first_current_) < 0) {
    first_current_ = now;
  }
  return now;
}

bool SqliteChangeSource::began_here(const Position& from) {
  const std::lock_guard lock(mutex_);
  return first_current_ && first_current_.comparable(from) && first_current_.compare(from) <= 0;
}

void SqliteChangeSource::check_schema(Database& reader, std::int64_t& known_version) {
  const std::int64_t version = schema_version(reader);
  if (version == known_version) {
    return;
  }
  try {
    const std::lock_guard lock(mutex_);
    if (Capture(maintenance()).verify({tables_.begin(), tables_.end()})) {
      logger_.info(options_.path,
                   ": a watched table's definition changed; its capture was renewed");
      files_.nudge();
    }
    known_version = version;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::busy) {
      throw;
    }
    logger_.debug(options_.path, ": busy while the capture is checked; trying again");
  }
}

void SqliteChangeSource::trim() {
  const std::lock_guard lock(mutex_);
  Database& database = maintenance();
  Capture capture(database);
  // Writers come first: when one holds the lock, the next round will do.
  database.set_busy_timeout(std::chrono::milliseconds(0));
  try {
    for (int i = 0; i < kTrimChunksAtOnce; ++i) {
      if (capture.trim(static_cast<double>(options_.log_max_age.count()), options_.log_max_rows,
                       kTrimChunk) < kTrimChunk) {
        break;
      }
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::busy) {
      logger_.warn(options_.path, ": the change log could not be trimmed: ", error.what());
    }
  }
  database.set_busy_timeout(options_.busy_timeout);
}

FileWatch::Wake SqliteChangeSource::wait(Database& reader, std::int64_t seen, FileWatch::Wake last,
                                         const std::stop_token& stop) {
  using Wake = FileWatch::Wake;
  // Activity that was noticed together with the last commit may have been that of the next one,
  // still being written: it will not be told again.
  Wake wake = last == Wake::activity ? last : files_.wait(options_.polling_interval);
  microseconds interval = kFirstRecheck;
  while (!stop.stop_requested()) {
    if (wake == Wake::replaced) {
      throw ConnectionError("the database file was moved, replaced or deleted", RetryAdvice::retry,
                            "sqlite:" + options_.path);
    }
    if (data_version(reader) != seen) {
      return wake;
    }
    if (interval > kLastRecheck) {
      break;
    }
    wake = files_.wait(interval);
    interval = wake == Wake::activity ? kFirstRecheck : interval * 11 / 10;
  }
  return Wake::timeout;
}

void SqliteChangeSource::run(const Position& from, ChangeSink& sink, const std::stop_token& stop) {
  // The kernel may round a wake-up by this much; its default of 50 µs would double the first
  // re-checks.
  ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  const std::stop_callback wake_on_stop(stop, [this] { files_.nudge(); });
  files_.rebind();
  Database database(options_.path, Access::read_write, options_.busy_timeout);
  LogReader reader(database);
  reader.check(from);
  // From a moment that this source named itself nobody expects changes of a table that was watched
  // later; from a stored position somebody does.
  if (!began_here(from)) {
    for (const Resync& late : reader.captured_later(from, tables())) {
      throw StreamingError(late.message, ErrorKind::history_lost, RetryAdvice::resnapshot);
    }
  }
  LogPlace place = parse_place(from);
  std::int64_t known_schema = -1;
  FileWatch::Wake last = FileWatch::Wake::activity;
  auto next_trim = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    const std::int64_t seen = data_version(database);
    if (reader.origin()->epoch != from.origin().epoch) {
      throw StreamingError("the capture of changes was removed and made anew",
                           ErrorKind::history_lost, RetryAdvice::resnapshot,
                           "sqlite:" + options_.path);
    }
    if (!reader.read_group(place, 0, tables(), sink, stop)) {
      return;
    }
    sink.caught_up(make_position(reader.origin(), place.seq, place.sub));
    check_schema(database, known_schema);
    if (const auto now = std::chrono::steady_clock::now(); now >= next_trim) {
      trim();
      next_trim = now + std::chrono::seconds(1);
    }
    last = wait(database, seen, last, stop);
  }
}

bool SqliteChangeSource::replay(const Position& from, const Position& until, ChangeSink& sink,
                                const std::stop_token& stop) {
  Database database(options_.path, Access::read_write, options_.busy_timeout);
  LogReader reader(database);
  reader.check(from);
  // Who waits for other tables than these has lost nothing.
  auto late = std::make_shared<ChangeBatch>();
  for (Resync& table : reader.captured_later(from, tables())) {
    late->notices.push_back({0, std::move(table)});
  }
  if (!late->notices.empty() && !sink.deliver(std::move(late))) {
    return false;
  }
  LogPlace place = parse_place(from);
  const LogPlace end = parse_place(until);
  return end.seq <= place.seq || reader.read_group(place, end.seq, tables(), sink, stop);
}

}  // namespace ustream::sqlite
