#include "ustream/document.hpp"

#include <algorithm>
#include <utility>

#include "ustream/json.hpp"

#include "model/json_text.hpp"

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

/// What a Scratch keeps of each kind of memory when it is cleared.
constexpr std::size_t kKeptBytes = std::size_t{64} << 10U;

class ObjectMaker final : public FieldVisitor {
 public:
  ObjectMaker(Value::Object& object, Scratch& scratch) : object_(object), scratch_(scratch) {}
  [[nodiscard]] bool wants(std::size_t /*index*/, std::string_view /*name*/) override {
    return true;
  }
  void visit(std::size_t /*index*/, std::string_view name, const ValueView& value) override {
    object_.push_back({std::string(name), value.to_value()});
    scratch_.clear();
  }

 private:
  Value::Object& object_;
  Scratch& scratch_;
};

class JsonMembers final : public FieldVisitor {
 public:
  JsonMembers(std::string& out, std::span<const std::string> fields, Scratch& scratch)
      : out_(out), fields_(fields), scratch_(scratch) {}
  [[nodiscard]] bool wants(std::size_t /*index*/, std::string_view name) override {
    return fields_.empty() || std::find(fields_.begin(), fields_.end(), name) != fields_.end();
  }
  void visit(std::size_t /*index*/, std::string_view name, const ValueView& value) override {
    model::write_json_member(out_, separator_, name, value);
    separator_ = ',';
    scratch_.clear();
  }
  void finish() { out_ += separator_ == '{' ? "{}" : "}"; }

 private:
  std::string& out_;
  std::span<const std::string> fields_;
  Scratch& scratch_;
  char separator_ = '{';
};

}  // namespace

void DocumentCodec::visit_fields(std::span<const std::byte> raw, Scratch& scratch,
                                 FieldVisitor& visitor) const {
  const std::size_t count = field_count(raw);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = field_name(raw, i);
    if (!visitor.wants(i, name)) {
      continue;
    }
    if (const std::optional<ValueView> value = field(raw, i, scratch)) {
      visitor.visit(i, name, *value);
    }
  }
}

std::string_view Scratch::keep(std::string_view text) {
  char* const at = room(text.size());
  std::copy(text.begin(), text.end(), at);
  return {at, text.size()};
}

const Value& Scratch::keep(Value value) {
  if (values_used_ == values_.size()) {
    values_.push_back(std::make_unique<Value>());
  }
  return *values_[values_used_++] = std::move(value);
}

std::string& Scratch::text() {
  if (texts_used_ == texts_.size()) {
    texts_.push_back(std::make_unique<std::string>());
  }
  return *texts_[texts_used_++];
}

void Scratch::add_block(std::size_t size) {
  const std::size_t usual =
      std::clamp(blocks_.empty() ? 0 : 2 * blocks_.back().size, std::size_t{4096}, kKeptBytes);
  const std::size_t bytes = std::max(size, usual);
  // Left as it comes: the caller fills it. NOLINTNEXTLINE(modernize-avoid-c-arrays)
  blocks_.push_back({std::unique_ptr<char[]>(new char[bytes]), bytes});
  next_ = blocks_.back().bytes.get();
  left_ = bytes;
}

void Scratch::free_blocks() noexcept {
  // The last is the largest of the usual ones, unless one text needed more.
  if (blocks_.back().size > kKeptBytes) {
    blocks_.clear();
    next_ = first_.data();
    left_ = first_.size();
    return;
  }
  blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  next_ = blocks_.back().bytes.get();
  left_ = blocks_.back().size;
}

void Scratch::clear_objects() noexcept {
  for (std::size_t i = 0; i < texts_used_; ++i) {
    texts_[i]->clear();
    if (texts_[i]->capacity() > kKeptBytes) {
      texts_[i]->shrink_to_fit();
    }
  }
  for (std::size_t i = 0; i < values_used_; ++i) {
    *values_[i] = Value();
  }
  texts_used_ = 0;
  values_used_ = 0;
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
  if (codec_ != nullptr) {
    object.reserve(field_count());
    Scratch scratch;
    ObjectMaker maker(object, scratch);
    codec_->visit_fields(raw_, scratch, maker);
  }
  return object;
}

void Document::write_json(std::string& out, std::span<const std::string> fields) const {
  Scratch scratch;
  JsonMembers members(out, fields, scratch);
  if (codec_ != nullptr) {
    codec_->visit_fields(raw_, scratch, members);
  }
  members.finish();
}

std::string Document::to_json() const {
  std::string out;
  write_json(out);
  return out;
}

}  // namespace ustream
