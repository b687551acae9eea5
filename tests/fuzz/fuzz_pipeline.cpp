// A pipeline from bytes: parsing ends in a pipeline or a ValidationError, and what parses runs.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

namespace {

using ustream::Document;
using ustream::Value;

std::vector<Document> rows() {
  std::vector<Document> result;
  for (const char* json :
       {R"({"a":1,"b":"x","c":{"d":[1,2]}})", R"({"a":2.5,"b":"y","c":[{"d":3},{"d":"z"}]})",
        R"({"a":9223372036854775807,"b":null})", R"({"a":[1,[2]],"b":"x","c.d":7})",
        R"({"a":{"$type":"decimal","text":"1e6000"},"b":{"$type":"bytes","text":"AP8="}})"}) {
    result.emplace_back(ustream::parse_json(json).as_object());
  }
  result.emplace_back(Value::Object{{"a", std::numeric_limits<double>::quiet_NaN()},
                                    {"b", ustream::Json{R"({"d":[{"e":1}]})"}}});
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 20'000) {
    return 0;
  }
  const std::string text(data, data + size);
  ustream::Pipeline pipeline;
  try {
    pipeline = ustream::Pipeline::parse(text);
  } catch (const ustream::ValidationError&) {
    return 0;
  }
  ustream::PipelineRun run(pipeline);
  for (const Document& row : rows()) {
    if (!run.push(row)) {
      break;
    }
  }
  for (const Value::Object& row : run.finish()) {
    static_cast<void>(ustream::to_json(Value(row)));
  }
  return 0;
}
