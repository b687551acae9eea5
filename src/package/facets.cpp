#include "package/facets.hpp"

#include <string>

namespace ustream::package {
namespace {

template <class Facet>
Facet& require(Facet* facet, const BaseConnector& connector, const char* what) {
  if (facet == nullptr) {
    throw Error(ErrorKind::unsupported,
                "the connector '" + std::string(connector.name()) + "' cannot " + what);
  }
  return *facet;
}

}  // namespace

Crud& require_crud(BaseConnector& connector) {
  return require(connector.crud(), connector, "read and write records");
}

Query& require_query(BaseConnector& connector) {
  return require(connector.query(), connector, "query");
}

Aggregator& require_aggregator(BaseConnector& connector) {
  return require(connector.aggregator(), connector, "aggregate");
}

Transactor& require_transactor(BaseConnector& connector) {
  return require(connector.transactor(), connector, "run transactions");
}

}  // namespace ustream::package
