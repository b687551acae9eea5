// A bounded pool of connections for data calls.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/catalog.hpp"
#include "connectors/sqlite/database.hpp"
#include "connectors/sqlite/dialect.hpp"
#include "connectors/sqlite/options.hpp"

namespace ustream::sqlite {

/// A connection with what it knows of the schema.
class Connection {
 public:
  explicit Connection(const Options& options)
      : file(FileIdentity::of(options.path)),
        database(options.path, options.access, options.busy_timeout, Workload::writing),
        dialect(database.query_text("PRAGMA encoding") == "UTF-8" ? TextEncoding::utf8
                                                                  : TextEncoding::utf16) {}

  FileIdentity file;
  Database database;
  SqliteDialect dialect;
  Catalog catalog;

  /// The end of the change log as this connection's transaction sees it. REQUIRES an open
  /// transaction. Without a log it is a position that no stream knows.
  [[nodiscard]] Position position();

 private:
  std::shared_ptr<const PositionOrigin> origin_;
};

/// Any thread.
class ConnectionPool {
 public:
  explicit ConnectionPool(Options options) : options_(std::move(options)) {}

  /// Returns its connection to the pool when it goes.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection) noexcept
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Connection* operator->() const noexcept { return connection_.get(); }
    Connection& operator*() const noexcept { return *connection_; }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Waits at most the busy timeout for a free connection, then throws Error(busy).
  [[nodiscard]] Lease lease();
  /// Closes the idle connections; new ones open when needed.
  void release_idle() noexcept;
  /// Closes the idle connections for good; leased ones close when they come back.
  void close() noexcept;

 private:
  void give_back(std::unique_ptr<Connection> connection) noexcept;

  Options options_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;
  bool closed_ = false;
};

}  // namespace ustream::sqlite
