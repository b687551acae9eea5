// The connector: a Store behind ustream's facets.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <ustream/connector.hpp>

#include "memory_store.hpp"

namespace memory {

/// Offers Crud, Query, ChangeSource and Snapshotter; no transactions and no aggregation. The store
/// may be shared by several connectors.
[[nodiscard]] std::unique_ptr<ustream::BaseConnector> make_connector(std::shared_ptr<Store> store);

}  // namespace memory
