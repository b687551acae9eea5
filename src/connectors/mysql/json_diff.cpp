#include "connectors/mysql/json_diff.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/json_binary.hpp"
#include "connectors/mysql/json_text.hpp"
#include "model/json_text.hpp"

namespace ustream::mysql {
namespace {

enum class Operation : std::uint8_t { replace = 0, insert = 1, remove = 2 };

/// A step of a path: into an object or an array.
struct Leg {
  bool is_member = false;
  std::string name;
  std::size_t index = 0;
  bool from_end = false;  ///< [last-index]

  [[nodiscard]] std::size_t position(std::size_t size) const noexcept {
    return !from_end ? index : index < size ? size - 1 - index : size;
  }
};
using Path = std::vector<Leg>;

/// `$.a."b c"[3]`, as Json_path::to_string writes it.
class PathReader {
 public:
  explicit PathReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::optional<Path> read() {
    Path path;
    if (!accept('$')) {
      return std::nullopt;
    }
    while (!rest_.empty()) {
      if (path.size() == kMaxJsonDepth || !read_leg(path.emplace_back())) {
        return std::nullopt;
      }
    }
    return path;
  }

 private:
  bool accept(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  bool read_leg(Leg& leg) {
    leg.is_member = accept('.');
    if (leg.is_member) {
      return rest_.starts_with('"') ? read_quoted(leg) : read_name(leg);
    }
    return accept('[') && read_index(leg) && accept(']');
  }
  bool read_name(Leg& leg) {
    leg.name = rest_.substr(0, rest_.find_first_of(".["));
    rest_.remove_prefix(leg.name.size());
    return !leg.name.empty();
  }
  bool read_quoted(Leg& leg) {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') {
      end += rest_[end] == '\\' ? 2 : 1;
    }
    if (end >= rest_.size()) {
      return false;
    }
    const auto value = model::try_parse_json(rest_.substr(0, end + 1));
    const auto* name = value ? value->get_if<std::string>() : nullptr;
    if (name == nullptr) {
      return false;
    }
    leg.name = *name;
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool read_index(Leg& leg) {
    constexpr std::string_view kLast = "last";
    if (rest_.starts_with(kLast)) {
      leg.from_end = true;
      rest_.remove_prefix(kLast.size());
      if (!accept('-')) {
        return true;
      }
    }
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), leg.index);
    if (error != std::errc{}) {
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  std::string_view rest_;
};

/// A value: as it stands in its bytes until something in it is changed.
class Node {
 public:
  explicit Node(const JsonRef& raw) : raw_(raw) {}

  [[nodiscard]] bool is_object() const noexcept { return raw_.is_object(); }
  [[nodiscard]] bool is_array() const noexcept { return raw_.is_array(); }
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  [[nodiscard]] const JsonRef& raw() const noexcept { return raw_; }
  [[nodiscard]] const std::vector<Node>& items() const noexcept { return items_; }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  /// The members, to be changed. False when this is no container, or damaged.
  [[nodiscard]] bool open();
  /// Where the leg leads; items().size() when nowhere. REQUIRES open.
  [[nodiscard]] std::size_t find(const Leg& leg) const noexcept;
  [[nodiscard]] Node& item(std::size_t i) noexcept { return items_[i]; }
  void erase(std::size_t i);
  /// False when there is such a member.
  [[nodiscard]] bool insert(const Leg& leg, const JsonRef& value);

 private:
  JsonRef raw_;
  bool is_open_ = false;
  std::vector<Node> items_;
  std::vector<std::string> names_;  // of an object's items
};

/// Bytes of a value that is copied as it stands.
std::optional<std::size_t> size_of(const JsonRef& value) noexcept {
  if (!value.is_object() && !value.is_array()) {
    return json_scalar_size(value);
  }
  const auto container = JsonContainer::open(value);
  return container ? std::optional(container->byte_size()) : std::nullopt;
}

bool Node::open() {
  if (is_open_) {
    return true;
  }
  const auto container =
      is_object() || is_array() ? JsonContainer::open(raw_) : std::optional<JsonContainer>();
  if (!container) {
    return false;
  }
  // Members do not overlap: what says so is damaged, and could make much of little.
  std::size_t left = container->byte_size();
  for (std::size_t i = 0; i < container->size(); ++i) {
    const auto name = is_object() ? container->key(i) : std::string_view();
    const auto value = container->value(i);
    const auto size = value ? size_of(*value) : std::nullopt;
    if (!name || !size || name->size() + *size > left) {
      return false;
    }
    left -= name->size() + *size;
    items_.emplace_back(*value);
    if (is_object()) {
      names_.emplace_back(*name);
    }
  }
  is_open_ = true;
  return true;
}

std::size_t Node::find(const Leg& leg) const noexcept {
  if (leg.is_member != is_object()) {
    return items_.size();
  }
  if (!leg.is_member) {
    return std::min(leg.position(items_.size()), items_.size());
  }
  return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), leg.name) -
                                  names_.begin());
}

void Node::erase(std::size_t i) {
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
  if (is_object()) {
    names_.erase(names_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool Node::insert(const Leg& leg, const JsonRef& value) {
  if (leg.is_member != is_object()) {
    return false;
  }
  std::size_t at = find(leg);
  if (leg.is_member) {
    if (at != items_.size()) {
      return false;
    }
    // The server's order: shorter names first.
    const auto place = std::lower_bound(names_.begin(), names_.end(), leg.name,
                                        [](const std::string& a, const std::string& b) {
                                          return a.size() != b.size() ? a.size() < b.size() : a < b;
                                        });
    at = static_cast<std::size_t>(place - names_.begin());
    names_.insert(place, leg.name);
  }
  items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(at), Node(value));
  return true;
}

/// Writes a tree in the server's format: serialize_json_value in json_binary.cc.
class Serializer {
 public:
  explicit Serializer(std::string& out) : out_(out) {}

  /// Type byte, then the value.
  [[nodiscard]] bool root(const Node& node) {
    const std::size_t type_at = out_.size();
    out_ += '\0';
    return value(node, type_at, Width::large);
  }

 private:
  enum class Width : std::uint8_t { small = 2, large = 4 };

  /// Appends the value and sets its type. False when it does not fit into a container of that
  /// width.
  bool value(const Node& node, std::size_t type_at, Width parent) {
    if (!node.is_open()) {
      const auto size = size_of(node.raw());
      out_[type_at] = static_cast<char>(node.raw().type);
      out_ += node.raw().bytes.substr(0, size.value_or(0));
      return size.has_value();
    }
    const std::size_t start = out_.size();
    if (container(node, type_at, Width::small)) {
      return true;
    }
    out_.resize(start);
    // In a small container it cannot be large: the whole of it has to become large first.
    return parent == Width::large && container(node, type_at, Width::large);
  }

  bool container(const Node& node, std::size_t type_at, Width width) {
    const std::size_t word = static_cast<std::size_t>(width);
    const std::size_t limit = width == Width::small ? 0xffffU : 0xffff'ffffU;
    const std::size_t start = out_.size();
    const std::size_t count = node.items().size();
    const std::size_t key_entry = node.is_object() ? word + 2 : 0;
    const std::size_t values_at = start + 2 * word + count * key_entry;
    if (count > limit) {
      return false;
    }
    out_.append(2 * word + count * (key_entry + 1 + word), '\0');
    for (std::size_t i = 0; i < node.names().size(); ++i) {
      const std::string& name = node.names()[i];
      const std::size_t entry = start + 2 * word + i * key_entry;
      if (name.size() > 0xffffU) {
        return false;
      }
      put(entry, out_.size() - start, word);
      put(entry + word, name.size(), 2);
      out_ += name;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!member(node.items()[i], values_at + i * (1 + word), start, width) ||
          out_.size() - start > limit) {
        return false;
      }
    }
    put(start, count, word);
    put(start + word, out_.size() - start, word);
    const auto small = node.is_object() ? JsonType::small_object : JsonType::small_array;
    out_[type_at] = static_cast<char>(static_cast<int>(small) + (width == Width::large ? 1 : 0));
    return out_.size() - start <= limit;
  }

  bool member(const Node& node, std::size_t entry, std::size_t start, Width width) {
    const JsonType type = node.raw().type;
    const std::size_t word = static_cast<std::size_t>(width);
    if (!node.is_open() && json_is_inlined(type, word)) {
      const auto size = json_scalar_size(node.raw());
      out_[entry] = static_cast<char>(type);
      std::copy_n(node.raw().bytes.begin(), size.value_or(0),
                  out_.begin() + static_cast<std::ptrdiff_t>(entry) + 1);
      return size.has_value();
    }
    put(entry + 1, out_.size() - start, word);
    return value(node, entry, width);
  }

  void put(std::size_t at, std::size_t number, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      out_[at + i] = static_cast<char>(number >> 8 * i & 0xffU);
    }
  }

  std::string& out_;
};

/// One diff on the document; false when it does not fit it.
bool apply(Node& root, Operation operation, const Path& path, const JsonRef& value) {
  if (path.empty()) {
    return false;
  }
  Node* parent = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (!parent->open()) {
      return false;
    }
    const std::size_t at = parent->find(path[i]);
    if (at == parent->items().size()) {
      return false;
    }
    parent = &parent->item(at);
  }
  if (!parent->open()) {
    return false;
  }
  if (operation == Operation::insert) {
    return parent->insert(path.back(), value);
  }
  const std::size_t at = parent->find(path.back());
  if (at == parent->items().size()) {
    return false;
  }
  if (operation == Operation::remove) {
    parent->erase(at);
  } else {
    parent->item(at) = Node(value);
  }
  return true;
}

bool apply_next(Node& root, ByteReader& diffs) {
  const auto operation = static_cast<Operation>(diffs.u8());
  const auto path = PathReader(diffs.packed_text()).read();
  if (!diffs.ok() || operation > Operation::remove || !path) {
    return false;
  }
  if (operation == Operation::remove) {
    return apply(root, operation, *path, {});
  }
  const std::string_view value = diffs.packed_text();
  return diffs.ok() && !value.empty() && is_json_binary(value) &&
         apply(root, operation, *path, json_root(value));
}

}  // namespace

bool apply_json_diffs(std::string& out, std::string_view before, std::string_view diffs) {
  constexpr std::string_view kNull("\x04\x00", 2);  // an empty column is that
  Node root(json_root(before.empty() ? kNull : before));
  ByteReader reader(diffs);
  while (!reader.at_end()) {
    if (!apply_next(root, reader)) {
      return false;
    }
  }
  const std::size_t start = out.size();
  if (!reader.ok() || !Serializer(out).root(root)) {
    out.resize(start);
    return false;
  }
  return true;
}

}  // namespace ustream::mysql
