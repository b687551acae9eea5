// The changes of a MySQL or MariaDB database, out of its binlog.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ustream/connector.hpp"

#include "base/log.hpp"
#include "connectors/mysql/binlog_decoder.hpp"
#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/client.hpp"
#include "connectors/mysql/options.hpp"

namespace ustream::mysql {

/// The union of collections that somebody watches. Any thread.
class WatchedTables {
 public:
  using Names = std::set<std::string, std::less<>>;
  void add(const std::vector<std::string>& names);
  [[nodiscard]] std::shared_ptr<const Names> names() const;
  /// Grows with every table that is added.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Names> names_ = std::make_shared<const Names>();
  std::atomic<std::uint64_t> version_{1};
};

/// Reads the binlog as a replica does: one connection for run(), one for each replay(). Nothing is
/// made in the database.
class MysqlChangeSource final : public ChangeSource {
 public:
  /// `catalog` and `logger` outlive the source.
  MysqlChangeSource(Options options, Catalog& catalog, const base::Logger& logger);
  ~MysqlChangeSource() override;

  Position watch(const std::vector<std::string>& collections) override;
  [[nodiscard]] Position current() override;
  void run(const Position& from, ChangeSink& sink, const std::stop_token& stop) override;
  bool replay(const Position& from, const Position& until, ChangeSink& sink,
              const std::stop_token& stop) override;
  /// As the server's binlog_row_image says.
  [[nodiscard]] bool has_before_images() const override { return has_before_images_.load(); }

  void close() noexcept;

 private:
  class Host;
  class Reading;
  /// REQUIRES mutex_. Connects when there is no usable connection.
  Client& client();
  [[nodiscard]] TablePtr definition(const TableName& table);

  const Options options_;
  Catalog& catalog_;
  const base::Logger& logger_;
  WatchedTables watched_;
  std::atomic<bool> has_before_images_{true};
  std::mutex mutex_;
  std::unique_ptr<Client> client_;  // guarded by mutex_
};

}  // namespace ustream::mysql
