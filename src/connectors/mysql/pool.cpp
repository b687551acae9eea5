#include "connectors/mysql/pool.hpp"

#include "ustream/error.hpp"

namespace ustream::mysql {

ConnectionPool::Lease::~Lease() {
  if (connection_) {
    pool_->give_back(std::move(connection_));
  }
}

void ConnectionPool::await_room(std::unique_lock<std::mutex>& lock) {
  const bool free = returned_.wait_for(lock, options_.timeout, [&] {
    return closed_ || !idle_.empty() || open_ < options_.pool_size;
  });
  if (closed_) {
    throw ConnectionError("the source is closed", RetryAdvice::never, options_.display());
  }
  if (!free) {
    throw Error(ErrorKind::busy,
                "all " + std::to_string(options_.pool_size) +
                    " connections are in use; try again or raise pool_size",
                RetryAdvice::retry, options_.display());
  }
}

ConnectionPool::Lease ConnectionPool::lease() {
  std::vector<std::unique_ptr<Connection>> dead;  // closed after the lock is given up
  std::unique_lock lock(mutex_);
  await_room(lock);
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->client.is_stale()) {
      return {*this, std::move(connection), true};
    }
    dead.push_back(std::move(connection));
    --open_;
  }
  ++open_;
  lock.unlock();
  return open_one();
}

ConnectionPool::Lease ConnectionPool::lease_new() {
  std::vector<std::unique_ptr<Connection>> old;
  std::unique_lock lock(mutex_);
  await_room(lock);
  // When one died, the others that were idle as long are not better.
  old.swap(idle_);
  open_ -= old.size();
  ++open_;
  lock.unlock();
  returned_.notify_all();
  return open_one();
}

ConnectionPool::Lease ConnectionPool::open_one() {
  try {
    return {*this, std::make_unique<Connection>(options_, catalog_), false};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) noexcept {
  std::unique_ptr<Connection> dead;
  {
    const std::lock_guard lock(mutex_);
    if (!connection || closed_ || !connection->client.usable() ||
        connection->client.in_transaction()) {
      // In a transaction it would hold its locks for ever; closing rolls back.
      --open_;
      dead = std::move(connection);
    } else {
      idle_.push_back(std::move(connection));
    }
  }
  returned_.notify_one();
}

void ConnectionPool::close() noexcept {
  std::vector<std::unique_ptr<Connection>> old;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    open_ -= idle_.size();
    old.swap(idle_);
  }
  returned_.notify_all();
}

}  // namespace ustream::mysql
