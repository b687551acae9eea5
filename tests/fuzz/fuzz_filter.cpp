// A filter from bytes: parsing ends in a filter or a ValidationError; the canonical text of what
// parses means the same; evaluation and translation never crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"
#include "ustream/sql_dialect.hpp"

namespace {

using ustream::Column;
using ustream::Document;
using ustream::Filter;
using ustream::KeyAffinity;
using ustream::Schema;
using ustream::SqlDialect;
using ustream::SqlFragment;
using ustream::Value;

Document example() {
  return Document(
      Value::Object{{"a", 5},
                    {"b", "text"},
                    {"c", ustream::parse_json(R"({"d":[{"e":1},{"e":"x"},[[2]]],"0":null})")},
                    {"j", ustream::Json{R"({"k":[1,{"l":2.5}]})"}},
                    {"n", nullptr},
                    {"t", ustream::Timestamp{1'767'225'600'000'000}},
                    {"x.y", ustream::Decimal{"1.50"}}});
}

/// Says everything, so that all of the translation runs.
class AnyDialect final : public SqlDialect {
 public:
  [[nodiscard]] std::string quote(std::string_view name) const override {
    return std::string(name);
  }
  [[nodiscard]] std::string placeholder(std::size_t n) const override {
    return "$" + std::to_string(n);
  }
  [[nodiscard]] std::optional<SqlFragment> compare_sql(const Column& /*column*/,
                                                       std::string_view quoted, Comparison /*op*/,
                                                       const Value& value,
                                                       bool& exact) const override {
    exact = value.type() != ustream::ValueType::string;
    return SqlFragment{std::string(quoted) + ustream::kParameterMark, {value}};
  }
  [[nodiscard]] std::optional<SqlFragment> null_sql(const Column& /*column*/,
                                                    std::string_view quoted) const override {
    return SqlFragment{std::string(quoted), {}};
  }
  [[nodiscard]] std::optional<SqlFragment> in_sql(const Column& /*column*/,
                                                  std::string_view /*quoted*/,
                                                  const std::vector<Value>& /*values*/,
                                                  bool& /*exact*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<SqlFragment> like_sql(const Column& /*column*/,
                                                    std::string_view quoted,
                                                    std::string_view pattern,
                                                    bool& /*exact*/) const override {
    return SqlFragment{std::string(quoted) + ustream::kParameterMark, {Value(pattern)}};
  }
  [[nodiscard]] std::optional<std::string> order_sql(const Column& /*column*/,
                                                     std::string_view quoted,
                                                     bool /*descending*/) const override {
    return std::string(quoted);
  }
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(const Filter& filter) {
  // Writing $eq and $and out nests deeper and takes more nodes than the input did.
  const Filter again = Filter::parse(
      filter.canonical(), {.max_depth = 200, .max_nodes = 100'000, .max_pattern_bytes = 1'000});
  require(again.canonical() == filter.canonical());
  const Document document = example();
  require(filter.matches(document) == again.matches(document));
  if (const auto equality = filter.indexable_equality(); equality && filter.matches(document)) {
    ustream::Scratch scratch;
    const auto value = document.view(equality->field, scratch);
    require(value.has_value());
    const auto type = value->type();
    require(type == ustream::ValueType::json || type == ustream::ValueType::array ||
            ustream::hash_value(*value) == ustream::hash_value(equality->value));
  }
  const Schema schema("t",
                      {{"a", "INTEGER", KeyAffinity::number, false},
                       {"b", "TEXT", KeyAffinity::text, true},
                       {"c", "", KeyAffinity::any, true}},
                      {0});
  static_cast<void>(ustream::translate_filter(filter, schema, AnyDialect()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 20'000) {
    return 0;
  }
  const std::string text(data, data + size);
  Filter filter;
  try {
    filter = Filter::parse(text);
  } catch (const ustream::ValidationError&) {
    return 0;
  }
  check(filter);
  return 0;
}
