#include <algorithm>

#include "query/compare.hpp"
#include "query/stage.hpp"

namespace ustream::query {
namespace {

/// Views into `value` or `scratch`; owned only where arrays are gathered.
std::optional<Value> value_below(const ValueView& value, const Path& path, std::size_t at,
                                 Scratch& scratch) {
  if (at == path.size()) {
    return value.to_value();
  }
  const ValueView opened = open_json(value, scratch);
  if (opened.type() == ValueType::object) {
    const Member* part = nullptr;
    for (const Member& member : opened.object()) {
      if (member.name == path.rest(at)) {
        return member.value;
      }
      if (part == nullptr && member.name == path.segment(at)) {
        part = &member;
      }
    }
    return part == nullptr ? std::nullopt : value_below(part->value, path, at + 1, scratch);
  }
  if (opened.type() != ValueType::array) {
    return std::nullopt;
  }
  const Value::Array& array = opened.array();
  if (const auto index = path.index(at)) {
    return *index < array.size() ? value_below(array[*index], path, at + 1, scratch) : std::nullopt;
  }
  Value::Array gathered;
  for (const Value& element : array) {
    if (open_json(element, scratch).type() == ValueType::object) {
      if (auto found = value_below(element, path, at, scratch)) {
        gathered.push_back(*std::move(found));
      }
    }
  }
  return gathered;
}

/// What is left of a value below a node that is not whole; nullopt: nothing, and no member either.
std::optional<Value> cut(const ValueView& value, const FieldTree& tree, bool include,
                         Scratch& scratch) {
  const ValueView opened = open_json(value, scratch);
  if (opened.type() == ValueType::array) {
    Value::Array result;
    for (const Value& element : opened.array()) {
      if (auto left = cut(element, tree, include, scratch)) {
        result.push_back(*std::move(left));
      }
    }
    return result;
  }
  if (opened.type() != ValueType::object) {
    return include ? std::nullopt : std::optional(value.to_value());
  }
  Value::Object result;
  for (const Member& member : opened.object()) {
    const FieldTree* child = tree.find(member.name);
    if (child == nullptr || child->whole) {
      if ((child != nullptr) == include) {
        result.push_back(member);
      }
    } else if (auto left = cut(member.value, *child, include, scratch)) {
      result.push_back({member.name, *std::move(left)});
    }
  }
  return result;
}

/// Sets a member, in the place of one of that name if there is one.
void set(Value::Object& object, const std::string& name, Value value) {
  const auto at = std::find_if(object.begin(), object.end(),
                               [&](const Member& each) { return each.name == name; });
  if (at == object.end()) {
    object.push_back({name, std::move(value)});
  } else {
    at->value = std::move(value);
  }
}

}  // namespace

std::optional<Value> field_value(const Document& row, const Path& path, Scratch& scratch) {
  const auto field = [&](std::string_view name) -> std::optional<ValueView> {
    const auto index = row.codec()->find(row.raw(), name);
    return index ? row.codec()->field(row.raw(), *index, scratch) : std::nullopt;
  };
  if (const auto whole = field(path.text())) {
    return whole->to_value();
  }
  if (!path.dotted()) {
    return std::nullopt;
  }
  const auto first = field(path.segment(0));
  return first ? value_below(*first, path, 1, scratch) : std::nullopt;
}

std::optional<Value> evaluate(const Expression& expression, const Document& row, Scratch& scratch) {
  if (!expression.field) {
    return expression.constant;
  }
  auto value = field_value(row, *expression.field, scratch);
  if (value && value->type() == ValueType::json) {
    return open_json(*value, scratch).to_value();
  }
  return value;
}

const FieldTree* FieldTree::find(std::string_view child) const noexcept {
  const auto at = std::find_if(children.begin(), children.end(),
                               [&](const FieldTree& each) { return each.name == child; });
  return at == children.end() ? nullptr : &*at;
}

bool FieldTree::add(const Path& path, std::size_t at) {
  if (at == path.size()) {
    const bool free = !whole && children.empty();
    whole = true;
    return free;
  }
  if (whole) {
    return false;
  }
  const auto found = std::find_if(children.begin(), children.end(), [&](const FieldTree& each) {
    return each.name == path.segment(at);
  });
  if (found != children.end()) {
    return found->add(path, at + 1);
  }
  children.push_back({std::string(path.segment(at)), false, {}});
  return children.back().add(path, at + 1);
}

Value::Object ProjectStage::apply(const Document& row, Scratch& scratch) const {
  Value::Object result;
  for (std::size_t i = 0; i < row.field_count(); ++i) {
    const auto value = row.field(i, scratch);
    if (!value) {
      continue;
    }
    const std::string name(row.field_name(i));
    const FieldTree* child = fields.find(name);
    const bool named =
        (child != nullptr && child->whole) || std::binary_search(exact.begin(), exact.end(), name);
    if (named || child == nullptr) {
      if (named == include) {
        result.push_back({name, value->to_value()});
      }
    } else if (auto left = cut(*value, *child, include, scratch)) {
      result.push_back({name, *std::move(left)});
    }
  }
  for (const auto& [name, path] : renames) {
    if (auto value = field_value(row, path, scratch)) {
      set(result, name, *std::move(value));
    }
  }
  return result;
}

}  // namespace ustream::query
