// RealtimeStreamPackage: the façade most applications use.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/change.hpp"
#include "ustream/config.hpp"
#include "ustream/connector.hpp"
#include "ustream/events.hpp"
#include "ustream/query.hpp"
#include "ustream/subscription.hpp"

namespace ustream {

enum class ChangeType : std::uint8_t { created, updated, deleted };
[[nodiscard]] std::string_view to_string(ChangeType type) noexcept;

/// What a change callback gets beside the row.
struct ChangeMeta {
  std::string key;  ///< empty without a primary key
  ChangeType change_type;
  Timestamp timestamp;   ///< the source's, or when it was read where the source has none
  const Change& change;  ///< everything else: before-image, position, transaction
};

/// The row after the change (before it, for a delete) and what happened.
using ChangeCallback = std::function<void(const Document& data, const ChangeMeta& meta)>;
struct BatchItem {
  Document data;
  std::string key;
  ChangeType change_type;
  Timestamp timestamp;
  Change change;
};
using BatchCallback = std::function<void(const std::vector<BatchItem>& items)>;

struct ListenOptions {
  Filter filter;
  std::vector<std::string> fields;  ///< `data` shows only these
  std::chrono::milliseconds debounce{0};
  SlowPolicy slow_policy = SlowPolicy::resync;
  std::size_t queue_capacity = 10'000;
  bool snapshot = false;  ///< the rows there are come first, as `created`
  Position since;
};
struct BatchOptions {
  std::size_t batch_size = 50;
  std::chrono::milliseconds batch_timeout{1000};
  ListenOptions listen;
};

struct PackageStats {
  StreamState state = StreamState::stopped;
  std::uint64_t reads = 0, writes = 0, deletes = 0, queries = 0;
  std::uint64_t changes = 0;    ///< seen from the source
  std::uint64_t delivered = 0;  ///< to callbacks
  std::uint64_t dropped = 0, resyncs = 0, quarantined = 0, callback_errors = 0, reconnects = 0;
  std::size_t subscriptions = 0;
  Position position;  ///< of the last boundary dispatched
};

/// What happens when the position to go on from is no longer in the source's history.
enum class HistoryLostPolicy : std::uint8_t {
  resync,  ///< every subscription is told a Resync, and the stream goes on from now
  fail     ///< the stream fails: start() throws, or the event `failed` comes
};

struct PackageOptions {
  std::string offset_file;  ///< durable position: resumed from at start(), stored as durable
                            ///< subscribers finish
  std::chrono::milliseconds offset_interval{200};  ///< at most so often
  HistoryLostPolicy on_history_lost = HistoryLostPolicy::resync;
  std::chrono::milliseconds heartbeat_interval{10'000};  ///< 0: none
  std::size_t source_queue = 65'536;  ///< changes read ahead of the subscriptions' queues
  std::size_t source_queue_bytes = 64ULL << 20;  ///< of their row images; one batch always fits
  std::size_t delivery_threads = 2;              ///< grows up to max when callbacks are slow
  std::size_t max_delivery_threads = 64;
};

/// Watches one source and reads and writes it. All calls are thread-safe and may be made from
/// callbacks, except that stop(), destroy() and the destructor must not be called from a callback.
/// Data calls block for the database; callbacks run on delivery threads.
class RealtimeStreamPackage {
 public:
  RealtimeStreamPackage();
  /// With connectors of your own.
  explicit RealtimeStreamPackage(ConnectorRegistry registry);
  ~RealtimeStreamPackage();
  RealtimeStreamPackage(const RealtimeStreamPackage&) = delete;
  RealtimeStreamPackage& operator=(const RealtimeStreamPackage&) = delete;

  /// Opens the source: data calls work from here. Throws ValidationError or ConnectionError.
  void init(std::string_view url, const PackageOptions& options = {});
  void init(const SourceConfig& config, const PackageOptions& options = {});
  /// Begins to deliver changes. Returns once the stream is live (or is retrying: see events).
  void start();
  /// Ends delivery: queued changes are handed over first (at most 5 s), offsets stored. start() may
  /// follow.
  void stop();
  /// stop() and closes the source.
  void destroy();
  [[nodiscard]] bool is_connected() const;
  [[nodiscard]] PackageStats stats() const;

  [[nodiscard]] std::optional<Document> read(std::string_view collection, std::string_view key);
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode = WriteMode::merge);
  DeleteResult remove(std::string_view collection, std::string_view key);
  [[nodiscard]] std::vector<Document> query(std::string_view collection,
                                            const QueryOptions& options = {});
  [[nodiscard]] std::uint64_t count(std::string_view collection, const Filter& filter = {});
  [[nodiscard]] std::vector<Value::Object> aggregate(std::string_view collection,
                                                     const Pipeline& pipeline);
  [[nodiscard]] BulkReport bulk_write(const std::vector<BulkOperation>& operations);
  Position transaction(const std::function<void(Transaction&)>& body);

  /// Changes of one collection. The handle unsubscribes when destroyed: keep it. A collection's
  /// first listener may have to prepare the database (SQLite: its triggers), so this throws a
  /// temporary Error of kind `busy` when somebody else holds the database's lock for too long: call
  /// it again.
  [[nodiscard]] Subscription on(std::string_view collection, ChangeCallback callback,
                                ListenOptions options = {});
  [[nodiscard]] Subscription on_batch(std::string_view collection, BatchCallback callback,
                                      BatchOptions options = {});
  /// Everything a subscription can tell: changes with their effective op, ready, resync,
  /// quarantine.
  [[nodiscard]] Subscription subscribe(std::vector<std::string> collections,
                                       SubscriptionOptions options, DeliveryCallback callback);
  /// Ends every subscription of the collection.
  void off(std::string_view collection);
  /// Stream events; the callback stays until destroy(). It runs on the thread where the event
  /// happened and must be quick.
  void on_event(EventCallback callback);

  /// The connector underneath: doctor(), uninstall(), facets. REQUIRES init().
  [[nodiscard]] BaseConnector& connector();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ustream
