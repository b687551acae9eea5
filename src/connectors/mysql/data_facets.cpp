#include "connectors/mysql/data_facets.hpp"

#include "ustream/error.hpp"

#include "connectors/mysql/bulk.hpp"
#include "connectors/mysql/server_position.hpp"

namespace ustream::mysql {
namespace {

/// How often what a deadlock undid is done.
constexpr int kDeadlockAttempts = 5;

/// Rolls back unless it was committed.
class TransactionScope {
 public:
  explicit TransactionScope(Client& client) : client_(client) {
    client_.execute("START TRANSACTION");
  }
  TransactionScope(const TransactionScope&) = delete;
  TransactionScope& operator=(const TransactionScope&) = delete;
  ~TransactionScope() {
    if (!open_ || !client_.usable()) {
      return;
    }
    try {
      client_.execute("ROLLBACK");
    } catch (const Error&) {
      client_.abandon();  // its end rolls back, too
    }
  }
  void commit() {
    client_.execute("COMMIT");
    open_ = false;
  }

 private:
  Client& client_;
  bool open_ = true;
};

/// Once the server has ended the transaction for a deadlock, every further call says so: outside of
/// it, they would be committed one by one.
class TransactionFacet final : public ustream::Transaction {
  template <class Body>
  auto guarded(const Body& body) {
    if (deadlock_) {
      throw_deadlock();
    }
    try {
      return body();
    } catch (const Error& error) {
      deadlock_ = deadlock_ || (error.kind() == ErrorKind::busy && client_.usable() &&
                                is_worth_repeating(client_.last_error()));
      throw;
    }
  }

 public:
  explicit TransactionFacet(Connection& connection)
      : client_(connection.client), access_(connection, RowDelivery::gathered) {}

  std::optional<Document> read(std::string_view collection, std::string_view key) override {
    return guarded([&] { return access_.read(collection, key); });
  }
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode) override {
    return guarded([&] { return access_.write(collection, key, data, mode); });
  }
  DeleteResult remove(std::string_view collection, std::string_view key) override {
    return guarded([&] { return access_.remove(collection, key); });
  }
  void query(std::string_view collection, const QueryOptions& options,
             const RowCallback& row) override {
    guarded([&] { access_.query(collection, options, row); });
  }

  [[nodiscard]] bool ended_by_deadlock() const noexcept { return deadlock_; }
  [[noreturn]] void throw_deadlock() const {
    throw Error(ErrorKind::busy, "a deadlock with another transaction; try again",
                RetryAdvice::retry, client_.where());
  }

 private:
  Client& client_;
  RowAccess access_;
  bool deadlock_ = false;
};

}  // namespace

template <class Body>
auto DataFacets::reading(const Body& body) {
  {
    const auto connection = pool_.lease();
    RowAccess access(*connection);
    try {
      return body(*connection, access);
    } catch (const ConnectionError&) {
      if (!connection.reused() || connection->client.usable() || access.delivered()) {
        throw;
      }
    }
  }
  const auto connection = pool_.lease_new();
  RowAccess access(*connection);
  return body(*connection, access);
}

template <class Body>
auto DataFacets::writing(const Body& body) {
  const auto connection = pool_.lease();
  for (int attempt = 1;; ++attempt) {
    RowAccess access(*connection);
    try {
      auto result = body(access);
      result.position = server_position(connection->client);
      return result;
    } catch (const Error& error) {
      // A write is one statement, which the deadlock undid.
      const bool again = error.kind() == ErrorKind::busy &&
                         is_worth_repeating(connection->client.last_error()) &&
                         attempt < kDeadlockAttempts;
      if (!again) {
        throw;
      }
    }
  }
}

std::optional<Document> DataFacets::read(std::string_view collection, std::string_view key) {
  return reading([&](Connection&, RowAccess& access) { return access.read(collection, key); });
}

WriteResult DataFacets::write(std::string_view collection, std::string_view key,
                              const Value::Object& data, WriteMode mode) {
  return writing([&](RowAccess& access) { return access.write(collection, key, data, mode); });
}

DeleteResult DataFacets::remove(std::string_view collection, std::string_view key) {
  return writing([&](RowAccess& access) { return access.remove(collection, key); });
}

BulkReport DataFacets::bulk(const std::vector<BulkOperation>& operations) {
  const auto connection = pool_.lease();
  BulkReport report = BulkWriter(*connection, operations).run();
  if (connection->client.usable()) {
    report.position = server_position(connection->client);
  }
  return report;
}

SchemaPtr DataFacets::schema(std::string_view collection) {
  return reading([&](Connection& connection, RowAccess&) {
    return connection.catalog.get(connection.client, collection)->schema;
  });
}

std::vector<std::string> DataFacets::collections() {
  return reading(
      [](Connection& connection, RowAccess&) { return Catalog::names(connection.client); });
}

void DataFacets::query(std::string_view collection, const QueryOptions& options,
                       const RowCallback& row) {
  reading([&](Connection&, RowAccess& access) { access.query(collection, options, row); });
}

std::uint64_t DataFacets::count(std::string_view collection, const Filter& filter) {
  return reading([&](Connection&, RowAccess& access) { return access.count(collection, filter); });
}

std::vector<Value::Object> DataFacets::aggregate(std::string_view collection,
                                                 const Pipeline& pipeline) {
  QueryOptions options;
  options.filter = pipeline.leading_match();
  PipelineRun run(pipeline);
  query(collection, options, [&](const Document& row) { return run.push(row); });
  return run.finish();
}

Position DataFacets::transaction(const std::function<void(ustream::Transaction&)>& body) {
  const auto connection = pool_.lease();
  for (int attempt = 1;; ++attempt) {
    TransactionFacet facet(*connection);
    try {
      TransactionScope scope(connection->client);
      body(facet);
      if (facet.ended_by_deadlock()) {
        facet.throw_deadlock();  // the body caught it, but there is nothing left to commit
      }
      scope.commit();
      return server_position(connection->client);
    } catch (const Error&) {
      if (!facet.ended_by_deadlock() || attempt == kDeadlockAttempts) {
        throw;
      }
    }
  }
}

}  // namespace ustream::mysql
