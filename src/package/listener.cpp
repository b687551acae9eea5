#include "package/listener.hpp"

#include <exception>
#include <utility>

#include "base/clock.hpp"

namespace ustream::package {
namespace {

Timestamp time_of(const Change& change) {
  return change.timestamp.value_or(Timestamp{base::now_micros()});
}

/// The fields of the key, for a row of which nothing else is known.
Document key_document(const Change& change) {
  if (change.key_fields) {
    return change.key_fields;
  }
  const auto key = change.key();
  if (!key) {
    return Document(Value::Object{});
  }
  Value::Object fields;
  const auto& columns = change.schema->key_columns();
  for (std::size_t i = 0; i < columns.size() && i < key->parts().size(); ++i) {
    fields.push_back({change.schema->columns()[columns[i]].name, key->parts()[i]});
  }
  return Document(std::move(fields));
}

Document project(const Document& row, std::span<const std::string> fields) {
  Value::Object result;
  for (const auto& name : fields) {
    if (auto value = row.get(name)) {
      result.push_back({name, std::move(*value)});
    }
  }
  return Document(std::move(result));
}

}  // namespace

std::optional<ChangeType> change_type(Op op) noexcept {
  switch (op) {
    case Op::create:
    case Op::snapshot:
      return ChangeType::created;
    case Op::update:
      return ChangeType::updated;
    case Op::remove:
      return ChangeType::deleted;
    case Op::truncate:
    case Op::ddl:
      break;
  }
  return std::nullopt;
}

Document visible_row(const Change& change, ChangeType type, std::span<const std::string> fields) {
  Document row = type == ChangeType::deleted ? change.before : change.after;
  if (!row) {
    row = key_document(change);
  }
  return fields.empty() ? row : project(row, fields);
}

DeliveryCallback make_listener(ChangeCallback callback, std::vector<std::string> fields,
                               ListenerError on_error) {
  return [callback = std::move(callback), fields = std::move(fields),
          on_error = std::move(on_error)](std::span<const Delivery> deliveries) {
    for (const Delivery& delivery : deliveries) {
      const auto type = delivery.change == nullptr ? std::nullopt : change_type(delivery.op);
      if (!type) {
        continue;
      }
      const Change& change = *delivery.change;
      try {
        const ChangeMeta meta{change.key_text().value_or(std::string()), *type, time_of(change),
                              change};
        callback(visible_row(change, *type, fields), meta);
      } catch (const std::exception& error) {
        on_error(change, error.what());
      } catch (...) {
        on_error(change, "an exception of unknown type");
      }
    }
  };
}

DeliveryCallback make_batch_listener(BatchCallback callback, std::vector<std::string> fields) {
  return [callback = std::move(callback),
          fields = std::move(fields)](std::span<const Delivery> deliveries) {
    std::vector<BatchItem> items;
    items.reserve(deliveries.size());
    for (const Delivery& delivery : deliveries) {
      const auto type = delivery.change == nullptr ? std::nullopt : change_type(delivery.op);
      if (type) {
        const Change& change = *delivery.change;
        items.push_back({visible_row(change, *type, fields),
                         change.key_text().value_or(std::string()), *type, time_of(change),
                         change});
      }
    }
    if (!items.empty()) {
      callback(items);
    }
  };
}

}  // namespace ustream::package
