// A connector's facets, or an Error that says which connector lacks which.
#pragma once

#include "ustream/connector.hpp"

namespace ustream::package {

// Each throws Error{unsupported} naming the connector when it does not offer the facet. Any thread;
// the reference lives as long as the connector.
[[nodiscard]] Crud& require_crud(BaseConnector& connector);
[[nodiscard]] Query& require_query(BaseConnector& connector);
[[nodiscard]] Aggregator& require_aggregator(BaseConnector& connector);
[[nodiscard]] Transactor& require_transactor(BaseConnector& connector);

}  // namespace ustream::package
