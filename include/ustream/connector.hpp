// What a connector is: facets that say what a database can do, so that a capability cannot lie.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/change.hpp"
#include "ustream/config.hpp"
#include "ustream/error.hpp"
#include "ustream/query.hpp"

namespace ustream {

enum class WriteMode : std::uint8_t {
  merge,   ///< upsert: set the fields given, keep the others
  replace  ///< upsert: fields not given take their default
};

struct WriteResult {
  std::string key;       ///< the row's key as text, also when the database generated it
  bool created = false;  ///< true when there was no such row
  Position position;     ///< a reader that asks for "at least" this sees the write
};

struct DeleteResult {
  std::string key;
  bool existed = false;
  Position position;
};

/// One operation of a bulk: a write, or a delete when `data` is not set.
struct BulkOperation {
  std::string collection;
  std::string key;  ///< may be empty in a write whose database generates keys
  std::optional<Value::Object> data;
  WriteMode mode = WriteMode::merge;
};

struct BulkFailure {
  std::size_t index = 0;
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  bool temporary = false;
};

struct BulkReport {
  std::uint64_t ok = 0;
  std::vector<BulkFailure> failures;  ///< ascending by index
  Position position;                  ///< after the last operation
};

/// Calls block the caller; any number of threads at once, up to the pool's size (then they wait, at
/// most the configured timeout, then throw `busy`).
class Crud {
 public:
  virtual ~Crud() = default;
  /// nullopt when there is no such row. Throws ValidationError for an unknown collection or an
  /// impossible key.
  [[nodiscard]] virtual std::optional<Document> read(std::string_view collection,
                                                     std::string_view key) = 0;
  /// `key` may be empty when the database generates it. A key inside `data` that differs from
  /// `key`: ValidationError.
  virtual WriteResult write(std::string_view collection, std::string_view key,
                            const Value::Object& data, WriteMode mode) = 0;
  /// Deleting what is not there is no error: `existed` is false.
  virtual DeleteResult remove(std::string_view collection, std::string_view key) = 0;
  /// Every operation that can be done is done; each failure is told with its index.
  [[nodiscard]] virtual BulkReport bulk(const std::vector<BulkOperation>& operations) = 0;
  /// The collection's definition. Throws ValidationError when it does not exist.
  [[nodiscard]] virtual SchemaPtr schema(std::string_view collection) = 0;
  [[nodiscard]] virtual std::vector<std::string> collections() = 0;
};

/// Receives rows; returning false ends the query early. The document may be kept (it owns or shares
/// its bytes).
using RowCallback = std::function<bool(const Document&)>;

class Query {
 public:
  virtual ~Query() = default;
  /// Streams the rows in order; throws ValidationError for an unknown collection. Exceptions of
  /// `row` pass through.
  virtual void query(std::string_view collection, const QueryOptions& options,
                     const RowCallback& row) = 0;
  [[nodiscard]] virtual std::uint64_t count(std::string_view collection, const Filter& filter) = 0;
};

class Aggregator {
 public:
  virtual ~Aggregator() = default;
  [[nodiscard]] virtual std::vector<Value::Object> aggregate(std::string_view collection,
                                                             const Pipeline& pipeline) = 0;
};

/// The operations of one transaction; valid inside Transactor::transaction's callback, on its
/// thread only.
class Transaction {
 public:
  virtual ~Transaction() = default;
  [[nodiscard]] virtual std::optional<Document> read(std::string_view collection,
                                                     std::string_view key) = 0;
  virtual WriteResult write(std::string_view collection, std::string_view key,
                            const Value::Object& data, WriteMode mode) = 0;
  virtual DeleteResult remove(std::string_view collection, std::string_view key) = 0;
  virtual void query(std::string_view collection, const QueryOptions& options,
                     const RowCallback& row) = 0;
};

class Transactor {
 public:
  virtual ~Transactor() = default;
  /// Commits when `body` returns, rolls back when it throws (and rethrows). Returns the position
  /// after the commit. Positions in the results of writes inside are of no use before that.
  virtual Position transaction(const std::function<void(Transaction&)>& body) = 0;
};

/// Receives what a source reads. Called on the source's thread only.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  /// Blocks while the queue is full. Returns false when the source must stop.
  [[nodiscard]] virtual bool deliver(ChangeBatchPtr batch) = 0;
  /// The source is reading and has nothing more at `position`: every earlier change was delivered.
  /// Also a sign of life.
  virtual void caught_up(const Position& position) = 0;
};

class ChangeSource {
 public:
  virtual ~ChangeSource() = default;
  /// Makes the source deliver changes of these collections too (installs capture where the database
  /// needs that) and returns a position from which all their changes will be delivered. Idempotent.
  /// Any thread, also while run() runs. Throws ValidationError for an unknown collection.
  virtual Position watch(const std::vector<std::string>& collections) = 0;
  /// The end of the history now: everything committed before this call is at or before it. Any
  /// thread.
  [[nodiscard]] virtual Position current() = 0;
  /// Delivers changes of watched collections after `from` until `stop` is asked for; blocks. One
  /// call at a time. Throws ConnectionError or StreamingError (history_lost when `from` is no
  /// longer there); may be called again after.
  virtual void run(const Position& from, ChangeSink& sink, const std::stop_token& stop) = 0;
  /// Delivers changes after `from` up to and including `until`, then returns true; false when
  /// stopped. Any thread, while run() goes on. Throws as run() does.
  virtual bool replay(const Position& from, const Position& until, ChangeSink& sink,
                      const std::stop_token& stop) = 0;
  /// Called by any thread of this process right after it committed: the source may look at once.
  /// Never blocks.
  virtual void nudge() noexcept {}
  /// Whether updates and deletes carry the row as it was before.
  [[nodiscard]] virtual bool has_before_images() const = 0;
};

/// Receives snapshot rows (op snapshot) in batches. Returning false ends the snapshot.
using SnapshotCallback = std::function<bool(ChangeBatchPtr)>;

class Snapshotter {
 public:
  virtual ~Snapshotter() = default;
  /// Reads all rows of `collection` that match. Returns the position at which they were true:
  /// changes after it, and only these, are not in the rows. Blocks; any thread. Returns no position
  /// when `row` ended it.
  virtual Position snapshot(std::string_view collection, const Filter& filter,
                            const SnapshotCallback& rows) = 0;
};

/// One line of `doctor`.
struct DoctorCheck {
  enum class Status : std::uint8_t { ok, warning, failed };
  std::string check;
  Status status = Status::ok;
  std::string found;
  std::string fix;  ///< what to do; empty when ok
};

/// Base class of all connectors. A facet that is null is not offered. Facets live as long as the
/// connector.
///
/// Thread rule: open() and close() are called by one thread; facets by any thread between them.
class BaseConnector {
 public:
  BaseConnector() = default;
  BaseConnector(const BaseConnector&) = delete;
  BaseConnector& operator=(const BaseConnector&) = delete;
  virtual ~BaseConnector() = default;

  /// The registered name: "sqlite", "mysql", …
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Reaches the database and checks it. Throws ConnectionError, AuthError or ValidationError.
  virtual void open() = 0;
  /// Ends everything; idempotent; does not throw.
  virtual void close() noexcept = 0;
  /// A cheap round trip (the heartbeat). Throws ConnectionError when the database does not answer.
  virtual void ping() = 0;
  [[nodiscard]] virtual std::vector<DoctorCheck> doctor() = 0;
  /// Removes everything that ustream made in the database. Returns what was removed, a line each.
  virtual std::vector<std::string> uninstall() = 0;

  [[nodiscard]] virtual Crud* crud() noexcept { return nullptr; }
  [[nodiscard]] virtual Query* query() noexcept { return nullptr; }
  [[nodiscard]] virtual Aggregator* aggregator() noexcept { return nullptr; }
  [[nodiscard]] virtual Transactor* transactor() noexcept { return nullptr; }
  [[nodiscard]] virtual Snapshotter* snapshotter() noexcept { return nullptr; }
  [[nodiscard]] virtual ChangeSource* change_source() noexcept { return nullptr; }
};

using ConnectorFactory = std::function<std::unique_ptr<BaseConnector>(const SourceConfig&)>;

/// Names to factories. Filled explicitly (see builtin_connectors()); no globals. Not thread-safe
/// while being filled.
class ConnectorRegistry {
 public:
  /// Replaces an earlier factory of the same name. `aliases` are further URL schemes, e.g.
  /// "mariadb".
  void add(std::string name, ConnectorFactory factory, std::vector<std::string> aliases = {});
  /// Throws ValidationError which lists the known names when `config.scheme` is unknown.
  [[nodiscard]] std::unique_ptr<BaseConnector> create(const SourceConfig& config) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Entry {
    std::string name;
    ConnectorFactory factory;
    std::vector<std::string> aliases;
  };
  std::vector<Entry> entries_;
};

/// A registry with every connector this build has.
[[nodiscard]] ConnectorRegistry builtin_connectors();

}  // namespace ustream
