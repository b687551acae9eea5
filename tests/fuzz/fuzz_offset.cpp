// The offset file's parser: any bytes give a position or a ValidationError, and what parses is
// written back as the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ustream/error.hpp"

#include "base/crc32.hpp"
#include "stream/offset_store.hpp"

namespace {

void check(std::string_view text) {
  try {
    const ustream::Position position = ustream::stream::parse_offset(text);
    if (ustream::stream::format_offset(position) != text) {
      std::abort();
    }
  } catch (const ustream::ValidationError&) {
    // Refused with a message, as it should be.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text);
  // The same bytes as the cursor of a file whose checksum fits, or no input gets past it.
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string file = R"({"ustream_offset":1,"cursor":")";
  file += text;
  file += R"(","crc32":")";
  const std::uint32_t crc = ustream::base::crc32(text);
  for (int shift = 28; shift >= 0; shift -= 4) {
    file += kDigits[(crc >> static_cast<unsigned>(shift)) & 0xfu];
  }
  file += "\"}\n";
  check(file);
  return 0;
}
