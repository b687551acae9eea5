#include <algorithm>
#include <cmath>

#include "ustream/json.hpp"

#include "query/ast.hpp"
#include "query/number.hpp"

namespace ustream::query {
namespace {

void append_typed(std::string& out, std::string_view type, const ValueView& text) {
  out += R"({"$type":")";
  out += type;
  out += R"(","text":)";
  write_json(out, text);
  out += '}';
}

void append_number(std::string& out, const ValueView& value) {
  const double number = value.float64();
  if (std::isfinite(number)) {
    // A float means what the double of its value means.
    write_json(out, ValueView::of(number));
    return;
  }
  const std::string_view name = std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  append_typed(out, to_string(ValueType::decimal), ValueView::of(name));
}

/// JSON that parse_json reads back as an equal value of the same bracket.
void append_value(std::string& out, const Value& value) {
  switch (value.type()) {
    case ValueType::float32:
    case ValueType::float64:
      append_number(out, value);
      return;
    case ValueType::decimal:
    case ValueType::bytes:
    case ValueType::date:
    case ValueType::time:
    case ValueType::timestamp:
    case ValueType::datetime:
    case ValueType::uuid:
    case ValueType::objectid:
      append_typed(out, to_string(value.type()), value);
      return;
    case ValueType::array: {
      char separator = '[';
      for (const Value& each : value.as_array()) {
        out += separator;
        append_value(out, each);
        separator = ',';
      }
      out += value.as_array().empty() ? "[]" : "]";
      return;
    }
    case ValueType::object: {
      char separator = '{';
      for (const Member& member : value.as_object()) {
        out += separator;
        write_json_string(out, member.name);
        out += ':';
        append_value(out, member.value);
        separator = ',';
      }
      out += value.as_object().empty() ? "{}" : "}";
      return;
    }
    default:
      write_json(out, value);
  }
}

std::string_view operator_name(Op op) {
  switch (op) {
    case Op::equal:
      return "$eq";
    case Op::less:
      return "$lt";
    case Op::less_equal:
      return "$lte";
    case Op::greater:
      return "$gt";
    case Op::greater_equal:
      return "$gte";
    case Op::between:
      return "$between";
    case Op::in:
      return "$in";
    case Op::exists:
      return "$exists";
    case Op::regex:
      return "$regex";
    case Op::like:
      return "$like";
    default:
      return "";
  }
}

void append_operand(std::string& out, const FilterNode& leaf) {
  switch (leaf.op) {
    case Op::between:
    case Op::in: {
      out += '[';
      for (const Constant& constant : leaf.constants) {
        if (&constant != leaf.constants.data()) {
          out += ',';
        }
        append_value(out, constant.value);
      }
      out += ']';
      return;
    }
    case Op::exists:
      out += leaf.wanted ? "true" : "false";
      return;
    case Op::regex:
      write_json_string(out, leaf.regex->pattern);
      if (!leaf.regex->options.empty()) {
        out += R"(,"$options":")" + leaf.regex->options + '"';
      }
      return;
    case Op::like:
      write_json_string(out, leaf.like_text);
      return;
    default:
      append_value(out, leaf.constants.front().value);
  }
}

/// {"$gt":5}
void append_operator(std::string& out, const FilterNode& leaf, std::string_view name) {
  out += "{\"";
  out += name;
  out += "\":";
  append_operand(out, leaf);
  out += '}';
}

void append_list(std::string& out, std::string_view name, std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  out += "{\"";
  out += name;
  out += "\":";
  char separator = '[';
  for (const std::string& part : parts) {
    out += separator;
    out += part;
    separator = ',';
  }
  out += "]}";
}

std::vector<std::string> texts(const std::vector<FilterNode>& nodes) {
  std::vector<std::string> result;
  result.reserve(nodes.size());
  for (const FilterNode& node : nodes) {
    result.push_back(canonical_text(node));
  }
  return result;
}

void append_negated(std::string& out, const FilterNode& child) {
  if (child.op == Op::any_of) {
    append_list(out, "$nor", texts(child.children));
    return;
  }
  if (child.op == Op::all_of) {
    append_list(out, "$nor", {canonical_text(child)});
    return;
  }
  out += '{';
  write_json_string(out, child.path.text());
  out += ':';
  if (child.op == Op::equal || child.op == Op::in) {
    append_operator(out, child, child.op == Op::equal ? "$ne" : "$nin");
  } else {
    out += R"({"$not":)";
    append_operator(out, child, operator_name(child.op));
    out += '}';
  }
  out += '}';
}

}  // namespace

std::string canonical_text(const FilterNode& node) {
  std::string out;
  switch (node.op) {
    case Op::all_of:
      if (node.children.empty()) {
        return "{}";
      }
      append_list(out, "$and", texts(node.children));
      break;
    case Op::any_of:
      append_list(out, "$or", texts(node.children));
      break;
    case Op::negate:
      append_negated(out, node.children.front());
      break;
    default:
      out += '{';
      write_json_string(out, node.path.text());
      out += ':';
      append_operator(out, node, operator_name(node.op));
      out += '}';
  }
  return out;
}

}  // namespace ustream::query
