#include "stream/filter_index.hpp"

#include <algorithm>

namespace ustream::stream {

std::optional<Op> effective_op(const Filter& filter, const Change& change, Scratch& scratch) {
  if (filter.empty()) {
    return change.op;
  }
  switch (change.op) {
    case Op::truncate:
    case Op::ddl:
      return change.op;
    case Op::create:
    case Op::snapshot:
      return filter.matches(change.after, scratch) ? std::optional(change.op) : std::nullopt;
    case Op::remove:
      if (!change.before) {
        return Op::remove;
      }
      return filter.matches(change.before, scratch) ? std::optional(Op::remove) : std::nullopt;
    case Op::update:
      break;
  }
  const bool after = change.after && filter.matches(change.after, scratch);
  if (!change.before) {
    return after ? Op::update : Op::remove;
  }
  const bool before = filter.matches(change.before, scratch);
  if (after) {
    return before ? Op::update : Op::create;
  }
  return before ? std::optional(Op::remove) : std::nullopt;
}

bool below(const Floors& floors, const Change& change) {
  return std::any_of(floors.begin(), floors.end(), [&](const auto& floor) {
    return (floor.first.empty() || floor.first == change.collection()) &&
           at_or_before(change.position, floor.second);
  });
}

Slot& FilterIndex::add(std::vector<std::string> collections, Filter filter) {
  std::sort(collections.begin(), collections.end());
  collections.erase(std::unique(collections.begin(), collections.end()), collections.end());
  auto slot = std::make_unique<Slot>();
  slot->collections = std::move(collections);
  slot->filter = std::move(filter);
  slots_.push_back(std::move(slot));
  insert(*slots_.back());
  return *slots_.back();
}

void FilterIndex::insert(Slot& slot) {
  const auto equality = slot.filter.indexable_equality();
  for (const std::string& name : slot.collections) {
    Collection& collection = collections_[name];
    collection.all.push_back(&slot);
    if (!equality) {
      collection.plain.push_back(&slot);
      continue;
    }
    auto field = std::find_if(collection.fields.begin(), collection.fields.end(),
                              [&](const Field& each) { return each.name == equality->field; });
    if (field == collection.fields.end()) {
      field = collection.fields.insert(field, Field{equality->field, {}, {}});
    }
    field->all.push_back(&slot);
    field->by_hash[hash_value(equality->value)].push_back(&slot);
  }
  last_schema_ = nullptr;
}

void FilterIndex::sweep() {
  std::erase_if(slots_, [](const auto& slot) { return slot->dead; });
  for (auto& [name, collection] : collections_) {
    collection.all.clear();
    collection.plain.clear();
    collection.fields.clear();
  }
  for (const auto& slot : slots_) {
    insert(*slot);
  }
  std::erase_if(collections_, [](const auto& each) { return each.second.all.empty(); });
  last_schema_ = nullptr;
}

FilterIndex::Collection* FilterIndex::find(const Change& change) {
  if (change.schema.get() != last_schema_) {
    const auto it = collections_.find(std::string_view(change.collection()));
    last_collection_ = it == collections_.end() ? nullptr : &it->second;
    last_schema_ = change.schema.get();
  }
  return last_collection_;
}

FilterIndex::Probe FilterIndex::probe(const Document& image, const std::string& field,
                                      Scratch& scratch) {
  const auto value = image.view(field, scratch);
  if (!value) {
    // MongoDB's equality with null matches a field that is not there.
    return {.any = false, .hash = hash_value(ValueView::of_null())};
  }
  switch (value->type()) {
    case ValueType::json:
    case ValueType::array:
    case ValueType::object:
      return {.any = true, .hash = 0};
    default:
      return {.any = false, .hash = hash_value(*value)};
  }
}

std::pair<FilterIndex::Probe, std::optional<std::uint64_t>> FilterIndex::probes(
    const Change& change, const Field& field, Scratch& scratch) {
  const Probe any{.any = true, .hash = 0};
  const bool has_after =
      change.op == Op::create || change.op == Op::snapshot || change.op == Op::update;
  const bool has_before = change.op == Op::update || change.op == Op::remove;
  // Without a before-image a change may concern anybody, see effective_op().
  if ((has_before && !change.before) || (!has_after && !has_before)) {
    return {any, std::nullopt};
  }
  if (!has_before) {
    return {probe(change.after, field.name, scratch), std::nullopt};
  }
  const Probe before = probe(change.before, field.name, scratch);
  if (before.any || !has_after || !change.after) {
    return {before, std::nullopt};
  }
  const Probe after = probe(change.after, field.name, scratch);
  if (after.any || after.hash == before.hash) {
    return {after, std::nullopt};
  }
  return {before, after.hash};
}

}  // namespace ustream::stream
