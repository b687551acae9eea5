// The library's version.
#pragma once

#define USTREAM_VERSION_MAJOR 0
#define USTREAM_VERSION_MINOR 1
#define USTREAM_VERSION_PATCH 0

namespace ustream {
/// "0.1.0"
[[nodiscard]] const char* version() noexcept;
}  // namespace ustream
