#include "connectors/mysql/partial_image.hpp"

#include <algorithm>

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/json_diff.hpp"

namespace ustream::mysql {
namespace {

/// Of the value options: a bitmap of JSON columns follows.
constexpr std::uint64_t kPartialJson = 1;

std::size_t json_columns(const TableMap& table) noexcept {
  return static_cast<std::size_t>(
      std::count_if(table.columns.begin(), table.columns.end(),
                    [](const BinlogColumn& column) { return column.type == ColumnType::json; }));
}

/// Appends the column's whole value, its length in front; why not, or null.
const char* append_completed(std::string& out, const BinlogColumn& column,
                             const BinlogRowCodec::Place& before, std::string_view diffs) {
  if (!before.is_present || before.is_null) {
    return "was sent as a difference to a value that was not sent";
  }
  const std::size_t start = out.size();
  out.append(column.meta, '\0');
  if (!apply_json_diffs(out, before.value.substr(column.meta), diffs)) {
    return "was sent as a difference that does not fit the value before";
  }
  const std::size_t size = out.size() - start - column.meta;
  if (column.meta < sizeof size && size >> 8U * column.meta != 0) {
    return "is too large";
  }
  for (std::size_t i = 0; i < column.meta; ++i) {
    out[start + i] = static_cast<char>(size >> 8U * i & 0xffU);
  }
  return nullptr;
}

}  // namespace

std::optional<PartialImage> partial_image(const BinlogRowCodec& after,
                                          std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  PartialImage partial;
  const std::uint64_t options = reader.packed();
  if ((options & kPartialJson) != 0) {
    partial.diffs = reader.take((json_columns(after.table()) + 7) / 8);
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  const auto image = after.image(reader.rest());
  if (!image) {
    return std::nullopt;
  }
  partial.image = *image;
  partial.bytes =
      bytes.substr(0, static_cast<std::size_t>(image->data() + image->size() - bytes.data()));
  return partial;
}

std::string complete_image(std::string& out, const BinlogRowCodec& before_codec,
                           std::string_view before, const BinlogRowCodec& after,
                           const PartialImage& partial) {
  const std::size_t start = out.size();
  out += partial.image.substr(0, after.null_bytes());
  std::size_t json = 0;
  for (std::size_t i = 0; i < after.table().columns.size(); ++i) {
    const BinlogColumn& column = after.table().columns[i];
    bool is_diff = false;
    if (column.type == ColumnType::json) {
      is_diff = !partial.diffs.empty() &&
                (static_cast<unsigned char>(partial.diffs[json / 8]) >> (json % 8) & 1U) != 0;
      ++json;
    }
    const auto place = after.place(partial.image, i);
    if (!is_diff || place.value.empty()) {
      out += place.value;
      continue;
    }
    if (const char* why = append_completed(out, column, before_codec.place(before, i),
                                           place.value.substr(column.meta))) {
      out.resize(start);
      return "column '" + column.name + "' " + why;
    }
  }
  return {};
}

}  // namespace ustream::mysql
