// Any bytes as the text of a key: refused with a ValidationError, or a value that is written and
// read back as itself. The first byte chooses how the text is read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ustream/error.hpp"
#include "ustream/schema.hpp"

namespace {

bool is_scalar(const ustream::Value& value) {
  return value.type() != ustream::ValueType::array && value.type() != ustream::ValueType::object;
}

void check_part(std::string_view text, ustream::KeyAffinity affinity) {
  const ustream::Value value = ustream::parse_key_part(text, affinity);
  std::string written;
  ustream::write_key_part(written, value, affinity);
  const ustream::Value again = ustream::parse_key_part(written, affinity);
  const bool is_nan = value != value;  // NOLINT(misc-redundant-expression): NaN differs from itself
  if (is_scalar(value) && !is_nan && again != value) {
    std::abort();
  }
}

void check_composite(std::string_view text) {
  const ustream::Schema schema("c",
                               {{"a", "", ustream::KeyAffinity::number, false},
                                {"b", "", ustream::KeyAffinity::bytes, false}},
                               {0, 1});
  const ustream::Key key = ustream::Key::parse(text, schema);
  const std::string written = key.text(schema);
  if (is_scalar(key.parts()[0]) && is_scalar(key.parts()[1]) &&
      ustream::Key::parse(written, schema).text(schema) != written) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const unsigned choice = data[0] % 5U;
    if (choice == 4) {
      check_composite(text);
    } else {
      check_part(text, static_cast<ustream::KeyAffinity>(choice));
    }
  } catch (const ustream::ValidationError&) {
    return 0;
  }
  return 0;
}
