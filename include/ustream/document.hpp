// Document: one row or document, kept as the source's raw bytes and decoded field by field on
// demand.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/value.hpp"

namespace ustream {

/// Room for text that has to be made while a field is decoded. A view that used it is valid until
/// clear() or destruction. Memory is kept across clear(), up to some 100 KB, so that a scratch that
/// is used again and again allocates nothing. Not thread-safe; keep one per thread and clear it
/// between changes.
class Scratch {
 public:
  Scratch() noexcept = default;
  Scratch(const Scratch&) = delete;  // views point into it
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() = default;

  /// Copies `text` and returns where it now stands.
  std::string_view keep(std::string_view text);
  const Value& keep(Value value);
  /// `size` bytes for the caller to fill.
  [[nodiscard]] char* room(std::size_t size) {
    if (size > left_) {
      add_block(size);
    }
    char* const start = next_;
    next_ += size;
    left_ -= size;
    return start;
  }
  /// An empty string for the caller to fill, where the size is not known before; it is his until
  /// clear().
  [[nodiscard]] std::string& text();
  void clear() noexcept {
    if (blocks_.empty()) {
      next_ = first_.data();
      left_ = first_.size();
    } else {
      free_blocks();
    }
    if (texts_used_ + values_used_ != 0) {
      clear_objects();
    }
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;  // NOLINT(modernize-avoid-c-arrays): uninitialised
    std::size_t size;
  };
  void add_block(std::size_t size);
  void free_blocks() noexcept;
  void clear_objects() noexcept;

  std::array<char, 256> first_;  // enough for most rows: no block is allocated
  char* next_ = first_.data();
  std::size_t left_ = first_.size();
  std::vector<Block> blocks_;  // the last is the one that is filled
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<Value>> values_;
  std::size_t texts_used_ = 0;
  std::size_t values_used_ = 0;
};

/// Who is shown the fields of a document, one after the other: DocumentCodec::visit_fields.
class FieldVisitor {
 public:
  FieldVisitor() = default;
  FieldVisitor(const FieldVisitor&) = delete;
  FieldVisitor& operator=(const FieldVisitor&) = delete;
  virtual ~FieldVisitor() = default;
  /// Whether the field is to be decoded and shown. Asked before each.
  [[nodiscard]] virtual bool wants(std::size_t index, std::string_view name) = 0;
  /// `value` is valid until the scratch is cleared, which may be done in here.
  virtual void visit(std::size_t index, std::string_view name, const ValueView& value) = 0;
};

/// How raw bytes of one layout are read. Pure and immutable: any thread, no I/O. The bytes were
/// checked when the Document was made, so decoding cannot fail; what cannot be decoded became a
/// quarantine event before.
class DocumentCodec {
 public:
  DocumentCodec() = default;
  DocumentCodec(const DocumentCodec&) = delete;
  DocumentCodec& operator=(const DocumentCodec&) = delete;
  virtual ~DocumentCodec() = default;
  /// Number of fields that `raw` has a place for, absent ones included.
  [[nodiscard]] virtual std::size_t field_count(std::span<const std::byte> raw) const = 0;
  [[nodiscard]] virtual std::string_view field_name(std::span<const std::byte> raw,
                                                    std::size_t index) const = 0;
  [[nodiscard]] virtual std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                        std::string_view name) const = 0;
  /// nullopt when the source did not send the field ("absent", which is not null).
  [[nodiscard]] virtual std::optional<ValueView> field(std::span<const std::byte> raw,
                                                       std::size_t index,
                                                       Scratch& scratch) const = 0;
  /// Shows the fields that are not absent and that the visitor wants, in order. A codec whose
  /// layout has to be walked to find a field overrides this with one walk; this one calls field().
  virtual void visit_fields(std::span<const std::byte> raw, Scratch& scratch,
                            FieldVisitor& visitor) const;
};

/// An immutable row. Copying shares the bytes. Safe to read from any thread.
class Document {
 public:
  Document() noexcept = default;  ///< no document: `has_value()` is false
  /// Owns `fields`.
  explicit Document(Value::Object fields);
  /// `raw` and `codec` live as long as `owner`.
  Document(std::shared_ptr<const void> owner, const DocumentCodec* codec,
           std::span<const std::byte> raw) noexcept
      : owner_(std::move(owner)), codec_(codec), raw_(raw) {}

  [[nodiscard]] bool has_value() const noexcept { return codec_ != nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] std::span<const std::byte> raw() const noexcept { return raw_; }
  [[nodiscard]] const DocumentCodec* codec() const noexcept { return codec_; }

  /// The field's value, or nullopt when there is no such field or it is absent. Decodes this field
  /// alone.
  [[nodiscard]] std::optional<Value> get(std::string_view name) const;
  /// Same without a copy: valid while both this document and `scratch` live.
  [[nodiscard]] std::optional<ValueView> view(std::string_view name, Scratch& scratch) const;
  [[nodiscard]] std::size_t field_count() const {
    return codec_ == nullptr ? 0 : codec_->field_count(raw_);
  }
  [[nodiscard]] std::string_view field_name(std::size_t index) const {
    return codec_->field_name(raw_, index);
  }
  [[nodiscard]] std::optional<ValueView> field(std::size_t index, Scratch& scratch) const {
    return codec_->field(raw_, index, scratch);
  }

  /// All present fields, decoded and owned.
  [[nodiscard]] Value::Object to_object() const;
  /// Appends the JSON object, straight from the raw bytes. `fields`, when not empty, names what is
  /// written (in the document's order).
  void write_json(std::string& out, std::span<const std::string> fields = {}) const;
  [[nodiscard]] std::string to_json() const;

 private:
  std::shared_ptr<const void> owner_;
  const DocumentCodec* codec_ = nullptr;
  std::span<const std::byte> raw_;
};

}  // namespace ustream
