#include "package/session.hpp"

#include <string>

namespace ustream::package {
namespace {

stream::EngineOptions engine_options(const SourceConfig& config, const PackageOptions& options) {
  stream::EngineOptions result;
  result.path.retry = config.retry;
  result.path.on_history_lost = options.on_history_lost == HistoryLostPolicy::fail
                                    ? stream::OnHistoryLost::fail
                                    : stream::OnHistoryLost::resync;
  result.path.queue_changes = options.source_queue;
  result.path.queue_bytes = options.source_queue_bytes;
  result.pool.threads = options.delivery_threads;
  result.pool.max_threads = options.max_delivery_threads;
  result.offset_file = options.offset_file;
  result.offset_interval = options.offset_interval;
  return result;
}

/// Closes the connector when what follows open() fails.
class CloseUnless {
 public:
  explicit CloseUnless(BaseConnector& connector) noexcept : connector_(&connector) {}
  CloseUnless(const CloseUnless&) = delete;
  CloseUnless& operator=(const CloseUnless&) = delete;
  ~CloseUnless() {
    if (connector_ != nullptr) {
      connector_->close();
    }
  }
  void keep_open() noexcept { connector_ = nullptr; }

 private:
  BaseConnector* connector_;
};

}  // namespace

Session::Session(std::unique_ptr<BaseConnector> connector, const SourceConfig& config,
                 const PackageOptions& options, EventCallback on_event)
    : connector_(std::move(connector)), options_(options) {
  CloseUnless guard(*connector_);
  connector_->open();
  if (connector_->change_source() != nullptr) {
    engine_ = std::make_unique<stream::StreamEngine>(*connector_, engine_options(config, options),
                                                     on_event);
  }
  if (options.heartbeat_interval.count() > 0) {
    heartbeat_ = std::make_unique<HeartbeatSystem>(
        [this] { connector_->ping(); },
        [this, on_event = std::move(on_event)](const StreamEvent& event) {
          if (event.type == StreamEvent::Type::connection_lost) {
            lost_ = true;
          } else if (event.type == StreamEvent::Type::reconnected) {
            lost_ = false;
          }
          on_event(event);
        },
        HeartbeatOptions{.interval = options.heartbeat_interval});
  }
  guard.keep_open();
}

Session::~Session() {
  heartbeat_.reset();
  engine_.reset();
  connector_->close();
}

void Session::start() {
  engine().start();
  if (heartbeat_) {
    heartbeat_->start();
  }
}

void Session::stop() {
  if (heartbeat_) {
    heartbeat_->stop();
  }
  if (engine_) {
    engine_->stop();
  }
}

stream::StreamEngine& Session::engine() {
  if (!engine_) {
    throw Error(ErrorKind::unsupported,
                "the connector '" + std::string(connector_->name()) + "' cannot stream changes");
  }
  return *engine_;
}

void Session::nudge() noexcept {
  if (auto* source = connector_->change_source()) {
    source->nudge();
  }
}

SessionSlot::Lease::~Lease() {
  if (slot_ == nullptr) {
    return;
  }
  const std::lock_guard lock(slot_->mutex_);
  if (--slot_->leases_ == 0) {
    slot_->returned_.notify_all();
  }
}

SessionSlot::Lease SessionSlot::lease() {
  if (auto given = try_lease()) {
    return std::move(*given);
  }
  throw ValidationError("call init() first");
}

std::optional<SessionSlot::Lease> SessionSlot::try_lease() {
  const std::lock_guard lock(mutex_);
  if (!session_ || closing_) {
    return std::nullopt;
  }
  ++leases_;
  return Lease(*this, *session_);
}

void SessionSlot::put(std::unique_ptr<Session> session) {
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
}

std::unique_ptr<Session> SessionSlot::take() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  returned_.wait(lock, [&] { return leases_ == 0; });
  closing_ = false;
  return std::move(session_);
}

}  // namespace ustream::package
