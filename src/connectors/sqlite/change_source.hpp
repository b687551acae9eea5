// The ChangeSource facet: waits for commits of any process and reads the log.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ustream/connector.hpp"

#include "base/log.hpp"
#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/file_watch.hpp"
#include "connectors/sqlite/options.hpp"

namespace ustream::sqlite {

/// Thread rule as ChangeSource.
///
/// How it waits: inotify on the database and its write-ahead log wakes it when a commit is being
/// written. The commit becomes visible a little later, through shared memory which nobody can
/// watch, so after a wake-up PRAGMA data_version is looked at again and again, at intervals that
/// grow by a tenth from 50 µs to 50 ms; then only the slow poll (polling_interval) is left.
class SqliteChangeSource final : public ChangeSource {
 public:
  SqliteChangeSource(Options options, const base::Logger& logger);

  Position watch(const std::vector<std::string>& collections) override;
  [[nodiscard]] Position current() override;
  void run(const Position& from, ChangeSink& sink, const std::stop_token& stop) override;
  bool replay(const Position& from, const Position& until, ChangeSink& sink,
              const std::stop_token& stop) override;
  void nudge() noexcept override { files_.nudge(); }
  [[nodiscard]] bool has_before_images() const override { return true; }

  void close() noexcept;

 private:
  using Tables = std::set<std::string, std::less<>>;
  [[nodiscard]] Tables tables();
  /// The connection for capture; REQUIRES mutex_.
  [[nodiscard]] Database& maintenance();
  void check_schema(Database& reader, std::int64_t& known_version);
  void trim();
  /// Whether `from` is no earlier than the first position that current() told.
  [[nodiscard]] bool began_here(const Position& from);
  /// Returns when data_version moved, it is time to poll, or stop was requested: what woke it last,
  /// which is to be given as `last` to the next call.
  [[nodiscard]] FileWatch::Wake wait(Database& reader, std::int64_t data_version,
                                     FileWatch::Wake last, const std::stop_token& stop);

  Options options_;
  const base::Logger& logger_;
  FileWatch files_;
  std::mutex mutex_;
  std::unique_ptr<Database> maintenance_;  // guarded by mutex_
  FileIdentity maintenance_file_;          // guarded by mutex_
  Tables tables_;                          // guarded by mutex_
  Position first_current_;                 // guarded by mutex_
};

}  // namespace ustream::sqlite
