// Row images as the binlog has them: a bitmap of nulls, then the values of the columns that were
// sent, one after the other.
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

#include "connectors/mysql/column_value.hpp"
#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// An image, and whether its values can be decoded.
struct CheckedImage {
  std::string_view bytes;
  /// The first column that cannot be decoded, and why; null: all can.
  const BinlogColumn* column = nullptr;
  const char* reason = nullptr;
  /// "column 'a' is …"; empty when all can be decoded.
  [[nodiscard]] std::string undecodable() const {
    return column == nullptr ? std::string() : "column '" + column->name + "' " + reason;
  }
};

/// Decodes the images of one table which hold one choice of columns; the others are absent.
/// Immutable; any thread.
///
/// Columns are walked in runs: columns of fixed size up to and with the next whose size varies. A
/// run's size is known but for its nulls and that one's length, so that finding the end of an
/// image, or a column in it, takes a step for each run and not for each column.
class BinlogRowCodec final : public DocumentCodec {
 public:
  /// `present`: a bit for each column, the lowest first. REQUIRES a byte for each eight columns.
  BinlogRowCodec(TableMapPtr table, std::string_view present);

  [[nodiscard]] std::size_t field_count(std::span<const std::byte> raw) const override;
  [[nodiscard]] std::string_view field_name(std::span<const std::byte> raw,
                                            std::size_t index) const override;
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                std::string_view name) const override;
  [[nodiscard]] std::optional<ValueView> field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& scratch) const override;
  void visit_fields(std::span<const std::byte> raw, Scratch& scratch,
                    FieldVisitor& visitor) const override;

  [[nodiscard]] const TableMap& table() const noexcept { return *table_; }
  /// The image at the start of `bytes`, or nullopt when it does not fit in them.
  [[nodiscard]] std::optional<std::string_view> image(std::string_view bytes) const noexcept;
  /// Both in one pass.
  [[nodiscard]] std::optional<CheckedImage> image_and_check(std::string_view bytes) const;
  /// Why some column of the image cannot be decoded; empty when all can. REQUIRES one of image().
  [[nodiscard]] std::string undecodable(std::string_view image) const;

  /// Where a column's value stands in an image. REQUIRES one of image().
  struct Place {
    bool is_present = false;
    bool is_null = false;
    std::string_view value;  ///< size bytes included; empty when null
  };
  [[nodiscard]] Place place(std::string_view image, std::size_t index) const noexcept;
  /// Bytes of the bitmap of nulls.
  [[nodiscard]] std::size_t null_bytes() const noexcept { return (plans_.size() + 7) / 8; }

 private:
  static constexpr std::uint32_t kAbsent = UINT32_MAX;
  /// Where a column of the table stands.
  struct Slot {
    std::uint32_t ordinal = kAbsent;  // among those that are present
    std::uint32_t run = 0;
    std::size_t offset = 0;  // in its run, when nothing before it is null
  };
  struct Run {
    std::uint64_t nulls = 0;  // its columns' bits in their word of the bitmap
    std::size_t fixed = 0;    // bytes when nothing is null and what varies is empty
    std::uint32_t first = 0;  // ordinals: first column, one past the last
    std::uint32_t end = 0;
    std::uint32_t first_check = 0;  // in checks_
    std::uint32_t end_check = 0;
    std::uint8_t prefix = 0;  // bytes of the last column's length; 0: its size is fixed, too
  };
  void add_run(std::size_t first, std::size_t end);
  [[nodiscard]] std::uint64_t nulls_of(const char* image, const Run& run) const noexcept;
  [[nodiscard]] std::size_t null_size(const Run& run, std::uint64_t nulls) const noexcept;
  [[nodiscard]] std::size_t offset_in(const Run& run, std::uint64_t nulls,
                                      const Slot& slot) const noexcept;
  /// The size of the run at `at`, of which `left` bytes are there; more than `left` when it is cut.
  [[nodiscard]] std::size_t run_size(const Run& run, std::uint64_t nulls, const char* at,
                                     std::size_t left) const noexcept;
  void check_run(const Run& run, std::uint64_t nulls, const char* at, CheckedImage& checked) const;
  /// The value's first byte. REQUIRES a present column that is not null.
  [[nodiscard]] const char* find_value(const char* image, const Slot& slot) const noexcept;
  [[nodiscard]] static bool is_null(const char* image, std::size_t ordinal) noexcept {
    return (static_cast<unsigned char>(image[ordinal / 8]) >> (ordinal % 8) & 1U) != 0;
  }

  TableMapPtr table_;
  std::vector<ColumnPlan> plans_;       // of the columns that are present, in order
  std::vector<std::uint32_t> columns_;  // their indexes
  std::vector<Run> runs_;
  std::vector<std::uint32_t> checks_;  // ordinals of those that may be undecodable
  std::vector<Slot> slots_;            // of all columns of the table
  std::vector<std::uint64_t> name_heads_;
};

}  // namespace ustream::mysql
