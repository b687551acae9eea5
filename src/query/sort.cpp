#include <algorithm>
#include <limits>
#include <utility>

#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/query.hpp"

#include "query/names.hpp"
#include "query/number.hpp"
#include "query/parser.hpp"
#include "query/path.hpp"

namespace ustream {
namespace {

constexpr std::size_t kMaxSortFields = 32;  // MongoDB's limit too

void add_sort_field(std::vector<SortField>& fields, const std::string& name,
                    const Value& direction) {
  static_cast<void>(query::parse_path(name, {}));
  const ValueView view(direction);
  const double number = query::is_number(view.type()) ? query::to_double(view) : 0;
  if (number != 1 && number != -1) {
    throw ValidationError("sort: field " + query::quoted(name) +
                          " needs 1 (ascending) or -1 (descending)");
  }
  if (std::any_of(fields.begin(), fields.end(),
                  [&](const SortField& each) { return each.field == name; })) {
    throw ValidationError("sort: field " + query::quoted(name) + " is named twice");
  }
  if (fields.size() == kMaxSortFields) {
    throw ValidationError("sort: more than " + std::to_string(kMaxSortFields) + " fields");
  }
  fields.push_back({name, number < 0});
}

[[noreturn]] void no_sort() {
  throw ValidationError(R"(sort: expected {"field":1,…} or [["field",1],…])");
}

/// MongoDB's rule for several values along a path: the lowest ascending, the highest descending.
ValueView sort_key(const Document& row, const query::Path& path, bool descending,
                   Scratch& scratch) {
  std::optional<ValueView> best;
  const auto consider = [&](const ValueView& value) {
    if (!best || (compare_values(value, *best) > 0) == descending) {
      best = value;
    }
  };
  query::any_leaf(row, path, scratch, [&](const query::Leaf& leaf) {
    const ValueView value = leaf ? query::open_json(*leaf, scratch) : ValueView();
    if (value.type() != ValueType::array || value.array().empty()) {
      consider(value.type() == ValueType::array ? ValueView() : value);
      return false;
    }
    for (const Value& element : value.array()) {
      consider(query::open_json(element, scratch));
    }
    return false;
  });
  return best.value_or(ValueView());
}

}  // namespace

std::vector<SortField> parse_sort(std::string_view json) {
  return parse_sort(parse_json(json));
}

std::vector<SortField> parse_sort(const Value& value) {
  std::vector<SortField> fields;
  if (const auto* object = value.get_if<Value::Object>()) {
    for (const Member& member : *object) {
      add_sort_field(fields, member.name, member.value);
    }
    return fields;
  }
  const auto* array = value.get_if<Value::Array>();
  if (array == nullptr) {
    no_sort();
  }
  for (const Value& each : *array) {
    const auto* pair = each.get_if<Value::Array>();
    if (pair == nullptr || pair->size() != 2 || pair->front().type() != ValueType::string) {
      no_sort();
    }
    add_sort_field(fields, pair->front().as_string(), pair->back());
  }
  return fields;
}

struct RowSorter::Impl {
  struct Order {
    query::Path path;
    bool descending = false;
  };
  struct Row {
    std::vector<Value> keys;
    std::uint64_t number = 0;  ///< of the push, breaks ties
    Document document;
  };

  std::vector<Order> orders;
  std::uint64_t skip = 0;
  std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t pushed = 0;
  std::vector<Row> rows;  ///< once full, a heap with the last row in order on top
  Scratch scratch;

  template <class Keys>
  [[nodiscard]] int compare(const Keys& a, const std::vector<Value>& b) const {
    for (std::size_t i = 0; i < orders.size(); ++i) {
      if (const int order = compare_values(a[i], b[i]); order != 0) {
        return orders[i].descending ? -order : order;
      }
    }
    return 0;
  }
  [[nodiscard]] bool less(const Row& a, const Row& b) const {
    const int order = compare(a.keys, b.keys);
    return order != 0 ? order < 0 : a.number < b.number;
  }
  [[nodiscard]] auto in_order() const {
    return [this](const Row& a, const Row& b) { return less(a, b); };
  }

  void push(Document document) {
    std::vector<ValueView> keys;
    keys.reserve(orders.size());
    for (const Order& order : orders) {
      keys.push_back(sort_key(document, order.path, order.descending, scratch));
    }
    const bool full = rows.size() >= capacity;
    // A row that ties with the last one came later than it.
    if (!full || (!rows.empty() && compare(keys, rows.front().keys) < 0)) {
      Row row{{}, pushed, std::move(document)};
      row.keys.reserve(keys.size());
      for (const ValueView& key : keys) {
        row.keys.push_back(key.to_value());
      }
      keep(std::move(row), full);
    }
    ++pushed;
    scratch.clear();
  }

  void keep(Row row, bool full) {
    if (full) {
      std::pop_heap(rows.begin(), rows.end(), in_order());
      rows.back() = std::move(row);
      std::push_heap(rows.begin(), rows.end(), in_order());
      return;
    }
    rows.push_back(std::move(row));
    if (rows.size() == capacity) {
      std::make_heap(rows.begin(), rows.end(), in_order());
    }
  }
};

RowSorter::RowSorter(std::vector<SortField> sort, std::uint64_t skip,
                     std::optional<std::uint64_t> limit)
    : impl_(std::make_unique<Impl>()) {
  for (SortField& field : sort) {
    impl_->orders.push_back({query::Path(std::move(field.field)), field.descending});
  }
  impl_->skip = skip;
  if (limit && (*limit == 0 || *limit <= impl_->capacity - skip)) {
    impl_->capacity = *limit == 0 ? 0 : skip + *limit;
  }
}

RowSorter::~RowSorter() = default;

void RowSorter::push(Document row) {
  if (row.has_value()) {
    impl_->push(std::move(row));
  }
}

std::vector<Document> RowSorter::finish() {
  auto& rows = impl_->rows;
  std::sort(rows.begin(), rows.end(), impl_->in_order());
  std::vector<Document> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i >= impl_->skip) {
      result.push_back(std::move(rows[i].document));
    }
  }
  rows.clear();
  return result;
}

}  // namespace ustream
