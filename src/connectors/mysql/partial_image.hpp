// The after-images of PARTIAL_UPDATE_ROWS_EVENT, whose JSON columns may be diffs against the
// before-image.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/mysql/row_codec.hpp"

namespace ustream::mysql {

/// One of them, taken apart. Source: MySQL's log_event.cc (print_verbose_one_row).
struct PartialImage {
  std::string_view bytes;  ///< all of it
  std::string_view image;  ///< in a row image's layout, but that JSON columns may hold diffs
  /// A bit for each JSON column of the table, those that were not sent included: it holds diffs.
  /// Empty: none does.
  std::string_view diffs;
};

/// The partial image at the start of `bytes`, or nullopt when it does not fit in them.
[[nodiscard]] std::optional<PartialImage> partial_image(const BinlogRowCodec& after,
                                                        std::string_view bytes) noexcept;

/// Appends to `out` the row image that `partial` stands for, which `after` then reads like any
/// other. Returns why it cannot, "column 'a' …", with `out` as it was; empty: done. REQUIRES
/// `before` to be an image of `before_codec`, and both codecs of one table.
[[nodiscard]] std::string complete_image(std::string& out, const BinlogRowCodec& before_codec,
                                         std::string_view before, const BinlogRowCodec& after,
                                         const PartialImage& partial);

}  // namespace ustream::mysql
