#include "ustream/document.hpp"

#include <algorithm>
#include <utility>

#include "ustream/json.hpp"

namespace ustream {
namespace {

/// The layout of Document(Value::Object): the raw bytes are the Value::Object itself.
class ObjectCodec final : public DocumentCodec {
 public:
  [[nodiscard]] std::size_t field_count(std::span<const std::byte> raw) const override {
    return members(raw).size();
  }
  [[nodiscard]] std::string_view field_name(std::span<const std::byte> raw,
                                            std::size_t index) const override {
    return members(raw)[index].name;
  }
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                std::string_view name) const override {
    const Value::Object& fields = members(raw);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) {
        return i;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<ValueView> field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& /*scratch*/) const override {
    return ValueView(members(raw)[index].value);
  }

 private:
  static const Value::Object& members(std::span<const std::byte> raw) {
    return *reinterpret_cast<const Value::Object*>(raw.data());
  }
};

const DocumentCodec* object_codec() {
  static const ObjectCodec kCodec;
  return &kCodec;
}

bool wanted(std::string_view name, std::span<const std::string> fields) {
  return fields.empty() || std::find(fields.begin(), fields.end(), name) != fields.end();
}

}  // namespace

std::string_view Scratch::keep(std::string_view text) {
  return *texts_.emplace_back(std::make_unique<std::string>(text));
}

const Value& Scratch::keep(Value value) {
  return *values_.emplace_back(std::make_unique<Value>(std::move(value)));
}

void Scratch::clear() noexcept {
  texts_.clear();
  values_.clear();
}

Document::Document(Value::Object fields) {
  auto owner = std::make_shared<const Value::Object>(std::move(fields));
  raw_ = std::as_bytes(std::span(owner.get(), 1));
  codec_ = object_codec();
  owner_ = std::move(owner);
}

std::optional<Value> Document::get(std::string_view name) const {
  Scratch scratch;
  const std::optional<ValueView> found = view(name, scratch);
  return found ? std::optional<Value>(found->to_value()) : std::nullopt;
}

std::optional<ValueView> Document::view(std::string_view name, Scratch& scratch) const {
  if (codec_ == nullptr) {
    return std::nullopt;
  }
  const std::optional<std::size_t> index = codec_->find(raw_, name);
  return index ? codec_->field(raw_, *index, scratch) : std::nullopt;
}

Value::Object Document::to_object() const {
  Value::Object object;
  const std::size_t count = field_count();
  object.reserve(count);
  Scratch scratch;
  for (std::size_t i = 0; i < count; ++i) {
    if (const std::optional<ValueView> value = field(i, scratch)) {
      object.push_back({std::string(field_name(i)), value->to_value()});
    }
    scratch.clear();
  }
  return object;
}

void Document::write_json(std::string& out, std::span<const std::string> fields) const {
  Scratch scratch;
  const std::size_t count = field_count();
  out += '{';
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = field_name(i);
    if (!wanted(name, fields)) {
      continue;
    }
    if (const std::optional<ValueView> value = field(i, scratch)) {
      if (out.size() != start) {
        out += ',';
      }
      write_json_string(out, name);
      out += ':';
      ustream::write_json(out, *value);
    }
    scratch.clear();
  }
  out += '}';
}

std::string Document::to_json() const {
  std::string out;
  write_json(out);
  return out;
}

}  // namespace ustream
