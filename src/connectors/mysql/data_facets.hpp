// The facets that run on pooled connections.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/connector.hpp"

#include "connectors/mysql/crud.hpp"
#include "connectors/mysql/pool.hpp"

namespace ustream::mysql {

/// Any thread. Reads are done again once when the connection turns out to have died while it was
/// idle; writes never, because nobody knows whether they were done.
class DataFacets final : public Crud, public Query, public Aggregator, public Transactor {
 public:
  explicit DataFacets(ConnectionPool& pool) : pool_(pool) {}

  std::optional<Document> read(std::string_view collection, std::string_view key) override;
  WriteResult write(std::string_view collection, std::string_view key, const Value::Object& data,
                    WriteMode mode) override;
  DeleteResult remove(std::string_view collection, std::string_view key) override;
  BulkReport bulk(const std::vector<BulkOperation>& operations) override;
  SchemaPtr schema(std::string_view collection) override;
  std::vector<std::string> collections() override;
  void query(std::string_view collection, const QueryOptions& options,
             const RowCallback& row) override;
  std::uint64_t count(std::string_view collection, const Filter& filter) override;
  std::vector<Value::Object> aggregate(std::string_view collection,
                                       const Pipeline& pipeline) override;
  /// `body` is called again when the server ends its transaction for a deadlock, which undoes all
  /// of it.
  Position transaction(const std::function<void(ustream::Transaction&)>& body) override;

 private:
  template <class Body>
  auto reading(const Body& body);
  template <class Body>
  auto writing(const Body& body);

  ConnectionPool& pool_;
};

}  // namespace ustream::mysql
