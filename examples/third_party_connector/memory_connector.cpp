#include "memory_connector.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include <ustream/error.hpp>

namespace memory {
namespace {

using ustream::ChangeBatch;
using ustream::ChangeSink;
using ustream::Document;
using ustream::Position;

class DataFacets final : public ustream::Crud, public ustream::Query {
 public:
  explicit DataFacets(Store& store) : store_(store) {}

  std::optional<Document> read(std::string_view collection, std::string_view key) override {
    return store_.read(collection, key);
  }
  ustream::WriteResult write(std::string_view collection, std::string_view key,
                             const ustream::Value::Object& data, ustream::WriteMode mode) override {
    return store_.write(collection, key, data, mode);
  }
  ustream::DeleteResult remove(std::string_view collection, std::string_view key) override {
    return store_.remove(collection, key);
  }
  ustream::BulkReport bulk(const std::vector<ustream::BulkOperation>& operations) override;
  ustream::SchemaPtr schema(std::string_view collection) override {
    return store_.schema(collection);
  }
  std::vector<std::string> collections() override { return store_.names(); }
  void query(std::string_view collection, const ustream::QueryOptions& options,
             const ustream::RowCallback& row) override;
  std::uint64_t count(std::string_view collection, const ustream::Filter& filter) override;

 private:
  Store& store_;
};

ustream::BulkReport DataFacets::bulk(const std::vector<ustream::BulkOperation>& operations) {
  ustream::BulkReport report;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& operation = operations[i];
    try {
      if (operation.data) {
        write(operation.collection, operation.key, *operation.data, operation.mode);
      } else {
        remove(operation.collection, operation.key);
      }
      ++report.ok;
    } catch (const ustream::Error& error) {
      report.failures.push_back({i, error.kind(), error.what(), error.temporary()});
    }
  }
  report.position = store_.end();
  return report;
}

Document project(const Document& row, const std::vector<std::string>& fields) {
  if (fields.empty()) {
    return row;
  }
  ustream::Value::Object shown = row.to_object();
  std::erase_if(shown, [&](const ustream::Member& member) {
    return std::find(fields.begin(), fields.end(), member.name) == fields.end();
  });
  return Document(std::move(shown));
}

// [query]
void DataFacets::query(std::string_view collection, const ustream::QueryOptions& options,
                       const ustream::RowCallback& row) {
  // Rows that tie keep the order in which they are pushed, which is the key's.
  ustream::RowSorter sorter(options.sort, options.skip, options.limit);
  for (const Document& there : store_.rows(collection)) {
    if (options.filter.matches(there)) {
      sorter.push(there);
    }
  }
  for (const Document& found : sorter.finish()) {
    if (!row(project(found, options.fields))) {
      return;
    }
  }
}
// [/query]

std::uint64_t DataFacets::count(std::string_view collection, const ustream::Filter& filter) {
  const auto rows = store_.rows(collection);
  return static_cast<std::uint64_t>(std::count_if(
      rows.begin(), rows.end(), [&](const Document& row) { return filter.matches(row); }));
}

class StreamFacets final : public ustream::ChangeSource, public ustream::Snapshotter {
 public:
  explicit StreamFacets(Store& store) : store_(store) {}

  Position watch(const std::vector<std::string>& collections) override;
  Position current() override { return store_.end(); }
  void run(const Position& from, ChangeSink& sink, const std::stop_token& stop) override;
  bool replay(const Position& from, const Position& until, ChangeSink& sink,
              const std::stop_token& stop) override;
  bool has_before_images() const override { return true; }
  Position snapshot(std::string_view collection, const ustream::Filter& filter,
                    const ustream::SnapshotCallback& rows) override;

 private:
  /// Those of watched collections, as one batch whose boundary is its last change's position.
  bool deliver(std::vector<ustream::Change> changes, ChangeSink& sink);

  Store& store_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> watched_;
};

Position StreamFacets::watch(const std::vector<std::string>& collections) {
  for (const std::string& collection : collections) {
    (void)store_.schema(collection);  // throws when there is none
  }
  const std::lock_guard lock(mutex_);
  watched_.insert(collections.begin(), collections.end());
  return store_.end();
}

bool StreamFacets::deliver(std::vector<ustream::Change> changes, ChangeSink& sink) {
  auto batch = std::make_shared<ChangeBatch>();
  batch->boundary = changes.back().position;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(changes, [&](const ustream::Change& change) {
      return !watched_.contains(change.collection());
    });
  }
  batch->changes = std::move(changes);
  return sink.deliver(std::move(batch));
}

// [run]
void StreamFacets::run(const Position& from, ChangeSink& sink, const std::stop_token& stop) {
  std::uint64_t place = store_.number(from);
  auto changes = store_.changes(place);  // at once: what is lost is told even when nothing happens
  while (!stop.stop_requested()) {
    if (!changes.empty()) {
      place = store_.number(changes.back().position);
      if (!deliver(std::move(changes), sink)) {
        return;
      }
      changes = store_.changes(place);
      continue;
    }
    sink.caught_up(store_.position(place));
    changes = store_.wait_for_changes(place, stop);
  }
}
// [/run]

bool StreamFacets::replay(const Position& from, const Position& until, ChangeSink& sink,
                          const std::stop_token& stop) {
  std::uint64_t place = store_.number(from);
  const std::uint64_t end = store_.number(until);
  while (place < end) {
    auto changes = store_.changes(place);
    changes.resize(std::min<std::size_t>(changes.size(), end - place));
    if (stop.stop_requested() || changes.empty()) {
      return false;
    }
    place += changes.size();
    if (!deliver(std::move(changes), sink)) {
      return false;
    }
  }
  return true;
}

Position StreamFacets::snapshot(std::string_view collection, const ustream::Filter& filter,
                                const ustream::SnapshotCallback& rows) {
  const ustream::SchemaPtr schema = store_.schema(collection);
  Position position;
  auto batch = std::make_shared<ChangeBatch>();
  for (Document& row : store_.rows(collection, &position)) {
    if (filter.matches(row)) {
      ustream::Change change;
      change.op = ustream::Op::snapshot;
      change.schema = schema;
      change.after = std::move(row);
      change.position = position;
      batch->changes.push_back(std::move(change));
    }
  }
  return batch->changes.empty() || rows(std::move(batch)) ? position : Position();
}

class MemoryConnector final : public ustream::BaseConnector {
 public:
  explicit MemoryConnector(std::shared_ptr<Store> store)
      : store_(std::move(store)), data_(*store_), stream_(*store_) {}

  std::string_view name() const noexcept override { return "memory"; }
  void open() override {}
  void close() noexcept override {}
  void ping() override {}
  std::vector<ustream::DoctorCheck> doctor() override {
    return {{"memory", ustream::DoctorCheck::Status::ok, "in this process", {}}};
  }
  std::vector<std::string> uninstall() override { return {}; }

  ustream::Crud* crud() noexcept override { return &data_; }
  ustream::Query* query() noexcept override { return &data_; }
  ustream::Snapshotter* snapshotter() noexcept override { return &stream_; }
  ustream::ChangeSource* change_source() noexcept override { return &stream_; }

 private:
  std::shared_ptr<Store> store_;
  DataFacets data_;
  StreamFacets stream_;
};

}  // namespace

std::unique_ptr<ustream::BaseConnector> make_connector(std::shared_ptr<Store> store) {
  return std::make_unique<MemoryConnector>(std::move(store));
}

}  // namespace memory
