// Any bytes as JSON: refused with a ValidationError, or a value that reads back as itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/json_text.hpp"
#include "model/typed_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = ustream::model::try_parse_json(text);
  if (!value) {
    try {
      static_cast<void>(ustream::parse_json(text));
      std::abort();
    } catch (const ustream::ValidationError&) {
      return 0;
    }
  }
  std::string typed;
  ustream::model::append_typed_json(typed, *value);
  // Nested escapes can hold more levels than one text may have.
  const auto again = ustream::model::try_parse_json(typed, {.max_depth = 10'000});
  std::string typed_again;
  if (!again) {
    std::abort();
  }
  // By text, not by value: NaN differs from itself.
  ustream::model::append_typed_json(typed_again, *again);
  if (typed != typed_again) {
    std::abort();
  }
  if (!ustream::is_valid_utf8(ustream::to_json(*value))) {
    std::abort();
  }
  return 0;
}
