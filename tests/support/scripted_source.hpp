// A database in memory that commits, fails and forgets as a test tells it to.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ustream/connector.hpp"

namespace ustream::test {

/// One write of a transaction: the row's fields beside its key "id"; no fields: a delete.
struct ScriptedWrite {
  std::string collection;
  std::int64_t id = 0;
  std::optional<Value::Object> fields;
};

/// Tables with a key column "id" and a log of their transactions. A change's order key is
/// (boundary before it, seq), a boundary's (number of transactions, 0). Any thread.
class ScriptedSource final : public ChangeSource, public Snapshotter {
 public:
  struct Options {
    bool before_images = true;
    std::size_t batch = 1000;  ///< changes in one batch; a larger transaction is split
  };
  ScriptedSource(std::vector<std::string> collections, Options options);
  explicit ScriptedSource(std::vector<std::string> collections)
      : ScriptedSource(std::move(collections), Options{}) {}

  // --- what a test does
  Position commit(const std::vector<ScriptedWrite>& writes);
  Position put(const std::string& collection, std::int64_t id, Value::Object fields = {});
  Position erase(const std::string& collection, std::int64_t id);
  /// A transaction of one change that is not a row's.
  Position special(const std::string& collection, Op op);
  /// A transaction which could not be decoded.
  Position quarantine(const std::string& collection, const std::string& reason);
  /// run() throws this once it has delivered what there is.
  void fail(const Error& error);
  /// The next `times` calls of run() throw this at once.
  void refuse(const Error& error, std::uint32_t times = 1);
  /// run() throws after so many more batches, in the middle of a transaction if it is split.
  void fail_after(std::size_t batches, const Error& error);
  /// Forgets the transactions so far; who resumes before this point has lost history.
  void trim();
  /// Another history begins: positions so far are of no use.
  void new_epoch();
  /// While held, run() delivers nothing.
  void hold();
  void release();
  [[nodiscard]] std::uint32_t runs() const;
  [[nodiscard]] std::uint32_t replays() const;
  /// The sink of the last run() that has ended; it must be deaf.
  [[nodiscard]] ChangeSink* last_sink() const;
  [[nodiscard]] ChangeBatchPtr batch_of(std::size_t transaction) const;

  // --- what an engine asks
  Position watch(const std::vector<std::string>& collections) override;
  [[nodiscard]] Position current() override;
  void run(const Position& from, ChangeSink& sink, const std::stop_token& stop) override;
  bool replay(const Position& from, const Position& until, ChangeSink& sink,
              const std::stop_token& stop) override;
  [[nodiscard]] bool has_before_images() const override { return options_.before_images; }
  Position snapshot(std::string_view collection, const Filter& filter,
                    const SnapshotCallback& rows) override;

 private:
  struct Table {
    SchemaPtr schema;
    std::map<std::int64_t, Value::Object> rows;
  };
  struct Transaction {
    std::vector<Change> changes;
    std::vector<Notice> notices;
  };

  [[nodiscard]] Position place(std::size_t transaction, std::uint64_t seq) const;
  [[nodiscard]] std::size_t locate(const Position& position) const;
  Position append(Transaction transaction);
  [[nodiscard]] std::vector<ChangeBatchPtr> split(std::size_t transaction) const;
  void throw_planned();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Table, std::less<>> tables_;
  std::shared_ptr<const PositionOrigin> origin_;
  std::uint64_t epoch_ = 1;
  std::vector<Transaction> log_;
  std::size_t trimmed_ = 0;
  bool held_ = false;
  std::optional<Error> failure_;
  std::optional<Error> refusal_;
  std::uint32_t refusals_ = 0;
  std::optional<Error> planned_;
  std::size_t batches_left_ = 0;
  std::uint32_t runs_ = 0;
  std::uint32_t replays_ = 0;
  ChangeSink* last_sink_ = nullptr;
};

/// A connector of a ScriptedSource.
class ScriptedConnector final : public BaseConnector {
 public:
  explicit ScriptedConnector(ScriptedSource* source) : source_(source) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }
  void open() override {}
  void close() noexcept override {}
  void ping() override {}
  [[nodiscard]] std::vector<DoctorCheck> doctor() override { return {}; }
  std::vector<std::string> uninstall() override { return {}; }
  [[nodiscard]] Snapshotter* snapshotter() noexcept override { return source_; }
  [[nodiscard]] ChangeSource* change_source() noexcept override { return source_; }

 private:
  ScriptedSource* source_;
};

}  // namespace ustream::test
