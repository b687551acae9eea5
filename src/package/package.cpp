#include "ustream/package.hpp"

#include <atomic>
#include <mutex>
#include <utility>

#include "package/facets.hpp"
#include "package/listener.hpp"
#include "package/session.hpp"

namespace ustream {

using package::SessionSlot;

std::string_view to_string(ChangeType type) noexcept {
  switch (type) {
    case ChangeType::created:
      return "created";
    case ChangeType::updated:
      return "updated";
    case ChangeType::deleted:
      break;
  }
  return "deleted";
}

struct RealtimeStreamPackage::Impl {
  explicit Impl(ConnectorRegistry connectors) : registry(std::move(connectors)) {}

  const ConnectorRegistry registry;
  std::mutex lifecycle;  // init, start, stop, destroy
  SessionSlot session;

  std::mutex events_mutex;
  std::shared_ptr<const std::vector<EventCallback>> event_callbacks =
      std::make_shared<std::vector<EventCallback>>();

  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> deletes{0};
  std::atomic<std::uint64_t> queries{0};
  std::atomic<std::uint64_t> listener_errors{0};

  void emit(const StreamEvent& event) {
    std::shared_ptr<const std::vector<EventCallback>> callbacks;
    {
      const std::lock_guard lock(events_mutex);
      callbacks = event_callbacks;
    }
    for (const auto& callback : *callbacks) {
      try {
        callback(event);
      } catch (...) {
        // One callback's exception is not another's, and there is nobody to tell it to.
      }
    }
  }

  void tell_listener_error(const Change& change, const char* what) {
    listener_errors.fetch_add(1, std::memory_order_relaxed);
    StreamEvent event;
    event.type = StreamEvent::Type::error;
    event.message = std::string("a callback threw: ") + what;
    event.error = ErrorKind::internal;
    event.collection = change.collection();
    event.position = change.position;
    emit(event);
  }

  [[nodiscard]] SubscriptionOptions subscription_options(const ListenOptions& options,
                                                         const package::Session& open) const {
    SubscriptionOptions result;
    result.filter = options.filter;
    result.snapshot = options.snapshot;
    result.since = options.since;
    result.slow_policy = options.slow_policy;
    result.queue_capacity = options.queue_capacity;
    result.debounce = options.debounce;
    result.durable = !open.options().offset_file.empty();
    return result;
  }

  void count(const std::vector<BulkOperation>& operations) {
    for (const auto& operation : operations) {
      (operation.data ? writes : deletes).fetch_add(1, std::memory_order_relaxed);
    }
  }
};

RealtimeStreamPackage::RealtimeStreamPackage() : RealtimeStreamPackage(builtin_connectors()) {}

RealtimeStreamPackage::RealtimeStreamPackage(ConnectorRegistry registry)
    : impl_(std::make_unique<Impl>(std::move(registry))) {}

RealtimeStreamPackage::~RealtimeStreamPackage() {
  destroy();
}

void RealtimeStreamPackage::init(std::string_view url, const PackageOptions& options) {
  init(SourceConfig::from_url(url), options);
}

void RealtimeStreamPackage::init(const SourceConfig& config, const PackageOptions& options) {
  const std::lock_guard lock(impl_->lifecycle);
  if (impl_->session.try_lease()) {
    throw ValidationError("init() was called before; call destroy() first");
  }
  impl_->session.put(std::make_unique<package::Session>(
      impl_->registry.create(config), config, options,
      [impl = impl_.get()](const StreamEvent& event) { impl->emit(event); }));
}

void RealtimeStreamPackage::start() {
  const std::lock_guard lock(impl_->lifecycle);
  impl_->session.lease()->start();
}

void RealtimeStreamPackage::stop() {
  const std::lock_guard lock(impl_->lifecycle);
  if (const auto session = impl_->session.try_lease()) {
    (*session)->stop();
  }
}

void RealtimeStreamPackage::destroy() {
  const std::lock_guard lock(impl_->lifecycle);
  // Callbacks may still make data calls while the stream stops, so the session goes after that.
  if (const auto session = impl_->session.try_lease()) {
    (*session)->stop();
  }
  impl_->session.take().reset();
  const std::lock_guard events_lock(impl_->events_mutex);
  impl_->event_callbacks = std::make_shared<std::vector<EventCallback>>();
}

bool RealtimeStreamPackage::is_connected() const {
  const auto session = impl_->session.try_lease();
  if (!session || (*session)->lost()) {
    return false;
  }
  const auto* engine = (*session)->engine_or_null();
  const StreamState state = engine == nullptr ? StreamState::stopped : engine->state();
  return state == StreamState::stopped || state == StreamState::streaming;
}

PackageStats RealtimeStreamPackage::stats() const {
  PackageStats stats;
  stats.reads = impl_->reads.load(std::memory_order_relaxed);
  stats.writes = impl_->writes.load(std::memory_order_relaxed);
  stats.deletes = impl_->deletes.load(std::memory_order_relaxed);
  stats.queries = impl_->queries.load(std::memory_order_relaxed);
  stats.callback_errors = impl_->listener_errors.load(std::memory_order_relaxed);
  const auto session = impl_->session.try_lease();
  if (!session || (*session)->engine_or_null() == nullptr) {
    return stats;
  }
  stream::EngineStats engine = (*session)->engine_or_null()->stats();
  stats.state = engine.state;
  stats.changes = engine.changes;
  stats.delivered = engine.delivered;
  stats.dropped = engine.dropped;
  stats.resyncs = engine.resyncs;
  stats.quarantined = engine.quarantined;
  stats.callback_errors += engine.callback_errors;
  stats.reconnects = engine.reconnects;
  stats.subscriptions = engine.subscriptions;
  stats.position = std::move(engine.position);
  return stats;
}

std::optional<Document> RealtimeStreamPackage::read(std::string_view collection,
                                                    std::string_view key) {
  const auto session = impl_->session.lease();
  impl_->reads.fetch_add(1, std::memory_order_relaxed);
  return package::require_crud(session->connector()).read(collection, key);
}

WriteResult RealtimeStreamPackage::write(std::string_view collection, std::string_view key,
                                         const Value::Object& data, WriteMode mode) {
  const auto session = impl_->session.lease();
  impl_->writes.fetch_add(1, std::memory_order_relaxed);
  auto result = package::require_crud(session->connector()).write(collection, key, data, mode);
  session->nudge();
  return result;
}

DeleteResult RealtimeStreamPackage::remove(std::string_view collection, std::string_view key) {
  const auto session = impl_->session.lease();
  impl_->deletes.fetch_add(1, std::memory_order_relaxed);
  auto result = package::require_crud(session->connector()).remove(collection, key);
  session->nudge();
  return result;
}

std::vector<Document> RealtimeStreamPackage::query(std::string_view collection,
                                                   const QueryOptions& options) {
  const auto session = impl_->session.lease();
  impl_->queries.fetch_add(1, std::memory_order_relaxed);
  std::vector<Document> rows;
  package::require_query(session->connector()).query(collection, options, [&](const Document& row) {
    rows.push_back(row);
    return true;
  });
  return rows;
}

std::uint64_t RealtimeStreamPackage::count(std::string_view collection, const Filter& filter) {
  const auto session = impl_->session.lease();
  impl_->queries.fetch_add(1, std::memory_order_relaxed);
  return package::require_query(session->connector()).count(collection, filter);
}

std::vector<Value::Object> RealtimeStreamPackage::aggregate(std::string_view collection,
                                                            const Pipeline& pipeline) {
  const auto session = impl_->session.lease();
  impl_->queries.fetch_add(1, std::memory_order_relaxed);
  return package::require_aggregator(session->connector()).aggregate(collection, pipeline);
}

BulkReport RealtimeStreamPackage::bulk_write(const std::vector<BulkOperation>& operations) {
  const auto session = impl_->session.lease();
  impl_->count(operations);
  auto report = package::require_crud(session->connector()).bulk(operations);
  session->nudge();
  return report;
}

Position RealtimeStreamPackage::transaction(const std::function<void(Transaction&)>& body) {
  const auto session = impl_->session.lease();
  Position position = package::require_transactor(session->connector()).transaction(body);
  session->nudge();
  return position;
}

Subscription RealtimeStreamPackage::on(std::string_view collection, ChangeCallback callback,
                                       ListenOptions options) {
  if (!callback) {
    throw ValidationError("on() needs a callback");
  }
  const auto session = impl_->session.lease();
  auto listener =
      package::make_listener(std::move(callback), std::move(options.fields),
                             [impl = impl_.get()](const Change& change, const char* what) {
                               impl->tell_listener_error(change, what);
                             });
  return session->engine().subscribe({std::string(collection)},
                                     impl_->subscription_options(options, *session),
                                     std::move(listener));
}

Subscription RealtimeStreamPackage::on_batch(std::string_view collection, BatchCallback callback,
                                             BatchOptions options) {
  if (!callback || options.batch_size == 0) {
    throw ValidationError("on_batch() needs a callback and a batch size of at least 1");
  }
  const auto session = impl_->session.lease();
  auto listener =
      package::make_batch_listener(std::move(callback), std::move(options.listen.fields));
  auto subscription = impl_->subscription_options(options.listen, *session);
  subscription.batch_size = options.batch_size;
  subscription.batch_timeout = options.batch_timeout;
  return session->engine().subscribe({std::string(collection)}, std::move(subscription),
                                     std::move(listener));
}

Subscription RealtimeStreamPackage::subscribe(std::vector<std::string> collections,
                                              SubscriptionOptions options,
                                              DeliveryCallback callback) {
  const auto session = impl_->session.lease();
  return session->engine().subscribe(std::move(collections), std::move(options),
                                     std::move(callback));
}

void RealtimeStreamPackage::off(std::string_view collection) {
  const auto session = impl_->session.lease();
  session->engine().unsubscribe_all(collection);
}

void RealtimeStreamPackage::on_event(EventCallback callback) {
  if (!callback) {
    throw ValidationError("on_event() needs a callback");
  }
  const std::lock_guard lock(impl_->events_mutex);
  auto callbacks = std::make_shared<std::vector<EventCallback>>(*impl_->event_callbacks);
  callbacks->push_back(std::move(callback));
  impl_->event_callbacks = std::move(callbacks);
}

BaseConnector& RealtimeStreamPackage::connector() {
  return impl_->session.lease()->connector();
}

}  // namespace ustream
