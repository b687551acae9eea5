#include "connectors/sqlite/pool.hpp"

namespace ustream::sqlite {

Position Connection::position() {
  if (!catalog.has_log(database)) {
    return make_position(make_origin({}), 0, kBoundarySub);
  }
  const std::string epoch =
      database.query_text("SELECT value FROM _ustream_meta WHERE name = 'epoch'");
  if (!origin_ || origin_->epoch != epoch) {
    origin_ = make_origin(epoch);
  }
  return make_position(origin_, database.query_int64("SELECT max(seq) FROM _ustream_log"),
                       kBoundarySub);
}

ConnectionPool::Lease::~Lease() {
  if (connection_) {
    pool_->give_back(std::move(connection_));
  }
}

ConnectionPool::Lease ConnectionPool::lease() {
  std::unique_lock lock(mutex_);
  const bool free = returned_.wait_for(lock, options_.busy_timeout, [&] {
    return closed_ || !idle_.empty() || open_ < options_.pool_size;
  });
  if (closed_) {
    throw ConnectionError("the source is closed", RetryAdvice::never, "sqlite:" + options_.path);
  }
  if (!free) {
    throw Error(ErrorKind::busy,
                "all " + std::to_string(options_.pool_size) +
                    " connections are in use; try again or raise pool_size",
                RetryAdvice::retry, "sqlite:" + options_.path);
  }
  const FileIdentity file = FileIdentity::of(options_.path);
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->file == file) {
      return {*this, std::move(connection)};
    }
    --open_;
  }
  ++open_;
  lock.unlock();
  try {
    return {*this, std::make_unique<Connection>(options_)};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!connection || closed_ || connection->database.in_transaction()) {
      // In a transaction it would block others for ever; closing rolls back.
      --open_;
    } else {
      idle_.push_back(std::move(connection));
    }
  }
  returned_.notify_one();
}

void ConnectionPool::release_idle() noexcept {
  const std::lock_guard lock(mutex_);
  open_ -= idle_.size();
  idle_.clear();
  returned_.notify_all();
}

void ConnectionPool::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  open_ -= idle_.size();
  idle_.clear();
  returned_.notify_all();
}

}  // namespace ustream::sqlite
