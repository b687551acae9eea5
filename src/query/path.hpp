// Dotted field paths and how they walk through objects, arrays and JSON columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/document.hpp"
#include "ustream/value.hpp"

#include "query/compare.hpp"

namespace ustream::query {

/// "a.b.0". A field whose name is the whole rest of the path, dots and all, wins over its parts.
class Path {
 public:
  Path() = default;
  explicit Path(std::string text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool dotted() const noexcept { return segments_.size() > 1; }
  [[nodiscard]] std::size_t size() const noexcept { return segments_.size(); }
  [[nodiscard]] std::string_view segment(std::size_t i) const noexcept {
    return std::string_view(text_).substr(segments_[i].begin, segments_[i].size);
  }
  /// Segment i and all after it.
  [[nodiscard]] std::string_view rest(std::size_t i) const noexcept {
    return std::string_view(text_).substr(segments_[i].begin);
  }
  /// Segment i as an array index.
  [[nodiscard]] std::optional<std::size_t> index(std::size_t i) const noexcept {
    return segments_[i].index;
  }
  /// Segments that read as array indexes.
  [[nodiscard]] std::size_t index_count() const noexcept;

 private:
  struct Segment {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::optional<std::size_t> index;
  };
  std::string text_;
  std::vector<Segment> segments_;
};

/// A value at the end of a path; nullopt: there is none.
using Leaf = std::optional<ValueView>;

/// Calls `test(Leaf)` for the values at segment `at` of `path` below `value`, until one returns
/// true. Every object passed through that lacks the field gives a missing leaf; what is neither
/// object nor array within an array gives none, as in MongoDB. json is opened.
template <class Test>
bool any_leaf(const ValueView& value, const Path& path, std::size_t at, Scratch& scratch,
              const Test& test) {
  if (at == path.size()) {
    return test(Leaf(value));
  }
  const ValueView opened = open_json(value, scratch);
  if (opened.type() == ValueType::object) {
    const Value::Object& object = opened.object();
    const Member* part = nullptr;
    for (const Member& member : object) {
      if (member.name == path.rest(at)) {
        return test(Leaf(ValueView(member.value)));
      }
      if (part == nullptr && member.name == path.segment(at)) {
        part = &member;
      }
    }
    return part == nullptr ? test(Leaf()) : any_leaf(part->value, path, at + 1, scratch, test);
  }
  if (opened.type() != ValueType::array) {
    return test(Leaf());
  }
  const Value::Array& array = opened.array();
  if (const auto index = path.index(at); index && *index < array.size()) {
    if (any_leaf(array[*index], path, at + 1, scratch, test)) {
      return true;
    }
  }
  for (const Value& element : array) {
    const ValueView item = open_json(element, scratch);
    if (item.type() == ValueType::object && any_leaf(item, path, at, scratch, test)) {
      return true;
    }
  }
  return false;
}

/// The same from the top of a document.
template <class Test>
bool any_leaf(const Document& document, const Path& path, Scratch& scratch, const Test& test) {
  const DocumentCodec* codec = document.codec();
  if (const auto index = codec->find(document.raw(), path.text())) {
    return test(codec->field(document.raw(), *index, scratch));
  }
  if (!path.dotted()) {
    return test(Leaf());
  }
  const auto index = codec->find(document.raw(), path.segment(0));
  const Leaf first = index ? codec->field(document.raw(), *index, scratch) : std::nullopt;
  return first ? any_leaf(*first, path, 1, scratch, test) : test(Leaf());
}

}  // namespace ustream::query
