// The cursor's format: docs/cursor.md.
#include "ustream/position.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "model/base64.hpp"

namespace ustream {
namespace {

constexpr std::string_view kPrefix = "u1.";
constexpr unsigned char kVersion = 1;
constexpr std::size_t kMaxBytes = std::size_t{16} * 1024;
/// Packed on the stack up to here; longer ones (a set of many GTIDs) cost an allocation.
constexpr std::size_t kUsualBytes = 512;
constexpr std::size_t kMaxText = (kMaxBytes * 4 + 2) / 3;
constexpr std::size_t kMaxShort = 255;  // of a part with a length of one byte
constexpr std::size_t kFixedBytes = 1 + 3 * 1 + 2 + 4;

/// Fills a buffer, on the stack where it can be. REQUIRES that what is put fits `size`.
class Packer {
 public:
  explicit Packer(std::size_t size) {
    if (size > usual_.size()) {
      large_.resize(size);
      buffer_ = large_.data();
    }
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() = default;

  void byte(std::size_t value) { buffer_[size_++] = static_cast<char>(value & 0xffU); }
  void bytes(std::string_view text) {
    if (!text.empty()) {
      std::memcpy(buffer_ + size_, text.data(), text.size());
      size_ += text.size();
    }
  }
  [[nodiscard]] std::string_view packed() const { return {buffer_, size_}; }

 private:
  std::array<char, kUsualBytes> usual_;  // NOLINT(*-member-init): written before it is read
  std::string large_;
  char* buffer_ = usual_.data();
  std::size_t size_ = 0;
};

[[noreturn]] void refuse(std::string_view why) {
  throw ValidationError("this is not a cursor of ustream: " + std::string(why), "cursor");
}

/// A version this build does not know begins as ours do: u, digits, a point.
bool is_other_version(std::string_view cursor) {
  const std::size_t point = cursor.find('.');
  return cursor.starts_with('u') && point != std::string_view::npos && point >= 2 && point <= 4 &&
         cursor.substr(1, point - 1).find_first_not_of("0123456789") == std::string_view::npos;
}

std::string unpack_text(std::string_view cursor) {
  if (!cursor.starts_with(kPrefix)) {
    refuse(is_other_version(cursor)
               ? "it is of a version that this build does not know; update ustream, or take a new "
                 "snapshot"
               : "it does not begin with \"u1.\"");
  }
  const std::string_view text = cursor.substr(kPrefix.size());
  std::string packed;
  if (text.size() > kMaxText || !model::decode_base64url(text, packed)) {
    refuse("its text is damaged or cut off");
  }
  if (packed.size() < kFixedBytes) {
    refuse("it is cut off");
  }
  const std::string_view content = std::string_view(packed).substr(0, packed.size() - 4);
  if (base::crc32(content) != base::get_big_endian<std::uint32_t>(packed.data() + content.size())) {
    refuse("its checksum does not match; it is damaged");
  }
  packed.resize(content.size());
  return packed;
}

}  // namespace

std::string Position::cursor() const {
  std::string out;
  append_cursor(out);
  return out;
}

void Position::append_cursor(std::string& out) const {
  if (!has_value()) {
    throw Error(ErrorKind::internal, "there is no position to make a cursor of");
  }
  const std::string& source = origin_->source;
  const std::string& epoch = origin_->epoch;
  const std::string& detail = detail_.str();
  const std::size_t size =
      kFixedBytes + source.size() + epoch.size() + order_key_.size() + detail.size();
  if (source.size() > kMaxShort || epoch.size() > kMaxShort || order_key_.size() > kMaxShort ||
      size > kMaxBytes) {
    throw Error(ErrorKind::internal, "a position of the source '" + source.substr(0, 40) +
                                         "' does not fit a cursor of " + std::to_string(kMaxBytes) +
                                         " bytes");
  }
  Packer packer(size);
  packer.byte(kVersion);
  for (const std::string* part : {&source, &epoch, &order_key_}) {
    packer.byte(part->size());
    packer.bytes(*part);
  }
  packer.byte(detail.size() >> 8U);
  packer.byte(detail.size());
  packer.bytes(detail);
  const std::uint32_t checksum = base::crc32(packer.packed());
  for (int shift = 24; shift >= 0; shift -= 8) {
    packer.byte(checksum >> shift);
  }
  out += kPrefix;
  model::append_base64url(out, packer.packed());
}

Position Position::parse(std::string_view cursor) {
  const std::string packed = unpack_text(cursor);
  base::ByteReader reader(packed);
  if (reader.big_endian<std::uint8_t>() != kVersion) {
    refuse("it is of a version that this build does not know");
  }
  PositionOrigin origin;
  std::string order_key;
  for (std::string* part : {&origin.source, &origin.epoch, &order_key}) {
    *part = reader.take(reader.big_endian<std::uint8_t>());
  }
  std::string detail(reader.take(reader.big_endian<std::uint16_t>()));
  if (!reader.ok()) {
    refuse("it is cut off");
  }
  if (reader.remaining() != 0) {
    refuse("more bytes follow its end");
  }
  return {std::make_shared<const PositionOrigin>(std::move(origin)), std::move(order_key),
          std::move(detail)};
}

bool Position::comparable(const Position& other) const noexcept {
  return origin_ != nullptr && other.origin_ != nullptr &&
         (origin_ == other.origin_ || *origin_ == *other.origin_);
}

bool Position::operator==(const Position& other) const noexcept {
  if (!has_value() || !other.has_value()) {
    return has_value() == other.has_value();
  }
  return comparable(other) && order_key_ == other.order_key_ && detail_ == other.detail_;
}

}  // namespace ustream
