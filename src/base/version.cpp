#include "ustream/version.hpp"

#define USTREAM_TEXT_OF(x) #x
#define USTREAM_TEXT(x) USTREAM_TEXT_OF(x)

namespace ustream {

const char* version() noexcept {
  return USTREAM_TEXT(USTREAM_VERSION_MAJOR) "." USTREAM_TEXT(
      USTREAM_VERSION_MINOR) "." USTREAM_TEXT(USTREAM_VERSION_PATCH);
}

}  // namespace ustream
