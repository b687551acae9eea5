// The row image: how a SQLite row stands in memory between the log and whoever reads it.
//
// Layout, in the machine's own byte order (images never leave the process):
//   u32 offset[n]   from the image's start to each column's cell, kAbsent where the source did not
//   send it cells           u8 tag, then int64 | double | u32 size + bytes; nothing for null
// Column names come from the schema that the codec holds; n is the schema's number of columns.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/document.hpp"
#include "ustream/schema.hpp"

namespace ustream::sqlite {

/// Decodes row images of one schema. Immutable; any thread.
class RowCodec final : public DocumentCodec {
 public:
  explicit RowCodec(SchemaPtr schema) : schema_(std::move(schema)) {}
  [[nodiscard]] const SchemaPtr& schema() const noexcept { return schema_; }

  [[nodiscard]] std::size_t field_count(std::span<const std::byte> raw) const override;
  [[nodiscard]] std::string_view field_name(std::span<const std::byte> raw,
                                            std::size_t index) const override;
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                std::string_view name) const override;
  [[nodiscard]] std::optional<ValueView> field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& scratch) const override;
  /// Same without scratch: cells are never made up.
  [[nodiscard]] std::optional<ValueView> cell(std::span<const std::byte> raw,
                                              std::size_t index) const noexcept;

 private:
  SchemaPtr schema_;
};

/// Why a row with such a column is not told.
[[nodiscard]] std::string not_utf8(std::string_view column);

using RowCodecPtr = std::shared_ptr<const RowCodec>;

/// Builds row images one after the other into large shared blocks. Not thread-safe. Documents made
/// from it keep the blocks (and the codecs) alive together; a storage is meant for the rows of one
/// batch.
class RowStorage : public std::enable_shared_from_this<RowStorage> {
 public:
  /// Starts an image of `codec`'s schema, every column absent.
  void begin(RowCodecPtr codec);
  /// Sets the next columns in ascending order of index. Text is checked to be UTF-8: false when it
  /// is not.
  [[nodiscard]] bool set(std::size_t column, const ValueView& value);
  /// Ends the image and returns the document over it.
  [[nodiscard]] Document finish();
  /// Of all images so far.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void append(const void* bytes, std::size_t size);

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::size_t block_size_ = 0;
  std::size_t block_used_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::byte> image_;
  std::vector<RowCodecPtr> codecs_;
};

}  // namespace ustream::sqlite
