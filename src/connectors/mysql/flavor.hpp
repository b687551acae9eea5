// The two servers that speak this protocol.
#pragma once

#include <cstdint>

namespace ustream::mysql {

enum class Flavor : std::uint8_t { mysql, mariadb };

}  // namespace ustream::mysql
