// Document: one row or document, kept as the source's raw bytes and decoded field by field on
// demand.
#pragma once

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
/// clear() or destruction. Not thread-safe; keep one per thread and clear it between changes.
class Scratch {
 public:
  /// Copies `text` and returns where it now stands.
  std::string_view keep(std::string_view text);
  const Value& keep(Value value);
  void clear() noexcept;

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<Value>> values_;
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
