#include "connectors/sqlite/log_decoder.hpp"

#include <algorithm>
#include <tuple>

#include "ustream/query.hpp"

namespace ustream::sqlite {
namespace {

std::string fold_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c + ('a' - 'A'));
    }
  }
  return result;
}

bool equal_under(const std::string& collation, const ValueView& a, const ValueView& b) {
  if (a.is_null() || b.is_null()) {
    return false;
  }
  if (a.type() == ValueType::string && b.type() == ValueType::string) {
    if (collation == "RTRIM") {
      const auto cut = [](std::string_view text) {
        const std::size_t end = text.find_last_not_of(' ');
        return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
      };
      return cut(a.text()) == cut(b.text());
    }
    // For an application's own collation folding is a guess: it is at least as coarse as equality.
    return collation == "BINARY" ? a.text() == b.text()
                                 : fold_case(a.text()) == fold_case(b.text());
  }
  return values_equal(a, b);
}

const RowCodec& codec_of(const Document& document) {
  // Every image in this file was built by RowStorage.
  return static_cast<const RowCodec&>(*document.codec());
}

ValueView cell(const Document& document, std::size_t column) {
  return codec_of(document).cell(document.raw(), column).value_or(ValueView());
}

bool agree(const UniqueSet& set, const Document& a, const Document& b) {
  for (std::size_t i = 0; i < set.columns.size(); ++i) {
    if (!equal_under(set.collations[i], cell(a, set.columns[i]), cell(b, set.columns[i]))) {
      return false;
    }
  }
  return !set.columns.empty();
}

/// The row's identity among tracked rows: the exact bytes of its key cells.
std::string identity(const Shape& shape, const Document& image) {
  std::string text;
  Scratch scratch;
  for (const std::size_t column : shape.schema->key_columns()) {
    write_key_part(text, cell(image, column), KeyAffinity::number);
    text += '\0';
  }
  if (shape.schema->key_columns().empty()) {
    text.assign(reinterpret_cast<const char*>(image.raw().data()), image.raw().size());
  }
  return text;
}

/// Whether both have the same key, told without writing their identities; false when in doubt.
bool same_key(const Shape& shape, const Document& a, const Document& b) {
  const auto& keys = shape.schema->key_columns();
  return !keys.empty() && std::all_of(keys.begin(), keys.end(), [&](std::size_t column) {
    const ValueView left = cell(a, column);
    const ValueView right = cell(b, column);
    if (left.type() != right.type()) {
      return false;
    }
    switch (left.type()) {
      case ValueType::int64:
        return left.int64() == right.int64();
      case ValueType::string:
      case ValueType::bytes:
        return left.text() == right.text();
      default:
        return false;
    }
  });
}

}  // namespace

bool conflicts(const Shape& shape, const Document& a, const Document& b) {
  return std::any_of(shape.uniques.begin(), shape.uniques.end(),
                     [&](const UniqueSet& set) { return agree(set, a, b); });
}

LogDecoder::LogDecoder(std::shared_ptr<const PositionOrigin> origin, LogPlace after,
                       std::shared_ptr<const SourceInfo> source)
    : origin_(std::move(origin)), after_(after), source_(std::move(source)) {}

bool LogDecoder::already_seen(std::int64_t seq, std::uint16_t sub) const noexcept {
  return std::tie(seq, sub) <= std::tie(after_.seq, after_.sub);
}

void LogDecoder::push(const LogRow& row) {
  if (row.op != LogOp::deleted && row.op != LogOp::inserted) {
    flush_deleted();
  }
  switch (row.op) {
    case LogOp::inserted:
      inserted(row);
      break;
    case LogOp::before:
      before_ = row;
      break;
    case LogOp::after:
      updated(row);
      break;
    case LogOp::deleted:
      deleted(row);
      break;
    case LogOp::candidate:
      tracked_[{row.shape->id, identity(*row.shape, row.image)}] = {row.shape, row.image};
      break;
    case LogOp::ddl:
      emit(Op::ddl, row, 0, {}, {});
      break;
    case LogOp::gap:
      if (!already_seen(row.seq, 0)) {
        notice(row.seq, Resync{ResyncReason::schema, row.shape->schema->collection(), row.text,
                               make_position(origin_, row.seq, 0)});
      }
      break;
    case LogOp::started:
      break;
  }
}

void LogDecoder::push_bad(std::int64_t seq, const ShapePtr& shape, std::string reason,
                          std::string raw) {
  flush_deleted();
  if (!already_seen(seq, 0)) {
    notice(seq, Quarantine{shape ? shape->schema->collection() : std::string(), std::move(reason),
                           std::move(raw), make_position(origin_, seq, 0)});
  }
}

void LogDecoder::notice(std::int64_t /*seq*/, std::variant<Quarantine, Resync> what) {
  batch_->notices.push_back({batch_->changes.size(), std::move(what)});
}

void LogDecoder::emit(Op op, const LogRow& row, std::uint16_t sub, Document before,
                      Document after) {
  ++transaction_seq_;
  if (already_seen(row.seq, sub)) {
    return;
  }
  Change change;
  change.op = op;
  change.schema = row.shape->schema;
  change.before = std::move(before);
  change.after = std::move(after);
  change.timestamp = row.timestamp;
  change.position = make_position(origin_, row.seq, sub);
  change.transaction.seq = transaction_seq_;
  change.source = source_;
  if (op == Op::ddl) {
    change.statement = row.text;
  }
  batch_->changes.push_back(std::move(change));
}

std::uint16_t LogDecoder::evict(const LogRow& row, const std::string& key) {
  std::uint16_t sub = 0;
  for (auto it = tracked_.begin(); it != tracked_.end();) {
    const bool other = it->first.second != key;
    if (it->first.first == row.shape->id && other &&
        conflicts(*row.shape, it->second.image, row.image)) {
      emit(Op::remove, row, sub++, it->second.image, {});
      it = tracked_.erase(it);
    } else {
      ++it;
    }
  }
  return sub;
}

void LogDecoder::inserted(const LogRow& row) {
  if (tracked_.empty() && deleted_.empty()) {
    return emit(Op::create, row, 0, {}, row.image);  // nothing could have been replaced
  }
  const std::string key = identity(*row.shape, row.image);
  // Deletes just before, of the same key: with recursive_triggers on, that is how a REPLACE looks.
  Document replaced;
  std::erase_if(deleted_, [&](const LogRow& gone) {
    if (gone.shape->id != row.shape->id || identity(*gone.shape, gone.image) != key) {
      return false;
    }
    replaced = gone.image;
    return true;
  });
  flush_deleted();
  const std::uint16_t sub = evict(row, key);
  if (const auto found = tracked_.find({row.shape->id, key}); found != tracked_.end()) {
    replaced = found->second.image;
    tracked_.erase(found);
  }
  emit(replaced ? Op::update : Op::create, row, sub, replaced, row.image);
}

void LogDecoder::updated(const LogRow& row) {
  // The two rows of an update come from one trigger program, so nothing can stand between them.
  std::optional<LogRow> before;
  before.swap(before_);
  if (before && (before->shape->id != row.shape->id || before->seq + 1 != row.seq)) {
    before.reset();
  }
  if (before && tracked_.empty() && same_key(*row.shape, before->image, row.image)) {
    return emit(Op::update, row, 0, before->image, row.image);
  }
  const std::string new_key = identity(*row.shape, row.image);
  const std::string old_key = before ? identity(*row.shape, before->image) : new_key;
  tracked_.erase({row.shape->id, old_key});
  std::uint16_t sub = evict(row, {});
  if (old_key != new_key && row.shape->schema->has_key()) {
    emit(Op::remove, row, sub++, before->image, {});
    emit(Op::create, row, sub, {}, row.image);
  } else {
    emit(Op::update, row, sub, before ? before->image : Document(), row.image);
  }
}

void LogDecoder::deleted(const LogRow& row) {
  if (tracked_.empty()) {
    flush_deleted();
    return emit(Op::remove, row, 0, row.image, {});
  }
  const auto found = tracked_.find({row.shape->id, identity(*row.shape, row.image)});
  if (found == tracked_.end()) {
    flush_deleted();
    emit(Op::remove, row, 0, row.image, {});
    return;
  }
  tracked_.erase(found);
  deleted_.push_back(row);
}

void LogDecoder::flush_deleted() {
  for (const LogRow& row : deleted_) {
    emit(Op::remove, row, 0, row.image, {});
  }
  deleted_.clear();
}

std::shared_ptr<ChangeBatch> LogDecoder::take() {
  auto next = std::make_shared<ChangeBatch>();
  if (!batch_->changes.empty()) {
    next->changes.push_back(std::move(batch_->changes.back()));
    batch_->changes.pop_back();
  }
  // Notices that stand behind the change kept back go with it.
  const std::size_t count = batch_->changes.size();
  const auto split = std::stable_partition(batch_->notices.begin(), batch_->notices.end(),
                                           [&](const Notice& n) { return n.index <= count; });
  for (auto it = split; it != batch_->notices.end(); ++it) {
    it->index -= count;
    next->notices.push_back(std::move(*it));
  }
  batch_->notices.erase(split, batch_->notices.end());
  return std::exchange(batch_, std::move(next));
}

std::shared_ptr<ChangeBatch> LogDecoder::finish(std::int64_t end) {
  flush_deleted();
  if (!batch_->changes.empty()) {
    batch_->changes.back().transaction.last = true;
  }
  batch_->boundary = make_position(origin_, end, kBoundarySub);
  tracked_.clear();
  before_.reset();
  return std::exchange(batch_, std::make_shared<ChangeBatch>());
}

}  // namespace ustream::sqlite
