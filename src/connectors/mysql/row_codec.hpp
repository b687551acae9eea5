// Row images as the binlog has them: a bitmap of nulls, then the values of the columns that were
// sent, one after the other.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/document.hpp"

#include "connectors/mysql/table_map.hpp"

namespace ustream::mysql {

/// Decodes the images of one table which hold one choice of columns; the others are absent.
/// Immutable; any thread.
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

  /// The image at the start of `bytes`, or nullopt when it does not fit in them.
  [[nodiscard]] std::optional<std::string_view> image(std::string_view bytes) const noexcept;
  /// Why some column of the image cannot be decoded; empty when all can. REQUIRES one of image().
  [[nodiscard]] std::string undecodable(std::string_view image) const;

 private:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
  [[nodiscard]] bool is_null(std::string_view image, std::size_t ordinal) const noexcept {
    return (static_cast<unsigned char>(image[ordinal / 8]) >> (ordinal % 8) & 1U) != 0;
  }

  TableMapPtr table_;
  std::vector<std::size_t> columns_;  // those present, in order
  std::vector<std::size_t> ordinal_;  // of each column among those present
};

}  // namespace ustream::mysql
