// The SQLite connector: README.md in this folder.
#pragma once

#include <memory>

#include "ustream/connector.hpp"

namespace ustream::sqlite {

/// Throws ValidationError when the configuration is not one of SQLite. Nothing is opened yet.
[[nodiscard]] std::unique_ptr<BaseConnector> make_sqlite_connector(const SourceConfig& config);

}  // namespace ustream::sqlite
