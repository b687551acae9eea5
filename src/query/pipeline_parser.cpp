#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

#include "query/names.hpp"
#include "query/number.hpp"
#include "query/parser.hpp"
#include "query/stage.hpp"

namespace ustream {
namespace query {
namespace {

using std::string_view;

constexpr std::array<string_view, 7> kStages{"$match", "$group",   "$sort", "$limit",
                                             "$skip",  "$project", "$count"};
constexpr std::array<string_view, 5> kAccumulators{"$sum", "$avg", "$min", "$max", "$count"};

[[noreturn]] void fail(const std::string& message) {
  throw ValidationError("pipeline: " + message);
}

class PipelineParser {
 public:
  explicit PipelineParser(const QueryLimits& limits) : limits_(limits) {}

  std::vector<Stage> stages(const Value& value) {
    const auto* array = value.get_if<Value::Array>();
    if (array == nullptr) {
      fail("expected an array of stages, found " + std::string(to_string(value.type())));
    }
    if (array->size() > limits_.max_stages) {
      fail("more than " + std::to_string(limits_.max_stages) + " stages");
    }
    std::vector<Stage> result;
    for (const Value& each : *array) {
      const auto* object = each.get_if<Value::Object>();
      if (object == nullptr || object->size() != 1) {
        fail("each stage is an object with one member, as in {\"$limit\":10}");
      }
      result.push_back(stage(object->front().name, object->front().value));
    }
    return result;
  }

 private:
  Stage stage(const std::string& name, const Value& value) {
    if (name == "$match") {
      return {MatchStage{Filter::parse(value, limits_)}};
    }
    if (name == "$group") {
      return {group(object_of(name, value))};
    }
    if (name == "$sort") {
      SortStage sort{parse_sort(value)};
      if (sort.fields.empty()) {
        fail("\"$sort\" names no field");
      }
      return {std::move(sort)};
    }
    if (name == "$limit") {
      const std::uint64_t rows = row_count(name, value);
      if (rows == 0) {
        fail("\"$limit\" needs a positive integer");
      }
      return {LimitStage{rows}};
    }
    if (name == "$skip") {
      return {SkipStage{row_count(name, value)}};
    }
    if (name == "$count") {
      return {CountStage{output_name(value.type() == ValueType::string ? value.as_string() : "")}};
    }
    if (name == "$project") {
      return {project(object_of(name, value))};
    }
    fail("unknown stage " + quoted(name) + suggestion(name, kStages));
  }

  static const Value::Object& object_of(const std::string& name, const Value& value) {
    const auto* object = value.get_if<Value::Object>();
    if (object == nullptr || object->empty()) {
      fail(quoted(name) + " needs an object with members");
    }
    return *object;
  }

  static std::uint64_t row_count(const std::string& name, const Value& value) {
    if (const auto* number = value.get_if<std::int64_t>(); number != nullptr && *number >= 0) {
      return static_cast<std::uint64_t>(*number);
    }
    if (const auto* number = value.get_if<std::uint64_t>()) {
      return *number;
    }
    fail(quoted(name) + " needs an integer that is not negative");
  }

  void count() {
    if (++nodes_ > limits_.max_nodes) {
      fail("more than " + std::to_string(limits_.max_nodes) + " operators and operands");
    }
  }

  static std::string output_name(const std::string& name) {
    if (name.empty() || name.front() == '$' || name.find('.') != std::string::npos ||
        !is_valid_utf8(name)) {
      fail("a name for a result must not be empty, begin with $ or hold a point; found " +
           quoted(name));
    }
    return name;
  }

  /// Of "$a.b".
  Path field_reference(const std::string& text) const {
    if (text.size() < 2 || text[1] == '$') {
      fail(quoted(text) + " is no field; a field is written \"$name\"");
    }
    return parse_path(string_view(text).substr(1), limits_);
  }

  Expression expression(const Value& value) {
    count();
    Expression result;
    if (value.type() == ValueType::array || value.type() == ValueType::object) {
      fail("expressions are fields (\"$name\") and constants; found " +
           std::string(to_string(value.type())));
    }
    const auto* text = value.get_if<std::string>();
    if (text != nullptr && text->starts_with('$')) {
      result.field = field_reference(*text);
    } else {
      result.constant = value;
    }
    return result;
  }

  GroupStage group(const Value::Object& object) {
    GroupStage stage;
    bool has_id = false;
    for (const Member& member : object) {
      if (member.name == "_id") {
        has_id = true;
        group_id(stage, member.value);
      } else {
        stage.outputs.push_back(accumulator(member));
      }
    }
    if (!has_id) {
      fail("\"$group\" needs an \"_id\": null, \"$field\" or an object of fields");
    }
    return stage;
  }

  void group_id(GroupStage& stage, const Value& value) {
    const auto* object = value.get_if<Value::Object>();
    if (object == nullptr) {
      stage.id.emplace_back("", expression(value));
      return;
    }
    stage.id_is_object = true;
    for (const Member& member : *object) {
      stage.id.emplace_back(output_name(member.name), expression(member.value));
    }
  }

  GroupStage::Output accumulator(const Member& member) {
    const auto* object = member.value.get_if<Value::Object>();
    if (object == nullptr || object->size() != 1) {
      fail("field " + quoted(member.name) + R"( of "$group" needs an accumulator like {"$sum":1})");
    }
    GroupStage::Output output;
    output.name = output_name(member.name);
    const auto& [name, operand] = object->front();
    const auto at = std::find(kAccumulators.begin(), kAccumulators.end(), name);
    if (at == kAccumulators.end()) {
      fail("unknown accumulator " + quoted(name) + suggestion(name, kAccumulators));
    }
    output.kind = static_cast<Accumulate>(at - kAccumulators.begin());
    if (output.kind != Accumulate::count) {
      output.operand = expression(operand);
    } else if (const auto* empty = operand.get_if<Value::Object>(); !empty || !empty->empty()) {
      fail(R"("$count" as an accumulator is written {"$count":{}})");
    }
    return output;
  }

  ProjectStage project(const Value::Object& object) {
    ProjectStage stage;
    stage.include = includes(object);
    bool id_named = false;
    for (const Member& member : object) {
      count();
      id_named = id_named || member.name == "_id";
      project_member(stage, member);
    }
    // As in MongoDB, _id stays unless it is taken out.
    if (stage.include && !id_named) {
      add_path(stage, "_id");
    }
    std::sort(stage.exact.begin(), stage.exact.end());
    return stage;
  }

  /// True, false, or for "$field" true.
  static bool is_included(const Member& member) {
    const ValueView view(member.value);
    if (view.type() == ValueType::boolean) {
      return view.boolean();
    }
    if (is_number(view.type()) && (to_double(view) == 0 || to_double(view) == 1)) {
      return to_double(view) == 1;
    }
    if (view.type() == ValueType::string) {
      return true;
    }
    fail("field " + quoted(member.name) + R"( of "$project" needs 1, 0 or "$field")");
  }

  static bool includes(const Value::Object& object) {
    std::optional<bool> include;
    for (const Member& member : object) {
      const bool included = is_included(member);
      if (member.name == "_id" && member.value.type() != ValueType::string) {
        continue;
      }
      if (include && *include != included) {
        fail("\"$project\" mixes fields to keep and fields to leave out");
      }
      include = included;
    }
    // {"_id":0} alone leaves out, {"_id":1} alone keeps.
    return include.value_or(is_included(object.front()));
  }

  void project_member(ProjectStage& stage, const Member& member) const {
    if (const auto* text = member.value.get_if<std::string>()) {
      if (!text->starts_with('$')) {
        fail("field " + quoted(member.name) + R"( of "$project" needs 1, 0 or "$field")");
      }
      stage.renames.emplace_back(output_name(member.name), field_reference(*text));
      return;
    }
    if (is_included(member) == stage.include) {
      add_path(stage, member.name);
    }
  }

  void add_path(ProjectStage& stage, const std::string& name) const {
    if (name.empty() || name.front() == '$') {
      fail(quoted(name) + " is no field name");
    }
    const Path path = parse_path(name, limits_);
    if (!stage.fields.add(path)) {
      fail("\"$project\" names both " + quoted(name) + " and a part or a parent of it");
    }
    stage.exact.push_back(name);
  }

  QueryLimits limits_;
  std::size_t nodes_ = 0;
};

}  // namespace
}  // namespace query

Pipeline Pipeline::parse(std::string_view json, const QueryLimits& limits) {
  return parse(parse_json(json), limits);
}

Pipeline Pipeline::parse(const Value& value, const QueryLimits& limits) {
  Pipeline pipeline;
  pipeline.stages_ = std::make_shared<const std::vector<query::Stage>>(
      query::PipelineParser(limits).stages(value));
  return pipeline;
}

const std::vector<query::Stage>& Pipeline::stages() const noexcept {
  static const std::vector<query::Stage> kNone;
  return stages_ == nullptr ? kNone : *stages_;
}

Filter Pipeline::leading_match() const {
  if (stages().empty()) {
    return {};
  }
  const auto* match = std::get_if<query::MatchStage>(&stages().front().what);
  return match == nullptr ? Filter() : match->filter;
}

}  // namespace ustream
