#include "scripted_source.hpp"

#include <algorithm>
#include <utility>

#include "resilience/backoff.hpp"

namespace ustream::test {

namespace {

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8u) {
    bytes[i] = static_cast<char>(number & 0xffu);
  }
  return bytes;
}

Value::Object with_id(std::int64_t id, const Value::Object& fields) {
  Value::Object row{{"id", Value(id)}};
  row.insert(row.end(), fields.begin(), fields.end());
  return row;
}

}  // namespace

ScriptedSource::ScriptedSource(std::vector<std::string> collections, Options options)
    : options_(options),
      origin_(std::make_shared<PositionOrigin>(PositionOrigin{"scripted", "1"})) {
  for (std::string& name : collections) {
    Column id;
    id.name = "id";
    id.affinity = KeyAffinity::number;
    auto schema =
        std::make_shared<Schema>(name, std::vector<Column>{id}, std::vector<std::size_t>{0});
    tables_.emplace(std::move(name), Table{std::move(schema), {}});
  }
}

Position ScriptedSource::place(std::size_t transaction, std::uint64_t seq) const {
  return {origin_, big_endian(transaction) + big_endian(seq)};
}

std::size_t ScriptedSource::locate(const Position& position) const {
  if (position.origin() != *origin_) {
    throw StreamingError("another history", ErrorKind::history_lost, RetryAdvice::resnapshot);
  }
  std::size_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = (number << 8u) | static_cast<unsigned char>(position.order_key()[i]);
  }
  if (number < trimmed_) {
    throw StreamingError("trimmed", ErrorKind::history_lost, RetryAdvice::resnapshot);
  }
  return number;
}

Position ScriptedSource::append(Transaction transaction) {
  for (std::size_t i = 0; i < transaction.changes.size(); ++i) {
    Change& change = transaction.changes[i];
    change.position = place(log_.size(), i + 1);
    change.transaction = {std::to_string(log_.size()), i + 1, i + 1 == transaction.changes.size()};
  }
  log_.push_back(std::move(transaction));
  return place(log_.size(), 0);
}

Position ScriptedSource::commit(const std::vector<ScriptedWrite>& writes) {
  Position boundary;
  {
    const std::lock_guard lock(mutex_);
    Transaction transaction;
    for (const ScriptedWrite& write : writes) {
      Table& table = tables_.at(write.collection);
      Change change;
      change.schema = table.schema;
      const auto row = table.rows.find(write.id);
      const bool there = row != table.rows.end();
      if (there && options_.before_images) {
        change.before = Document(with_id(write.id, row->second));
      }
      if (write.fields) {
        change.op = there ? Op::update : Op::create;
        change.after = Document(with_id(write.id, *write.fields));
        table.rows[write.id] = *write.fields;
      } else {
        change.op = Op::remove;
        if (!change.before) {
          change.key_fields = Document(with_id(write.id, {}));
        }
        table.rows.erase(write.id);
      }
      transaction.changes.push_back(std::move(change));
    }
    boundary = append(std::move(transaction));
  }
  changed_.notify_all();
  return boundary;
}

Position ScriptedSource::put(const std::string& collection, std::int64_t id, Value::Object fields) {
  return commit({{collection, id, std::move(fields)}});
}

Position ScriptedSource::erase(const std::string& collection, std::int64_t id) {
  return commit({{collection, id, std::nullopt}});
}

Position ScriptedSource::special(const std::string& collection, Op op) {
  Position boundary;
  {
    const std::lock_guard lock(mutex_);
    Transaction transaction;
    Change& change = transaction.changes.emplace_back();
    change.op = op;
    change.schema = tables_.at(collection).schema;
    change.statement = "special";
    boundary = append(std::move(transaction));
  }
  changed_.notify_all();
  return boundary;
}

Position ScriptedSource::quarantine(const std::string& collection, const std::string& reason) {
  Position boundary;
  {
    const std::lock_guard lock(mutex_);
    Transaction transaction;
    transaction.notices.push_back(
        {0, Quarantine{collection, reason, "raw", place(log_.size(), 1)}});
    boundary = append(std::move(transaction));
  }
  changed_.notify_all();
  return boundary;
}

void ScriptedSource::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = resilience::separate_copy(error);
  }
  changed_.notify_all();
}

void ScriptedSource::refuse(const Error& error, std::uint32_t times) {
  const std::lock_guard lock(mutex_);
  refusal_ = resilience::separate_copy(error);
  refusals_ = times;
}

void ScriptedSource::fail_after(std::size_t batches, const Error& error) {
  const std::lock_guard lock(mutex_);
  planned_ = resilience::separate_copy(error);
  batches_left_ = batches;
}

void ScriptedSource::trim() {
  const std::lock_guard lock(mutex_);
  trimmed_ = log_.size();
}

void ScriptedSource::new_epoch() {
  const std::lock_guard lock(mutex_);
  origin_ = std::make_shared<PositionOrigin>(PositionOrigin{"scripted", std::to_string(++epoch_)});
  log_.clear();
  trimmed_ = 0;
}

void ScriptedSource::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void ScriptedSource::release() {
  {
    const std::lock_guard lock(mutex_);
    held_ = false;
  }
  changed_.notify_all();
}

std::uint32_t ScriptedSource::runs() const {
  const std::lock_guard lock(mutex_);
  return runs_;
}

std::uint32_t ScriptedSource::replays() const {
  const std::lock_guard lock(mutex_);
  return replays_;
}

ChangeSink* ScriptedSource::last_sink() const {
  const std::lock_guard lock(mutex_);
  return last_sink_;
}

ChangeBatchPtr ScriptedSource::batch_of(std::size_t transaction) const {
  const std::lock_guard lock(mutex_);
  return split(transaction).front();
}

Position ScriptedSource::watch(const std::vector<std::string>& collections) {
  const std::lock_guard lock(mutex_);
  for (const std::string& collection : collections) {
    if (tables_.find(collection) == tables_.end()) {
      throw ValidationError("no such collection: " + collection, collection);
    }
  }
  return place(log_.size(), 0);
}

Position ScriptedSource::current() {
  const std::lock_guard lock(mutex_);
  return place(log_.size(), 0);
}

std::vector<ChangeBatchPtr> ScriptedSource::split(std::size_t transaction) const {
  const Transaction& source = log_[transaction];
  std::vector<ChangeBatchPtr> batches;
  std::size_t next = 0;
  do {
    auto batch = std::make_shared<ChangeBatch>();
    const std::size_t end = std::min(source.changes.size(), next + options_.batch);
    batch->changes.assign(source.changes.begin() + static_cast<std::ptrdiff_t>(next),
                          source.changes.begin() + static_cast<std::ptrdiff_t>(end));
    if (next == 0) {
      batch->notices = source.notices;
    }
    next = end;
    if (next == source.changes.size()) {
      batch->boundary = place(transaction + 1, 0);
    }
    batches.push_back(std::move(batch));
  } while (next < source.changes.size());
  return batches;
}

void ScriptedSource::throw_planned() {
  if (planned_ && batches_left_-- == 0) {
    const auto error = std::exchange(planned_, std::nullopt);
    resilience::throw_copy(*error);
  }
}

void ScriptedSource::run(const Position& from, ChangeSink& sink, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++runs_;
  last_sink_ = &sink;
  if (refusals_ > 0) {
    --refusals_;
    resilience::throw_copy(*refusal_);
  }
  std::size_t next = locate(from);
  bool told = false;
  const auto epoch = epoch_;
  while (!stop.stop_requested()) {
    if (epoch != epoch_) {
      throw StreamingError("another history", ErrorKind::history_lost, RetryAdvice::resnapshot);
    }
    if (!held_ && next < log_.size()) {
      for (const ChangeBatchPtr& batch : split(next)) {
        throw_planned();
        lock.unlock();
        const bool go_on = sink.deliver(batch);
        lock.lock();
        if (!go_on) {
          return;
        }
      }
      ++next;
      told = false;
      continue;
    }
    if (failure_) {
      const auto error = std::exchange(failure_, std::nullopt);
      resilience::throw_copy(*error);
    }
    if (!std::exchange(told, true)) {
      const Position position = place(next, 0);
      lock.unlock();
      sink.caught_up(position);
      lock.lock();
      continue;
    }
    changed_.wait(lock, stop,
                  [&] { return epoch != epoch_ || failure_ || (!held_ && next < log_.size()); });
  }
}

bool ScriptedSource::replay(const Position& from, const Position& until, ChangeSink& sink,
                            const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++replays_;
  const std::size_t end = locate(until);
  for (std::size_t next = locate(from); next < end; ++next) {
    for (const ChangeBatchPtr& batch : split(next)) {
      lock.unlock();
      const bool go_on = !stop.stop_requested() && sink.deliver(batch);
      lock.lock();
      if (!go_on) {
        return false;
      }
    }
  }
  return true;
}

Position ScriptedSource::snapshot(std::string_view collection, const Filter& filter,
                                  const SnapshotCallback& rows) {
  std::vector<ChangeBatchPtr> batches;
  Position position;
  {
    const std::lock_guard lock(mutex_);
    const auto table = tables_.find(collection);
    if (table == tables_.end()) {
      throw ValidationError("no such collection");
    }
    position = place(log_.size(), 0);
    auto batch = std::make_shared<ChangeBatch>();
    for (const auto& [id, fields] : table->second.rows) {
      Change row;
      row.op = Op::snapshot;
      row.schema = table->second.schema;
      row.after = Document(with_id(id, fields));
      row.position = position;
      if (!filter.matches(row.after)) {
        continue;
      }
      batch->changes.push_back(std::move(row));
      if (batch->changes.size() == options_.batch) {
        batches.push_back(std::exchange(batch, std::make_shared<ChangeBatch>()));
      }
    }
    batches.push_back(std::move(batch));
  }
  for (ChangeBatchPtr& batch : batches) {
    if (!rows(std::move(batch))) {
      return {};
    }
  }
  return position;
}

}  // namespace ustream::test
