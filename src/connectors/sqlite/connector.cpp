#include "connectors/sqlite/connector.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "connectors/sqlite/bulk_writer.hpp"
#include "connectors/sqlite/change_source.hpp"
#include "connectors/sqlite/crud.hpp"
#include "connectors/sqlite/doctor.hpp"
#include "connectors/sqlite/options.hpp"
#include "connectors/sqlite/pool.hpp"
#include "connectors/sqlite/snapshotter.hpp"

namespace ustream::sqlite {
namespace {

/// Operations in one transaction of a bulk: enough to share the cost of its commit, few enough not
/// to starve other writers.
constexpr std::size_t kBulkChunk = 5000;

/// The facets that run on pooled connections.
class DataFacets final : public Crud, public Query, public Aggregator, public Transactor {
 public:
  explicit DataFacets(ConnectionPool& pool) : pool_(pool) {}

  std::optional<Document> read(std::string_view collection, std::string_view key) override {
    const auto connection = pool_.lease();
    return RowAccess(*connection).read(collection, key);
  }
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode) override;
  DeleteResult remove(std::string_view collection, std::string_view key) override;
  BulkReport bulk(const std::vector<BulkOperation>& operations) override;
  SchemaPtr schema(std::string_view collection) override {
    const auto connection = pool_.lease();
    return connection->catalog.get(connection->database, collection)->schema;
  }
  std::vector<std::string> collections() override {
    const auto connection = pool_.lease();
    return Catalog::names(connection->database);
  }
  void query(std::string_view collection, const QueryOptions& options,
             const RowCallback& row) override {
    const auto connection = pool_.lease();
    RowAccess(*connection).query(collection, options, row);
  }
  std::uint64_t count(std::string_view collection, const Filter& filter) override {
    const auto connection = pool_.lease();
    return RowAccess(*connection).count(collection, filter);
  }
  std::vector<Value::Object> aggregate(std::string_view collection,
                                       const Pipeline& pipeline) override;
  Position transaction(const std::function<void(ustream::Transaction&)>& body) override;

 private:
  void bulk_chunk(Connection& connection, const std::vector<BulkOperation>& operations,
                  std::size_t begin, std::size_t end, BulkReport& report);

  ConnectionPool& pool_;
};

WriteResult DataFacets::write(std::string_view collection, std::string_view key,
                              const Value::Object& data, WriteMode mode) {
  const auto connection = pool_.lease();
  TransactionScope transaction(connection->database, TransactionScope::Kind::write);
  WriteResult result = RowAccess(*connection).write(collection, key, data, mode);
  result.position = connection->position();
  transaction.commit();
  return result;
}

DeleteResult DataFacets::remove(std::string_view collection, std::string_view key) {
  const auto connection = pool_.lease();
  TransactionScope transaction(connection->database, TransactionScope::Kind::write);
  DeleteResult result = RowAccess(*connection).remove(collection, key);
  result.position = connection->position();
  transaction.commit();
  return result;
}

void DataFacets::bulk_chunk(Connection& connection, const std::vector<BulkOperation>& operations,
                            std::size_t begin, std::size_t end, BulkReport& report) {
  const BulkReport before = report;
  try {
    const UndoInMemory undo(connection.database);
    TransactionScope transaction(connection.database, TransactionScope::Kind::write);
    BulkWriter(connection, operations, report).run(begin, end);
    report.position = connection.position();
    transaction.commit();
  } catch (const Error& error) {
    // The whole transaction is undone: by a lock, a full disk, or a constraint that says ON
    // CONFLICT ROLLBACK.
    report = before;
    if (end - begin == 1 || error.kind() != ErrorKind::conflict) {
      for (std::size_t i = begin; i < end; ++i) {
        report.failures.push_back({i, error.kind(), error.what(), error.temporary()});
      }
      return;
    }
    for (std::size_t i = begin; i < end; ++i) {
      bulk_chunk(connection, operations, i, i + 1, report);
    }
  }
}

BulkReport DataFacets::bulk(const std::vector<BulkOperation>& operations) {
  const auto connection = pool_.lease();
  BulkReport report;
  {
    TransactionScope transaction(connection->database, TransactionScope::Kind::read);
    report.position = connection->position();
    transaction.commit();
  }
  for (std::size_t begin = 0; begin < operations.size(); begin += kBulkChunk) {
    bulk_chunk(*connection, operations, begin, std::min(begin + kBulkChunk, operations.size()),
               report);
  }
  return report;
}

std::vector<Value::Object> DataFacets::aggregate(std::string_view collection,
                                                 const Pipeline& pipeline) {
  QueryOptions options;
  options.filter = pipeline.leading_match();
  PipelineRun run(pipeline);
  const auto connection = pool_.lease();
  RowAccess(*connection).query(collection, options, [&](const Document& row) {
    return run.push(row);
  });
  return run.finish();
}

class TransactionFacet final : public ustream::Transaction {
 public:
  explicit TransactionFacet(Connection& connection) : access_(connection) {}
  std::optional<Document> read(std::string_view collection, std::string_view key) override {
    return access_.read(collection, key);
  }
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode) override {
    return access_.write(collection, key, data, mode);
  }
  DeleteResult remove(std::string_view collection, std::string_view key) override {
    return access_.remove(collection, key);
  }
  void query(std::string_view collection, const QueryOptions& options,
             const RowCallback& row) override {
    access_.query(collection, options, row);
  }

 private:
  RowAccess access_;
};

Position DataFacets::transaction(const std::function<void(ustream::Transaction&)>& body) {
  const auto connection = pool_.lease();
  TransactionScope scope(connection->database, TransactionScope::Kind::write);
  TransactionFacet facet(*connection);
  body(facet);
  Position position = connection->position();
  scope.commit();
  return position;
}

class SqliteConnector final : public BaseConnector {
 public:
  explicit SqliteConnector(const SourceConfig& config)
      : options_(Options::from(config)), logger_(options_.log_level), snapshotter_(options_) {}
  ~SqliteConnector() override { SqliteConnector::close(); }

  [[nodiscard]] std::string_view name() const noexcept override { return "sqlite"; }

  void open() override {
    close();
    pool_ = std::make_unique<ConnectionPool>(options_);
    facets_ = std::make_unique<DataFacets>(*pool_);
    ping();
    source_ = std::make_unique<SqliteChangeSource>(options_, logger_);
  }

  void close() noexcept override {
    if (source_) {
      source_->close();
    }
    if (pool_) {
      pool_->close();
    }
  }

  void ping() override {
    try {
      const auto connection = pool_->lease();
      (void)connection->database.query_int64("SELECT count(*) FROM sqlite_schema");
    } catch (const ConnectionError&) {
      throw;
    } catch (const AuthError&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::busy) {
        throw;  // it is there, and answers
      }
      throw ConnectionError(error.what(), error.retry_advice(), "sqlite:" + options_.path,
                            error.detail());
    }
  }

  std::vector<DoctorCheck> doctor() override { return examine(options_); }

  std::vector<std::string> uninstall() override {
    // The journal mode can be changed only by the last connection there is.
    if (source_) {
      source_->close();
    }
    if (pool_) {
      pool_->release_idle();
    }
    Database database(options_.path, Access::read_write, options_.busy_timeout);
    return Capture(database).uninstall();
  }

  Crud* crud() noexcept override { return facets_.get(); }
  Query* query() noexcept override { return facets_.get(); }
  Aggregator* aggregator() noexcept override { return facets_.get(); }
  Transactor* transactor() noexcept override { return facets_.get(); }
  Snapshotter* snapshotter() noexcept override { return &snapshotter_; }
  ChangeSource* change_source() noexcept override { return source_.get(); }

 private:
  Options options_;
  base::Logger logger_;
  SqliteSnapshotter snapshotter_;
  std::unique_ptr<ConnectionPool> pool_;
  std::unique_ptr<DataFacets> facets_;
  std::unique_ptr<SqliteChangeSource> source_;
};

}  // namespace

std::unique_ptr<BaseConnector> make_sqlite_connector(const SourceConfig& config) {
  return std::make_unique<SqliteConnector>(config);
}

}  // namespace ustream::sqlite
