#include "memory_store.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <ustream/error.hpp>

namespace memory {
namespace {

using ustream::Change;
using ustream::Document;
using ustream::Position;
using ustream::Value;

constexpr std::size_t kMostAtOnce = 1000;

class MemorySource final : public ustream::SourceInfo {
 public:
  void write_json(std::string& out, const Position& /*position*/) const override {
    out += R"({"db":"memory"})";
  }
};

/// Another for each store, so that no cursor is taken for one of another store's history.
std::string new_epoch() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

std::int64_t parse_id(std::string_view key, const ustream::Schema& schema) {
  const ustream::Key parsed = ustream::Key::parse(key, schema);
  const auto* id = parsed.parts()[0].get_if<std::int64_t>();
  if (id == nullptr) {
    throw ustream::ValidationError("the key must be an integer, not '" + std::string(key) + "'");
  }
  return *id;
}

/// The fields of the row that is to stand: id first, then those kept, then those given.
Value::Object merge(std::int64_t id, const Document* old, const Value::Object& data,
                    const ustream::Schema& schema) {
  Value::Object row{{"id", id}};
  for (std::size_t i = 1; i < schema.columns().size(); ++i) {
    const std::string& name = schema.columns()[i].name;
    const auto given = std::find_if(data.begin(), data.end(),
                                    [&](const ustream::Member& m) { return m.name == name; });
    if (given != data.end()) {
      row.push_back(*given);
    } else if (const auto kept = old == nullptr ? std::nullopt : old->get(name)) {
      row.push_back({name, *kept});
    }
  }
  return row;
}

void check_data(std::int64_t id, const Value::Object& data, const ustream::Schema& schema) {
  for (const ustream::Member& member : data) {
    if (!schema.find(member.name)) {
      throw ustream::ValidationError("'" + schema.collection() + "' has no field '" + member.name +
                                     "'");
    }
    if (member.name == "id" && !ustream::values_equal(member.value, Value(id))) {
      throw ustream::ValidationError("the data's 'id' is not the key's");
    }
  }
}

}  // namespace

Store::Store(std::size_t log_rows)
    : log_rows_(log_rows),
      origin_(std::make_shared<const ustream::PositionOrigin>(
          ustream::PositionOrigin{"memory", new_epoch()})),
      source_(std::make_shared<const MemorySource>()) {}

void Store::create(const std::string& collection, std::vector<std::string> fields) {
  std::vector<ustream::Column> columns{{"id", "integer", ustream::KeyAffinity::number, false}};
  for (std::string& field : fields) {
    columns.push_back({std::move(field), {}, ustream::KeyAffinity::text, true});
  }
  const std::lock_guard lock(mutex_);
  collections_[collection] = {std::make_shared<const ustream::Schema>(
                                  collection, std::move(columns), std::vector<std::size_t>{0}),
                              {}};
}

void Store::drop(const std::string& collection) {
  const std::lock_guard lock(mutex_);
  collections_.erase(collection);
}

std::vector<std::string> Store::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, collection] : collections_) {
    names.push_back(name);
  }
  return names;
}

const Store::Collection& Store::find(std::string_view collection) const {
  const auto found = collections_.find(collection);
  if (found != collections_.end()) {
    return found->second;
  }
  std::vector<std::string> names;
  for (const auto& [name, other] : collections_) {
    names.push_back(name);
  }
  const std::string nearest = ustream::nearest_name(collection, names);
  throw ustream::ValidationError(
      "there is no collection '" + std::string(collection) + "'" +
      (nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?"));
}

Store::Collection& Store::find(std::string_view collection) {
  return const_cast<Collection&>(std::as_const(*this).find(collection));
}

ustream::SchemaPtr Store::schema(std::string_view collection) const {
  const std::lock_guard lock(mutex_);
  return find(collection).schema;
}

std::optional<Document> Store::read(std::string_view collection, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const Collection& there = find(collection);
  const auto row = there.rows.find(parse_id(key, *there.schema));
  return row == there.rows.end() ? std::nullopt : std::optional(row->second);
}

ustream::WriteResult Store::write(std::string_view collection, std::string_view key,
                                  const Value::Object& data, ustream::WriteMode mode) {
  ustream::WriteResult result;
  {
    const std::lock_guard lock(mutex_);
    Collection& there = find(collection);
    const std::int64_t next = there.rows.empty() ? 1 : there.rows.rbegin()->first + 1;
    const std::int64_t id = key.empty() ? next : parse_id(key, *there.schema);
    check_data(id, data, *there.schema);
    const auto row = there.rows.find(id);
    result.created = row == there.rows.end();
    const Document before = result.created ? Document() : row->second;
    const bool keeps = before && mode == ustream::WriteMode::merge;
    const Document after(merge(id, keeps ? &before : nullptr, data, *there.schema));
    there.rows[id] = after;
    append(result.created ? ustream::Op::create : ustream::Op::update, there, before, after);
    result.key = std::to_string(id);
    result.position = position(end_);
  }
  appended_.notify_all();
  return result;
}

ustream::DeleteResult Store::remove(std::string_view collection, std::string_view key) {
  ustream::DeleteResult result;
  {
    const std::lock_guard lock(mutex_);
    Collection& there = find(collection);
    const auto row = there.rows.find(parse_id(key, *there.schema));
    result.key = key;
    result.existed = row != there.rows.end();
    if (result.existed) {
      append(ustream::Op::remove, there, row->second, {});
      there.rows.erase(row);
    }
    result.position = position(end_);
  }
  appended_.notify_all();
  return result;
}

void Store::append(ustream::Op op, const Collection& collection, Document before, Document after) {
  Change change;
  change.op = op;
  change.schema = collection.schema;
  change.before = std::move(before);
  change.after = std::move(after);
  change.timestamp = ustream::Timestamp{std::chrono::duration_cast<std::chrono::microseconds>(
                                            std::chrono::system_clock::now().time_since_epoch())
                                            .count()};
  change.position = position(++end_);
  change.transaction = {.id = {}, .seq = 1, .last = true};
  change.source = source_;
  log_.push_back(std::move(change));
  if (log_.size() > log_rows_) {
    log_.pop_front();
  }
}

std::vector<Document> Store::rows(std::string_view collection, Position* at) const {
  const std::lock_guard lock(mutex_);
  std::vector<Document> result;
  for (const auto& [id, row] : find(collection).rows) {
    result.push_back(row);
  }
  if (at != nullptr) {
    *at = position(end_);
  }
  return result;
}

Position Store::end() const {
  const std::lock_guard lock(mutex_);
  return position(end_);
}

// [position]
Position Store::position(std::uint64_t number) const {
  std::string order_key;  // eight bytes, the highest first: they compare as the numbers do
  for (int shift = 56; shift >= 0; shift -= 8) {
    order_key.push_back(static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU));
  }
  return {origin_, std::move(order_key)};
}

std::uint64_t Store::number(const Position& position) const {
  if (!position || position.origin() != *origin_ || position.order_key().size() != 8) {
    throw ustream::StreamingError("the cursor is not one of this store's history",
                                  ustream::ErrorKind::history_lost,
                                  ustream::RetryAdvice::resnapshot);
  }
  std::uint64_t number = 0;
  for (const char byte : position.order_key()) {
    number = (number << 8U) | static_cast<unsigned char>(byte);
  }
  return number;
}
// [/position]

std::vector<Change> Store::after(std::uint64_t number) const {
  const std::uint64_t first = end_ - log_.size() + 1;
  if (number > end_ || number + 1 < first) {
    throw ustream::StreamingError("the log no longer goes back to the cursor",
                                  ustream::ErrorKind::history_lost,
                                  ustream::RetryAdvice::resnapshot);
  }
  const auto begin = log_.begin() + static_cast<std::ptrdiff_t>(number + 1 - first);
  const auto most = std::min<std::size_t>(kMostAtOnce, end_ - number);
  return {begin, begin + static_cast<std::ptrdiff_t>(most)};
}

std::vector<Change> Store::changes(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return after(number);
}

std::vector<Change> Store::wait_for_changes(std::uint64_t number,
                                            const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  appended_.wait(lock, stop, [&] { return end_ != number; });
  return after(number);
}

}  // namespace memory
