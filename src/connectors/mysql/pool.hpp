// A bounded pool of connections for data calls.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/client.hpp"
#include "connectors/mysql/options.hpp"
#include "connectors/mysql/prepared.hpp"

namespace ustream::mysql {

/// A connection with its statements and the tables that all connections of the source share.
class Connection {
 public:
  Connection(const Options& options, Catalog& tables)
      : client(options), statements(client), catalog(tables) {}

  Client client;
  StatementCache statements;
  Catalog& catalog;
};

/// Any thread.
class ConnectionPool {
 public:
  explicit ConnectionPool(Options options) : options_(std::move(options)) {}

  /// Returns its connection to the pool when it goes; one that is broken, or in a transaction that
  /// was left open, is closed.
  class Lease {
   public:
    Lease(ConnectionPool& pool, std::unique_ptr<Connection> connection, bool reused) noexcept
        : pool_(&pool), connection_(std::move(connection)), reused_(reused) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Connection* operator->() const noexcept { return connection_.get(); }
    Connection& operator*() const noexcept { return *connection_; }
    /// It was idle before, so that it may have died without anybody noticing.
    [[nodiscard]] bool reused() const noexcept { return reused_; }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<Connection> connection_;
    bool reused_;
  };

  /// Waits at most the timeout for a free connection, then throws Error(busy). Throws as Client
  /// does when it opens one.
  [[nodiscard]] Lease lease();
  /// Same, but a connection of its own age: for a call that must not meet a dead one again.
  [[nodiscard]] Lease lease_new();
  [[nodiscard]] Catalog& catalog() noexcept { return catalog_; }
  /// Closes the idle connections for good; leased ones close when they come back.
  void close() noexcept;

 private:
  [[nodiscard]] Lease open_one();
  void await_room(std::unique_lock<std::mutex>& lock);
  void give_back(std::unique_ptr<Connection> connection) noexcept;

  Options options_;
  Catalog catalog_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;
  bool closed_ = false;
};

}  // namespace ustream::mysql
