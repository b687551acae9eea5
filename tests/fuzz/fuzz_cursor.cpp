// Any bytes as a cursor: refused with a ValidationError, or the one text of its position.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ustream/error.hpp"
#include "ustream/position.hpp"

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "model/base64.hpp"

namespace {

void check(std::string_view text) {
  try {
    if (ustream::Position::parse(text).cursor() != text) {
      std::abort();
    }
  } catch (const ustream::ValidationError&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  // The same bytes behind a right checksum, so that the fuzzer gets past it.
  std::string sealed(input);
  ustream::base::put_big_endian(sealed, ustream::base::crc32(sealed));
  std::string text = "u1.";
  ustream::model::append_base64url(text, sealed);
  check(text);
  return 0;
}
