#include "connectors/sqlite/row_codec.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "ustream/json.hpp"

namespace ustream::sqlite {
namespace {

constexpr std::uint32_t kAbsent = 0xffffffffU;
constexpr std::size_t kBlockSize = std::size_t{64} * 1024;

enum class Tag : std::uint8_t { null, int64, float64, text, bytes };

template <class T>
T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

std::size_t RowCodec::field_count(std::span<const std::byte> /*raw*/) const {
  return schema_->columns().size();
}

std::string_view RowCodec::field_name(std::span<const std::byte> /*raw*/, std::size_t index) const {
  return schema_->columns()[index].name;
}

std::optional<std::size_t> RowCodec::find(std::span<const std::byte> /*raw*/,
                                          std::string_view name) const {
  return schema_->find(name);
}

std::optional<ValueView> RowCodec::field(std::span<const std::byte> raw, std::size_t index,
                                         Scratch& /*scratch*/) const {
  return cell(raw, index);
}

std::optional<ValueView> RowCodec::cell(std::span<const std::byte> raw,
                                        std::size_t index) const noexcept {
  const auto offset = load<std::uint32_t>(raw.data() + index * sizeof(std::uint32_t));
  if (offset == kAbsent) {
    return std::nullopt;
  }
  const std::byte* at = raw.data() + offset;
  switch (static_cast<Tag>(*at++)) {
    case Tag::int64:
      return ValueView::of(load<std::int64_t>(at));
    case Tag::float64:
      return ValueView::of(load<double>(at));
    case Tag::text:
    case Tag::bytes: {
      const auto size = load<std::uint32_t>(at);
      const auto type =
          static_cast<Tag>(at[-1]) == Tag::text ? ValueType::string : ValueType::bytes;
      return ValueView::of_text(type,
                                {reinterpret_cast<const char*>(at + sizeof(std::uint32_t)), size});
    }
    case Tag::null:
      break;
  }
  return ValueView();
}

std::string not_utf8(std::string_view column) {
  return "column '" + std::string(column) + "' is not valid UTF-8";
}

void RowStorage::begin(RowCodecPtr codec) {
  if (codecs_.empty() || codecs_.back() != codec) {
    codecs_.push_back(std::move(codec));
  }
  const std::size_t columns = codecs_.back()->schema()->columns().size();
  image_.assign(columns * sizeof(std::uint32_t), std::byte{0xff});
}

void RowStorage::append(const void* bytes, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(bytes);
  image_.insert(image_.end(), from, from + size);
}

bool RowStorage::set(std::size_t column, const ValueView& value) {
  const auto offset = static_cast<std::uint32_t>(image_.size());
  std::memcpy(image_.data() + column * sizeof offset, &offset, sizeof offset);
  const auto append_number = [this](Tag tag, const auto& number) {
    std::array<std::byte, 1 + sizeof number> bytes{static_cast<std::byte>(tag)};
    std::memcpy(bytes.data() + 1, &number, sizeof number);
    append(bytes.data(), bytes.size());
  };
  switch (value.type()) {
    case ValueType::int64:
      append_number(Tag::int64, value.int64());
      return true;
    case ValueType::float64:
      append_number(Tag::float64, value.float64());
      return true;
    case ValueType::string:
    case ValueType::bytes: {
      const bool is_text = value.type() == ValueType::string;
      append_number(is_text ? Tag::text : Tag::bytes,
                    static_cast<std::uint32_t>(value.text().size()));
      append(value.text().data(), value.text().size());
      return !is_text || is_valid_utf8(value.text());
    }
    default: {
      constexpr auto kNull = Tag::null;
      append(&kNull, sizeof kNull);
      return true;
    }
  }
}

Document RowStorage::finish() {
  const std::size_t size = image_.size();
  if (blocks_.empty() || block_size_ - block_used_ < size) {
    // The first block fits its row, so that a lone small row does not hold 64 KB.
    block_size_ = std::max(size, blocks_.empty() ? std::size_t{0} : kBlockSize);
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_size_));
    block_used_ = 0;
  }
  std::byte* at = blocks_.back().get() + block_used_;
  std::memcpy(at, image_.data(), size);
  block_used_ += size;
  bytes_ += size;
  return {shared_from_this(), codecs_.back().get(), std::span<const std::byte>(at, size)};
}

}  // namespace ustream::sqlite
