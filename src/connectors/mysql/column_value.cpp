#include "connectors/mysql/column_value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include <zlib.h>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/clock.hpp"
#include "connectors/mysql/json_text.hpp"

namespace ustream::mysql {
namespace {

constexpr const char* kNotText = "is not valid text of its character set";
constexpr std::size_t kUuidSize = 16;
constexpr std::size_t kInet4Size = 4;
constexpr std::size_t kInet6Size = 16;

/// MariaDB's compressed columns: a byte of method, wrapping and size of the original length, that
/// length, zlib data; a zero byte and the plain content when it was not worth it (field_comp.cc).
bool inflate_column(std::string_view content, std::string& out) {
  // A text that a client may be told; larger ones do not exist (LONGTEXT).
  constexpr std::uint64_t kMaxInflated = std::uint64_t{4} << 30U;
  if (content.empty()) {
    return true;
  }
  const auto header = static_cast<unsigned char>(content.front());
  if (header == 0) {
    out.append(content.substr(1));
    return true;
  }
  ByteReader reader(content.substr(1));
  const std::uint64_t size = reader.big_endian(header & 7U);
  if (header >> 4U != 8 || !reader.ok() || size > kMaxInflated ||
      size > (reader.rest().size() + 16) * 1040) {  // deflate's best ratio is 1032
    return false;
  }
  out.resize(static_cast<std::size_t>(size));
  z_stream stream{};
  if (::inflateInit2(&stream, (header & 8U) != 0 ? -MAX_WBITS : MAX_WBITS) != Z_OK) {
    return false;
  }
  // zlib does not write to its input; its type is from before const.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(reader.rest().data()));
  stream.avail_in = static_cast<uInt>(reader.rest().size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.total_out == size;
  ::inflateEnd(&stream);
  return whole;
}

std::int64_t signed_at(const char* at, std::size_t size) noexcept {
  const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
  return static_cast<std::int64_t>(little_endian_at(at, size) << unused) >> unused;
}

/// What the server's types of fixed binary size leave out is zeros at the end.
std::string_view padded_with_zeros(std::string_view bytes, std::size_t size, Scratch& scratch) {
  if (bytes.size() >= size) {
    return bytes;
  }
  char* const room = scratch.room(size);
  std::fill(std::copy(bytes.begin(), bytes.end(), room), room + size, '\0');
  return {room, size};
}

ValueView uuid_value(std::string_view bytes, Scratch& scratch) {
  Uuid uuid;  // in a binlog in its text's order, not in the one of the table's files
  std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
  return scratch.keep(Value(uuid));
}

char* write_inet4(char* to, const unsigned char* bytes) noexcept {
  for (std::size_t i = 0; i < kInet4Size; ++i) {
    to = std::to_chars(to, to + 3, bytes[i]).ptr;
    *to++ = '.';
  }
  return to - 1;
}

/// As MariaDB does it, which leaves out even a single group of zeros: Inet6::to_string.
char* write_inet6(char* to, const unsigned char* bytes) noexcept {
  std::array<unsigned, 8> words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  std::size_t gap = words.size();  // the first of the longest stretches of zeros
  std::size_t gap_size = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::size_t end = i;
    while (end < words.size() && words[end] == 0) {
      ++end;
    }
    if (end - i > gap_size) {
      gap = i;
      gap_size = end - i;
    }
    i = std::max(i, end);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == gap) {
      to = std::copy_n("::", i == 0 ? 2 : 1, to);
      i += gap_size - 1;
    } else if (i == 6 && gap == 0 && (gap_size == 6 || (gap_size == 5 && words[5] == 0xffffU))) {
      return write_inet4(to, bytes + 12);
    } else {
      to = std::to_chars(to, to + 4, words[i], 16).ptr;
      if (i + 1 != words.size()) {
        *to++ = ':';
      }
    }
  }
  return to;
}

/// An address whose zeros at the end were not sent, as the server's text.
template <class Write>
ValueView inet_value(const char* type, std::string_view bytes, Write write, Scratch& scratch) {
  std::array<unsigned char, kInet6Size> address{};
  std::copy(bytes.begin(), bytes.end(), address.begin());
  std::array<char, 48> text{};
  const char* const end = write(text.data(), address.data());
  return scratch.keep(
      Value(Extended{type, std::string(text.data(), static_cast<std::size_t>(end - text.data()))}));
}

}  // namespace

ColumnPlan::ColumnPlan(const BinlogColumn& column) : column_(&column) {
  const std::size_t fraction = column.meta <= 6 ? fraction_size(column.meta) : kImpossible;
  switch (column.type) {
    case ColumnType::null:
      break;
    case ColumnType::tiny:
      plan_integer(Kind::int8, 1);
      break;
    case ColumnType::small:
      plan_integer(Kind::int16, 2);
      break;
    case ColumnType::medium:
      plan_integer(Kind::int24, 3);
      break;
    case ColumnType::integer:
      plan_integer(Kind::int32, 4);
      break;
    case ColumnType::big:
      plan_integer(Kind::int64, 8);
      break;
    case ColumnType::float32:
      kind_ = Kind::float32;
      fixed_ = 4;
      break;
    case ColumnType::float64:
      kind_ = Kind::float64;
      fixed_ = 8;
      break;
    case ColumnType::decimal:
      kind_ = Kind::decimal;
      decimal_ = DecimalLayout(column.meta >> 8U, column.meta & 0xffU);
      fixed_ = decimal_.ok() ? decimal_.size() : kImpossible;
      is_checked_ = true;
      break;
    case ColumnType::year:
      kind_ = Kind::year;
      fixed_ = 1;
      break;
    case ColumnType::date:
    case ColumnType::new_date:
      kind_ = Kind::date;
      fixed_ = 3;
      break;
    case ColumnType::time:
      kind_ = Kind::old_time;
      fixed_ = 3;
      break;
    case ColumnType::time2:
      kind_ = Kind::time;
      fixed_ = 3 + fraction;
      break;
    case ColumnType::timestamp:
      kind_ = Kind::old_timestamp;
      fixed_ = 4;
      break;
    case ColumnType::timestamp2:
      kind_ = Kind::timestamp;
      fixed_ = 4 + fraction;
      break;
    case ColumnType::datetime:
      kind_ = Kind::old_datetime;
      fixed_ = 8;
      break;
    case ColumnType::datetime2:
      kind_ = Kind::datetime;
      fixed_ = 5 + fraction;
      break;
    case ColumnType::bit:
      kind_ = Kind::bit;
      fixed_ = (column.meta >> 8U) + ((column.meta & 0xffU) != 0 ? 1U : 0U);
      is_checked_ = fixed_ > 8;
      break;
    case ColumnType::enumeration:
      kind_ = Kind::enumeration;
      fixed_ = column.meta;
      is_checked_ = true;
      break;
    case ColumnType::set:
      kind_ = Kind::set;
      fixed_ = column.meta;
      is_checked_ = true;
      break;
    case ColumnType::string:
      plan_prefixed(column.meta > 255 ? 2 : 1);
      plan_text(Kind::padded);
      break;
    case ColumnType::varchar:
    case ColumnType::var_string:
      plan_prefixed(column.meta > 255 ? 2 : 1);
      plan_text(Kind::bytes);
      break;
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
      plan_prefixed(column.meta);
      plan_text(Kind::bytes);
      break;
    case ColumnType::varchar_compressed:
      plan_prefixed(column.meta > 255 ? 2 : 1);
      kind_ = Kind::compressed;
      is_checked_ = true;
      break;
    case ColumnType::blob_compressed:
      plan_prefixed(column.meta);
      kind_ = Kind::compressed;
      is_checked_ = true;
      break;
    case ColumnType::json:
      plan_prefixed(column.meta);
      kind_ = Kind::json;
      is_checked_ = true;
      break;
    case ColumnType::geometry:
    case ColumnType::vector:
      plan_prefixed(column.meta);
      kind_ = Kind::bytes;
      break;
  }
}

void ColumnPlan::plan_integer(Kind of_signed, std::size_t size) noexcept {
  constexpr auto kStep =
      static_cast<std::uint8_t>(Kind::uint8) - static_cast<std::uint8_t>(Kind::int8);
  kind_ = column_->is_unsigned ? static_cast<Kind>(static_cast<std::uint8_t>(of_signed) + kStep)
                               : of_signed;
  fixed_ = size;
}

void ColumnPlan::plan_prefixed(std::size_t prefix) noexcept {
  prefix_ = static_cast<std::uint8_t>(prefix);
  fixed_ = prefix >= 1 && prefix <= 4 ? prefix : kImpossible;
}

void ColumnPlan::plan_text(Kind binary) noexcept {
  if (column_->type == ColumnType::string) {
    const bool is_sixteen = column_->meta == kUuidSize;
    const KnownType known = column_->known_as;
    if ((known == KnownType::uuid && is_sixteen) || (known == KnownType::inet6 && is_sixteen) ||
        (known == KnownType::inet4 && column_->meta == kInet4Size)) {
      kind_ = known == KnownType::uuid    ? Kind::uuid
              : known == KnownType::inet4 ? Kind::inet4
                                          : Kind::inet6;
      is_checked_ = true;
      return;
    }
  }
  switch (column_->charset.kind) {
    case Charset::Kind::binary:
      kind_ = binary;
      break;
    case Charset::Kind::utf8:
      kind_ = column_->known_as == KnownType::json ? Kind::json_text : Kind::utf8;
      is_checked_ = true;
      break;
    default:
      kind_ = Kind::text;
      is_checked_ = true;
      break;
  }
}

const char* ColumnPlan::undecodable(std::string_view bytes) const {
  const char* const at = bytes.data();
  switch (kind_) {
    case Kind::bit:
      return bytes.size() > 8 ? "has more than 64 bits" : nullptr;
    case Kind::set:
    case Kind::enumeration:
      return undecodable_label(bytes);
    case Kind::decimal:
      return decimal_.is_valid(at) ? nullptr : "is no decimal number";
    case Kind::utf8:
    case Kind::json_text:
      return is_valid_utf8(content(bytes)) ? nullptr : kNotText;
    case Kind::text:
      return is_text_of(content(bytes), column_->charset) ? nullptr : kNotText;
    case Kind::json:
      return is_json_binary(content(bytes)) ? nullptr : "is damaged JSON";
    case Kind::compressed:
      return undecodable_compressed(bytes);
    case Kind::uuid:
    case Kind::inet4:
    case Kind::inet6:
      return content(bytes).size() <= column_->meta ? nullptr : "is longer than its type";
    default:
      return nullptr;
  }
}

const char* ColumnPlan::undecodable_label(std::string_view bytes) const noexcept {
  if (bytes.size() > 8) {
    return "has more than 64 bits";
  }
  if (kind_ == Kind::set || column_->labels.empty()) {
    return nullptr;
  }
  return ByteReader(bytes).little_endian(bytes.size()) > column_->labels.size()
             ? "has a number beyond its ENUM's labels"
             : nullptr;
}

const char* ColumnPlan::undecodable_compressed(std::string_view bytes) const {
  std::string plain;
  if (!inflate_column(content(bytes), plain)) {
    return "cannot be decompressed";
  }
  return column_->charset.kind == Charset::Kind::binary || is_text_of(plain, column_->charset)
             ? nullptr
             : kNotText;
}

ValueView ColumnPlan::value(std::string_view bytes, Scratch& scratch) const {
  const char* const at = bytes.data();
  switch (kind_) {
    case Kind::null:
      break;
    case Kind::int8:
      return ValueView::of(signed_at(at, 1));
    case Kind::int16:
      return ValueView::of(signed_at(at, 2));
    case Kind::int24:
      return ValueView::of(signed_at(at, 3));
    case Kind::int32:
      return ValueView::of(signed_at(at, 4));
    case Kind::int64:
      return ValueView::of(signed_at(at, 8));
    case Kind::uint8:
      return ValueView::of(little_endian_at(at, 1));
    case Kind::uint16:
      return ValueView::of(little_endian_at(at, 2));
    case Kind::uint24:
      return ValueView::of(little_endian_at(at, 3));
    case Kind::uint32:
      return ValueView::of(little_endian_at(at, 4));
    case Kind::uint64:
      return ValueView::of(little_endian_at(at, 8));
    case Kind::float32:
      return ValueView::of(
          std::bit_cast<float>(static_cast<std::uint32_t>(little_endian_at(at, 4))));
    case Kind::float64:
      return ValueView::of(std::bit_cast<double>(little_endian_at(at, 8)));
    case Kind::decimal: {
      char* const room = scratch.room(DecimalLayout::kMaxText);
      const char* const end = decimal_.write(room, at);
      return ValueView::of_text(ValueType::decimal, {room, static_cast<std::size_t>(end - room)});
    }
    case Kind::year: {
      const auto year = static_cast<unsigned char>(*at);
      return ValueView::of(std::int64_t{year == 0 ? 0 : 1900 + year});
    }
    case Kind::date: {
      const auto packed = static_cast<std::uint32_t>(little_endian_at(at, 3));
      return ValueView::of(Date{static_cast<std::int32_t>(packed >> 9U),
                                static_cast<std::uint8_t>((packed >> 5U) & 15U),
                                static_cast<std::uint8_t>(packed & 31U)});
    }
    case Kind::old_time:
      return old_time_value(at);
    case Kind::time:
      return time2_value(at, column_->meta);
    case Kind::old_timestamp:
      return old_timestamp_value(at, scratch);
    case Kind::timestamp:
      return timestamp2_value(at, column_->meta, scratch);
    case Kind::old_datetime:
      return old_datetime_value(at, scratch);
    case Kind::datetime:
      return datetime2_value(at, column_->meta, scratch);
    case Kind::bit:
      return ValueView::of(big_endian_at(at, bytes.size()));
    case Kind::enumeration:
      return label_value(little_endian_at(at, bytes.size()));
    case Kind::set:
      return set_value(little_endian_at(at, bytes.size()), scratch);
    case Kind::utf8:
      return ValueView::of(content(bytes));
    case Kind::json_text:
      return ValueView::of_text(ValueType::json, content(bytes));
    case Kind::text:
      return text_value(content(bytes), scratch);
    case Kind::bytes:
      return ValueView::of_text(ValueType::bytes, content(bytes));
    case Kind::padded:
      return ValueView::of_text(ValueType::bytes,
                                padded_with_zeros(content(bytes), column_->meta, scratch));
    case Kind::compressed:
      return compressed_value(bytes, scratch);
    case Kind::json: {
      std::string& text = scratch.text();
      (void)append_json_text(text, content(bytes));
      return ValueView::of_text(ValueType::json, text);
    }
    case Kind::uuid:
      return uuid_value(content(bytes), scratch);
    case Kind::inet4:
      return inet_value("inet4", content(bytes), write_inet4, scratch);
    case Kind::inet6:
      return inet_value("inet6", content(bytes), write_inet6, scratch);
  }
  return ValueView::of_null();
}

ValueView ColumnPlan::text_value(std::string_view text, Scratch& scratch) const {
  std::string& converted = scratch.text();
  (void)append_utf8(converted, text, column_->charset);
  return ValueView::of(std::string_view(converted));
}

ValueView ColumnPlan::label_value(std::uint64_t index) const noexcept {
  if (column_->labels.empty()) {
    return ValueView::of(index);
  }
  return ValueView::of(index == 0 ? std::string_view()
                                  : std::string_view(column_->labels[index - 1]));
}

ValueView ColumnPlan::set_value(std::uint64_t bits, Scratch& scratch) const {
  if (column_->labels.empty()) {
    return ValueView::of(bits);
  }
  Value::Array members;
  members.reserve(static_cast<std::size_t>(std::popcount(bits)));
  for (std::size_t i = 0; i < column_->labels.size() && i < 64; ++i) {
    if ((bits >> i & 1U) != 0) {
      members.emplace_back(column_->labels[i]);
    }
  }
  return scratch.keep(Value(std::move(members)));
}

ValueView ColumnPlan::compressed_value(std::string_view bytes, Scratch& scratch) const {
  std::string& plain = scratch.text();
  (void)inflate_column(content(bytes), plain);
  switch (column_->charset.kind) {
    case Charset::Kind::binary:
      return ValueView::of_text(ValueType::bytes, plain);
    case Charset::Kind::utf8:
      return ValueView::of(std::string_view(plain));
    default:
      return text_value(plain, scratch);
  }
}

}  // namespace ustream::mysql
