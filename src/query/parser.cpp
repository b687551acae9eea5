#include "query/parser.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <re2/re2.h>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/number.hpp"
#include "model/temporal.hpp"
#include "query/names.hpp"

namespace ustream::query {
namespace {

using std::string_view;

constexpr std::array<string_view, 3> kLogical{"$and", "$or", "$nor"};
constexpr std::array<string_view, 14> kFieldOperators{
    "$eq",  "$ne",  "$gt",     "$gte",   "$lt",      "$lte",     "$in",
    "$nin", "$not", "$exists", "$regex", "$options", "$between", "$like"};

/// Each index segment doubles the ways through nested arrays.
constexpr std::size_t kMaxIndexSegments = 8;
/// Memory of one compiled $regex and its matching state; RE2's own default is 8 MiB.
constexpr std::int64_t kRegexMemory = 1 << 20;

[[noreturn]] void fail(const std::string& message) {
  throw ValidationError("filter: " + message);
}

template <std::size_t N>
bool contains(const std::array<string_view, N>& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Op> comparison(string_view name) {
  static constexpr std::array<std::pair<string_view, Op>, 6> kComparisons{{
      {"$eq", Op::equal},
      {"$ne", Op::equal},
      {"$gt", Op::greater},
      {"$gte", Op::greater_equal},
      {"$lt", Op::less},
      {"$lte", Op::less_equal},
  }};
  for (const auto& [text, op] : kComparisons) {
    if (text == name) {
      return op;
    }
  }
  return std::nullopt;
}

/// What a string constant stands for besides the string: JSON has no dates.
std::vector<Value> readings_of(const Value& value) {
  std::vector<Value> readings;
  const std::string* text = value.get_if<std::string>();
  if (text == nullptr || text->size() < 8 || text->size() > 40) {
    return readings;
  }
  const auto add = [&](const auto& parsed) {
    if (parsed) {
      readings.emplace_back(*parsed);
    }
  };
  add(model::parse_date(*text));
  add(model::parse_time(*text));
  add(model::parse_timestamp(*text));
  add(model::parse_datetime(*text));
  return readings;
}

FilterNode negate(FilterNode node) {
  if (node.op == Op::negate) {
    FilterNode child = std::move(node.children.front());
    return child;
  }
  FilterNode result(Op::negate);
  result.children.push_back(std::move(node));
  return result;
}

/// all_of or any_of, flattened, without repetitions; one child alone stands for itself.
FilterNode combine(Op op, std::vector<FilterNode> parts) {
  FilterNode result(op);
  std::unordered_set<std::string> seen;
  const auto add = [&](FilterNode node) {
    if (seen.insert(canonical_text(node)).second) {
      result.children.push_back(std::move(node));
    }
  };
  for (FilterNode& part : parts) {
    if (part.op == op) {
      for (FilterNode& child : part.children) {
        add(std::move(child));
      }
    } else {
      add(std::move(part));
    }
  }
  if (result.children.size() == 1) {
    FilterNode child = std::move(result.children.front());
    return child;
  }
  return result;
}

class FilterParser {
 public:
  explicit FilterParser(const QueryLimits& limits) : limits_(limits) {}

  FilterNode filter(const Value& value, std::size_t depth) {
    enter(depth);
    const Value::Object* object = value.get_if<Value::Object>();
    if (object == nullptr) {
      fail("expected an object like {\"field\":1}, found " + std::string(to_string(value.type())));
    }
    std::vector<FilterNode> parts;
    for (const Member& member : *object) {
      count();
      if (contains(kLogical, member.name)) {
        parts.push_back(logical(member.name, member.value, depth + 1));
      } else if (member.name.starts_with('$')) {
        unknown_logical(member.name);
      } else {
        parts.push_back(field(parse_path(member.name, limits_), member.value, depth + 1));
      }
    }
    return combine(Op::all_of, std::move(parts));
  }

 private:
  void enter(std::size_t depth) const {
    if (depth >= limits_.max_depth) {
      fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
  }

  void count() {
    if (++nodes_ > limits_.max_nodes) {
      fail("more than " + std::to_string(limits_.max_nodes) + " operators and operands");
    }
  }

  [[noreturn]] static void unknown_logical(const std::string& name) {
    if (contains(kFieldOperators, name)) {
      fail("operator " + quoted(name) + " belongs below a field, as in {\"field\":{" +
           quoted(name) + ":…}}");
    }
    fail("unknown operator " + quoted(name) + suggestion(name, kLogical));
  }

  [[noreturn]] static void unknown_operator(const std::string& name, const Path& path) {
    if (contains(kLogical, name)) {
      fail("operator " + quoted(name) + " takes whole filters and cannot stand below field " +
           quoted(path.text()));
    }
    fail("unknown operator " + quoted(name) + " for field " + quoted(path.text()) +
         suggestion(name, kFieldOperators));
  }

  FilterNode logical(const std::string& name, const Value& value, std::size_t depth) {
    enter(depth);
    const Value::Array* array = value.get_if<Value::Array>();
    if (array == nullptr || array->empty()) {
      fail(quoted(name) + " needs an array of at least one filter");
    }
    std::vector<FilterNode> parts;
    parts.reserve(array->size());
    for (const Value& each : *array) {
      parts.push_back(filter(each, depth + 1));
    }
    FilterNode node = combine(name == "$and" ? Op::all_of : Op::any_of, std::move(parts));
    return name == "$nor" ? negate(std::move(node)) : std::move(node);
  }

  FilterNode field(const Path& path, const Value& value, std::size_t depth) {
    const Value::Object* object = value.get_if<Value::Object>();
    if (object == nullptr || !is_operators(*object, path)) {
      FilterNode node = leaf(Op::equal, path);
      node.constants.push_back(constant(value, depth, Names::plain));
      return node;
    }
    return operators(path, *object, depth);
  }

  static bool is_operators(const Value::Object& object, const Path& path) {
    const auto is_operator = [](const Member& member) { return member.name.starts_with('$'); };
    const auto n = std::count_if(object.begin(), object.end(), is_operator);
    if (n != 0 && static_cast<std::size_t>(n) != object.size()) {
      fail("field " + quoted(path.text()) + " mixes operators and field names");
    }
    return n != 0;
  }

  FilterNode operators(const Path& path, const Value::Object& object, std::size_t depth) {
    enter(depth);
    std::vector<FilterNode> parts;
    for (const Member& member : object) {
      count();
      if (member.name == "$options") {
        if (std::none_of(object.begin(), object.end(),
                         [](const Member& each) { return each.name == "$regex"; })) {
          fail("\"$options\" belongs beside a \"$regex\"");
        }
        continue;
      }
      parts.push_back(one_operator(path, member, object, depth + 1));
    }
    return combine(Op::all_of, std::move(parts));
  }

  FilterNode one_operator(const Path& path, const Member& member, const Value::Object& all,
                          std::size_t depth) {
    const std::string& name = member.name;
    const Value& value = member.value;
    if (const auto op = comparison(name)) {
      FilterNode node = leaf(*op, path);
      node.constants.push_back(constant(value, depth, Names::any));
      return name == "$ne" ? negate(std::move(node)) : std::move(node);
    }
    if (name == "$in" || name == "$nin") {
      FilterNode node = in(path, name, value, depth);
      return name == "$nin" ? negate(std::move(node)) : std::move(node);
    }
    if (name == "$between") {
      return between(path, value, depth);
    }
    if (name == "$not") {
      const Value::Object* object = value.get_if<Value::Object>();
      if (object == nullptr || object->empty() || !is_operators(*object, path)) {
        fail("\"$not\" of field " + quoted(path.text()) +
             " needs operators, as in {\"$not\":{\"$gt\":1}}");
      }
      return negate(operators(path, *object, depth));
    }
    if (name == "$exists") {
      return exists(path, value);
    }
    if (name == "$regex") {
      return regex(path, value, all);
    }
    if (name == "$like") {
      return like(path, value);
    }
    unknown_operator(name, path);
  }

  static FilterNode leaf(Op op, const Path& path) {
    FilterNode node(op);
    node.path = path;
    return node;
  }

  FilterNode in(const Path& path, const std::string& name, const Value& value, std::size_t depth) {
    enter(depth);
    const Value::Array* array = value.get_if<Value::Array>();
    if (array == nullptr) {
      fail(quoted(name) + " of field " + quoted(path.text()) + " needs an array");
    }
    FilterNode node = leaf(Op::in, path);
    node.constants.reserve(array->size());
    for (const Value& each : *array) {
      node.constants.push_back(constant(each, depth + 1, Names::any));
    }
    auto& constants = node.constants;
    std::sort(constants.begin(), constants.end(), canonical_less);
    constants.erase(
        std::unique(constants.begin(), constants.end(),
                    [](const auto& a, const auto& b) { return values_equal(a.value, b.value); }),
        constants.end());
    return node;
  }

  /// Equal numbers of different types have an order too, so that the one kept is always the same.
  static bool canonical_less(const Constant& a, const Constant& b) {
    if (const int order = compare_values(a.value, b.value); order != 0) {
      return order < 0;
    }
    if (a.value.type() != b.value.type()) {
      return a.value.type() < b.value.type();
    }
    const auto* left = a.value.get_if<Decimal>();
    return left != nullptr && left->digits < b.value.get_if<Decimal>()->digits;
  }

  FilterNode between(const Path& path, const Value& value, std::size_t depth) {
    enter(depth);
    const Value::Array* array = value.get_if<Value::Array>();
    if (array == nullptr || array->size() != 2) {
      fail("\"$between\" of field " + quoted(path.text()) + " needs [low, high]");
    }
    FilterNode node = leaf(Op::between, path);
    node.constants.push_back(constant(array->front(), depth + 1, Names::any));
    node.constants.push_back(constant(array->back(), depth + 1, Names::any));
    return node;
  }

  static FilterNode exists(const Path& path, const Value& value) {
    FilterNode node = leaf(Op::exists, path);
    if (const bool* flag = value.get_if<bool>()) {
      node.wanted = *flag;
    } else if (const auto* number = value.get_if<std::int64_t>(); number && (*number | 1) == 1) {
      node.wanted = *number == 1;
    } else {
      fail("\"$exists\" of field " + quoted(path.text()) + " needs true or false");
    }
    return node;
  }

  const std::string& pattern(const Path& path, string_view name, const Value& value) const {
    const std::string* text = value.get_if<std::string>();
    if (text == nullptr) {
      fail(quoted(name) + " of field " + quoted(path.text()) + " needs a string");
    }
    if (text->size() > limits_.max_pattern_bytes) {
      fail(quoted(name) + " of field " + quoted(path.text()) + " is longer than " +
           std::to_string(limits_.max_pattern_bytes) + " bytes");
    }
    check_text(*text);
    return *text;
  }

  FilterNode like(const Path& path, const Value& value) const {
    FilterNode node = leaf(Op::like, path);
    node.like_text = pattern(path, "$like", value);
    node.like = std::make_unique<const LikePattern>(node.like_text);
    return node;
  }

  static std::string regex_options(const Path& path, const Value::Object& all) {
    const auto member = std::find_if(all.begin(), all.end(),
                                     [](const Member& each) { return each.name == "$options"; });
    if (member == all.end()) {
      return {};
    }
    const std::string* text = member->value.get_if<std::string>();
    if (text == nullptr || text->find_first_not_of("ims") != std::string::npos) {
      fail("\"$options\" of field " + quoted(path.text()) + " may hold i, m and s only");
    }
    std::string options = *text;
    std::sort(options.begin(), options.end());
    options.erase(std::unique(options.begin(), options.end()), options.end());
    return options;
  }

  FilterNode regex(const Path& path, const Value& value, const Value::Object& all) const {
    Regex result{pattern(path, "$regex", value), regex_options(path, all), nullptr};
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    const std::string flags = result.options.empty() ? "" : "(?" + result.options + ")";
    auto program = std::make_shared<const re2::RE2>(flags + result.pattern, options);
    if (!program->ok()) {
      fail("\"$regex\" of field " + quoted(path.text()) + ": " + program->error());
    }
    result.program = std::move(program);
    FilterNode node = leaf(Op::regex, path);
    node.regex = std::make_unique<const Regex>(std::move(result));
    return node;
  }

  /// Whether the objects of a constant may have names like operators: only below an explicit one.
  enum class Names { plain, any };

  static void check_text(const std::string& text) {
    if (!is_valid_utf8(text)) {
      fail("a text that is not valid UTF-8; give raw bytes as bytes");
    }
  }

  Constant constant(const Value& value, std::size_t depth, Names names) {
    Constant result;
    result.value = literal(value, depth, names);
    result.readings = readings_of(result.value);
    return result;
  }

  /// A checked copy in which JSON text is what it holds.
  Value literal(const Value& value, std::size_t depth, Names names) {
    count();
    if (const Json* json = value.get_if<Json>()) {
      return literal(parse_json(json->text), depth, names);
    }
    if (const auto* text = value.get_if<std::string>()) {
      check_text(*text);
    } else if (const auto* decimal = value.get_if<Decimal>()) {
      if (!model::is_decimal_text(decimal->digits)) {
        fail(quoted(decimal->digits) + " is no decimal number");
      }
    } else if (const auto* extended = value.get_if<Extended>()) {
      check_text(extended->type);
      check_text(extended->text);
    } else if (const auto* array = value.get_if<Value::Array>()) {
      return literal_array(*array, depth, names);
    } else if (const auto* object = value.get_if<Value::Object>()) {
      return literal_object(*object, depth, names);
    }
    return value;
  }

  Value literal_array(const Value::Array& array, std::size_t depth, Names names) {
    enter(depth);
    Value::Array result;
    result.reserve(array.size());
    for (const Value& each : array) {
      result.push_back(literal(each, depth + 1, names));
    }
    return result;
  }

  Value literal_object(const Value::Object& object, std::size_t depth, Names names) {
    enter(depth);
    const auto is_text = [&](string_view name) {
      return std::any_of(object.begin(), object.end(), [&](const Member& each) {
        return each.name == name && each.value.type() == ValueType::string;
      });
    };
    if (object.size() == 2 && is_text("$type") && is_text("text")) {
      fail("an object of \"$type\" and \"text\" stands for a typed value; give that value");
    }
    Value::Object result;
    result.reserve(object.size());
    for (const Member& member : object) {
      if (names == Names::plain && member.name.starts_with('$')) {
        fail(
            "operator " + quoted(member.name) +
            " within an object that is compared as a whole; name the inner field by a dotted path");
      }
      check_text(member.name);
      result.push_back({member.name, literal(member.value, depth + 1, names)});
    }
    return result;
  }

  QueryLimits limits_;
  std::size_t nodes_ = 0;
};

}  // namespace

Path parse_path(std::string_view text, const QueryLimits& limits) {
  if (!is_valid_utf8(text)) {
    throw ValidationError("a field name that is not valid UTF-8");
  }
  const auto parts = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.')) + 1;
  if (parts > limits.max_depth) {
    throw ValidationError("field path " + quoted(text) + " has more than " +
                          std::to_string(limits.max_depth) + " parts");
  }
  Path path{std::string(text)};
  if (path.index_count() > kMaxIndexSegments) {
    throw ValidationError("field path " + quoted(text) + " has more than " +
                          std::to_string(kMaxIndexSegments) + " array indexes");
  }
  return path;
}

FilterNode parse_filter(const Value& value, const QueryLimits& limits) {
  return FilterParser(limits).filter(value, 0);
}

}  // namespace ustream::query
