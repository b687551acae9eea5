// The MySQL and MariaDB connector: README.md in this folder.
#pragma once

#include <memory>

#include "ustream/connector.hpp"

namespace ustream::mysql {

/// Throws ValidationError when the configuration is not one of MySQL. Nothing is opened yet.
[[nodiscard]] std::unique_ptr<BaseConnector> make_mysql_connector(const SourceConfig& config);

}  // namespace ustream::mysql
