#include "connectors/mysql/row_codec.hpp"

#include "connectors/mysql/column_value.hpp"

namespace ustream::mysql {
namespace {

std::string_view text_of(std::span<const std::byte> raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

}  // namespace

BinlogRowCodec::BinlogRowCodec(TableMapPtr table, std::string_view present)
    : table_(std::move(table)), ordinal_(table_->columns.size(), kAbsent) {
  for (std::size_t i = 0; i < ordinal_.size(); ++i) {
    if ((static_cast<unsigned char>(present[i / 8]) >> (i % 8) & 1U) != 0) {
      ordinal_[i] = columns_.size();
      columns_.push_back(i);
    }
  }
}

std::size_t BinlogRowCodec::field_count(std::span<const std::byte> /*raw*/) const {
  return ordinal_.size();
}

std::string_view BinlogRowCodec::field_name(std::span<const std::byte> /*raw*/,
                                            std::size_t index) const {
  return table_->columns[index].name;
}

std::optional<std::size_t> BinlogRowCodec::find(std::span<const std::byte> /*raw*/,
                                                std::string_view name) const {
  return table_->schema->find(name);
}

std::optional<ValueView> BinlogRowCodec::field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& scratch) const {
  const std::size_t ordinal = ordinal_[index];
  if (ordinal == kAbsent) {
    return std::nullopt;
  }
  const std::string_view all = text_of(raw);
  if (is_null(all, ordinal)) {
    return ValueView();
  }
  std::string_view rest = all.substr((columns_.size() + 7) / 8);
  for (std::size_t i = 0; i < ordinal; ++i) {
    if (!is_null(all, i)) {
      rest.remove_prefix(*value_size(table_->columns[columns_[i]], rest));
    }
  }
  const BinlogColumn& column = table_->columns[index];
  return decode_value(column, rest.substr(0, *value_size(column, rest)), scratch);
}

std::optional<std::string_view> BinlogRowCodec::image(std::string_view bytes) const noexcept {
  const std::size_t nulls = (columns_.size() + 7) / 8;
  if (bytes.size() < nulls) {
    return std::nullopt;
  }
  std::size_t at = nulls;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (is_null(bytes, i)) {
      continue;
    }
    const auto size = value_size(table_->columns[columns_[i]], bytes.substr(at));
    if (!size) {
      return std::nullopt;
    }
    at += *size;
  }
  return bytes.substr(0, at);
}

std::string BinlogRowCodec::undecodable(std::string_view image) const {
  std::string_view rest = image.substr((columns_.size() + 7) / 8);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (is_null(image, i)) {
      continue;
    }
    const BinlogColumn& column = table_->columns[columns_[i]];
    const std::size_t size = *value_size(column, rest);
    if (const char* why = mysql::undecodable(column, rest.substr(0, size))) {
      return "column '" + column.name + "' " + why;
    }
    rest.remove_prefix(size);
  }
  return {};
}

}  // namespace ustream::mysql
