// Rows of results: the binary protocol's own bytes, decoded field by field when asked for.
//
// The image of a row, in the machine's own byte order (images never leave the process):
//   u32 offset[n]  from the image's start to the value of each selected column, kNull for null
//   values         as the server sent them: MySQL's "Binary Protocol Resultset Row"
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/document.hpp"

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/prepared.hpp"

namespace ustream::mysql {

/// Decodes rows of one table and one choice of its columns; the others are absent. Immutable; any
/// thread.
class ResultCodec final : public DocumentCodec {
 public:
  /// `columns`: what was selected, as indexes into the table's columns, in the statement's order.
  /// `fields`: what the server says of them. REQUIRES as many as columns.
  ResultCodec(TablePtr table, const std::vector<std::size_t>& columns, const MYSQL_FIELD* fields);

  [[nodiscard]] const TablePtr& table() const noexcept { return table_; }
  [[nodiscard]] std::size_t field_count(std::span<const std::byte> raw) const override;
  [[nodiscard]] std::string_view field_name(std::span<const std::byte> raw,
                                            std::size_t index) const override;
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                std::string_view name) const override;
  [[nodiscard]] std::optional<ValueView> field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& scratch) const override;

  /// Whether a later run of the statement has results of the same form.
  [[nodiscard]] bool fits(const MYSQL_FIELD* fields) const noexcept;
  /// The same codec for fewer columns: shows those of `columns` only, over the same images.
  [[nodiscard]] std::shared_ptr<const ResultCodec> narrowed(
      const std::vector<std::size_t>& columns) const;

 private:
  friend class ResultRows;
  struct Cell {
    std::size_t column = 0;  // of the table
    enum_field_types wire = MYSQL_TYPE_NULL;
    unsigned flags = 0;
    unsigned charset = 0;
    ColumnKind kind = ColumnKind::other;
  };
  [[nodiscard]] ValueView decode(const Cell& cell, std::string_view bytes, Scratch& scratch) const;

  TablePtr table_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> ordinal_;  // of each column of the table among the cells
};
using ResultCodecPtr = std::shared_ptr<const ResultCodec>;

/// Keeps rows in large shared blocks. Not thread-safe. Documents made from it keep all its blocks
/// alive; it is meant for the rows of one batch.
class ResultRows : public std::enable_shared_from_this<ResultRows> {
 public:
  explicit ResultRows(ResultCodecPtr codec) : codec_(std::move(codec)) {}
  /// A row of Statement::fetch() as a document. Throws Error(corrupt) which names the column when a
  /// text is not valid UTF-8 or the bytes are no row.
  [[nodiscard]] Document add(std::string_view row);
  /// Of all images so far.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::byte* reserve(std::size_t size);

  ResultCodecPtr codec_;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::size_t block_size_ = 0;
  std::size_t block_used_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::uint32_t> offsets_;
};

}  // namespace ustream::mysql
