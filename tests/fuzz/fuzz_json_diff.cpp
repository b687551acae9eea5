// Differences of JSON columns: any bytes give a value or none, never a crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "connectors/mysql/json_diff.hpp"
#include "connectors/mysql/json_text.hpp"

using namespace ustream;

// The input: the size of the value before, two bytes; that value; differences.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t before_size = std::min<std::size_t>(data[0] | data[1] << 8U, input.size());
  const std::string_view before = input.substr(0, before_size);
  std::string after = "kept";
  if (!mysql::apply_json_diffs(after, before, input.substr(before_size))) {
    if (after != "kept") {
      std::abort();
    }
    return 0;
  }
  const std::string_view binary = std::string_view(after).substr(4);
  std::string text;
  if (mysql::append_json_text(text, binary) != mysql::is_json_binary(binary)) {
    std::abort();
  }
  return 0;
}
