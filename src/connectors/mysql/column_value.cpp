#include "connectors/mysql/column_value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>

#include <zlib.h>

#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/json_text.hpp"

namespace ustream::mysql {
namespace {

constexpr std::size_t kDigitsPerWord = 9;
constexpr std::array<std::size_t, 10> kBytesOfDigits{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
/// A text that a client may be told; larger ones do not exist (LONGTEXT).
constexpr std::uint64_t kMaxInflated = std::uint64_t{4} << 30;

constexpr std::size_t decimal_size(std::size_t precision, std::size_t scale) {
  const std::size_t whole = precision - scale;
  return whole / kDigitsPerWord * 4 + kBytesOfDigits[whole % kDigitsPerWord] +
         scale / kDigitsPerWord * 4 + kBytesOfDigits[scale % kDigitsPerWord];
}

constexpr std::size_t fraction_size(std::size_t digits) {
  return (digits + 1) / 2;
}

/// The fraction of a second in microseconds, stored in fraction_size(digits) bytes.
std::int64_t scaled_fraction(std::int64_t fraction, std::size_t digits) {
  constexpr std::array<std::int64_t, 4> kScale{0, 10'000, 100, 1};
  return fraction * kScale[fraction_size(digits)];
}

template <class... Numbers>
std::string formatted(const char* format, Numbers... numbers) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), format, numbers...);
  return {text.data(), static_cast<std::size_t>(std::clamp(size, 0, 63))};
}

void append_fraction(std::string& out, std::int64_t micros, std::size_t digits) {
  if (digits > 0) {
    out += '.';
    out += formatted("%06lld", static_cast<long long>(micros)).substr(0, digits);
  }
}

std::string text_of(const Clock& clock, std::size_t digits) {
  std::string text =
      formatted("%04lld-%02u-%02u %02u:%02u:%02u", static_cast<long long>(clock.year), clock.month,
                clock.day, clock.hour, clock.minute, clock.second);
  append_fraction(text, clock.micros, digits);
  return text;
}

std::string_view keep_text(Scratch& scratch, std::string_view text) {
  return scratch.keep(text);
}

}  // namespace

ValueView datetime_value(const Clock& clock, std::size_t digits, Scratch& scratch) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(clock.year)),
                                         std::chrono::month(clock.month),
                                         std::chrono::day(clock.day)};
  if (!date.ok() || clock.hour > 23 || clock.minute > 59 || clock.second > 59) {
    return ValueView::of(keep_text(scratch, text_of(clock, digits)));
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + clock.hour) * 60 + clock.minute) * 60 + clock.second;
  return ValueView::of(
      DateTime{seconds * 1'000'000 + clock.micros, static_cast<std::uint8_t>(digits)});
}

namespace {

Clock clock_of_datetime2(ByteReader reader, std::size_t digits) {
  const auto packed = reader.big_endian(5) - 0x80'0000'0000ULL;
  const std::uint64_t date = packed >> 17;
  const std::uint64_t time = packed & 0x1ffff;
  const std::uint64_t months = date >> 5;
  Clock clock;
  clock.year = static_cast<std::int64_t>(months / 13);
  clock.month = static_cast<unsigned>(months % 13);
  clock.day = static_cast<unsigned>(date & 31);
  clock.hour = static_cast<unsigned>(time >> 12);
  clock.minute = static_cast<unsigned>((time >> 6) & 63);
  clock.second = static_cast<unsigned>(time & 63);
  clock.micros =
      scaled_fraction(static_cast<std::int64_t>(reader.big_endian(fraction_size(digits))), digits);
  return clock;
}

/// DATETIME of before MySQL 5.6: the decimal number YYYYMMDDhhmmss.
Clock clock_of_old_datetime(std::uint64_t number) {
  const auto next = [&number](std::uint64_t by) {
    const std::uint64_t part = number % by;
    number /= by;
    return static_cast<unsigned>(part);
  };
  Clock clock;
  clock.second = next(100);
  clock.minute = next(100);
  clock.hour = next(100);
  clock.day = next(100);
  clock.month = next(100);
  clock.year = static_cast<std::int64_t>(number % 10'000);
  return clock;
}

/// Negative times are stored so that their bytes compare as the times do:
/// my_time_packed_from_binary.
std::int64_t micros_of_time2(ByteReader reader, std::size_t digits) {
  const std::size_t fraction_bytes = fraction_size(digits);
  const std::size_t bits = fraction_bytes * 8;
  const auto stored = static_cast<std::int64_t>(reader.big_endian(3 + fraction_bytes));
  const std::int64_t packed = stored - (std::int64_t{0x800000} << bits);
  const std::int64_t size = packed < 0 ? -packed : packed;
  const std::int64_t whole = size >> bits;
  const std::int64_t fraction = size & ((std::int64_t{1} << bits) - 1);
  const std::int64_t seconds =
      ((whole >> 12) & 0x3ff) * 3600 + ((whole >> 6) & 63) * 60 + (whole & 63);
  const std::int64_t micros =
      seconds * 1'000'000 + (fraction_bytes == 0 ? 0 : scaled_fraction(fraction, digits));
  return packed < 0 ? -micros : micros;
}

ValueView timestamp_value(std::uint64_t seconds, std::int64_t micros, std::size_t digits,
                          Scratch& scratch) {
  if (seconds == 0 && micros == 0) {  // the server's zero, not 1970
    return ValueView::of(keep_text(scratch, text_of({}, digits)));
  }
  return ValueView::of(Timestamp{static_cast<std::int64_t>(seconds) * 1'000'000 + micros});
}

/// The bytes of a text or blob, without what tells their size.
std::string_view content_of(const BinlogColumn& column, std::string_view bytes) noexcept {
  switch (column.type) {
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::varchar_compressed:
    case ColumnType::string:
      return bytes.substr(column.meta > 255 ? 2 : 1);
    default:
      return bytes.substr(column.meta);
  }
}

/// MariaDB's compressed columns: a byte of method, wrapping and size of the original length, that
/// length, zlib data; a zero byte and the plain content when it was not worth it (field_comp.cc).
bool inflate_column(std::string_view content, std::string& out) {
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

ValueView text_value(const BinlogColumn& column, std::string_view content, Scratch& scratch) {
  if (column.charset.kind == Charset::Kind::binary) {
    // BINARY(n) is sent without the zeros at its end; they are part of the value.
    if (column.type == ColumnType::string && content.size() < column.meta) {
      std::string padded(content);
      padded.resize(column.meta, '\0');
      content = keep_text(scratch, padded);
    }
    return ValueView::of_text(ValueType::bytes, content);
  }
  if (column.charset.kind == Charset::Kind::utf8) {
    return ValueView::of(content);
  }
  std::string text;
  (void)append_utf8(text, content, column.charset);
  return ValueView::of(keep_text(scratch, text));
}

ValueView integer_value(const BinlogColumn& column, std::string_view bytes) {
  const std::uint64_t bits = ByteReader(bytes).little_endian(bytes.size());
  if (column.is_unsigned) {
    return ValueView::of(bits);
  }
  const unsigned unused = 64 - 8 * static_cast<unsigned>(bytes.size());
  return ValueView::of(static_cast<std::int64_t>(bits << unused) >> unused);
}

ValueView enum_value(const BinlogColumn& column, std::string_view bytes) {
  const std::uint64_t index = ByteReader(bytes).little_endian(bytes.size());
  if (column.labels.empty()) {
    return ValueView::of(index);
  }
  return ValueView::of(index == 0 ? std::string_view() : column.labels[index - 1]);
}

ValueView set_value(const BinlogColumn& column, std::string_view bytes, Scratch& scratch) {
  const std::uint64_t bits = ByteReader(bytes).little_endian(bytes.size());
  if (column.labels.empty()) {
    return ValueView::of(bits);
  }
  Value::Array members;
  for (std::size_t i = 0; i < column.labels.size(); ++i) {
    if ((bits >> i & 1U) != 0) {
      members.emplace_back(column.labels[i]);
    }
  }
  return scratch.keep(Value(std::move(members)));
}

}  // namespace

std::optional<std::size_t> value_size(const BinlogColumn& column, std::string_view bytes) noexcept {
  std::size_t size = 0;
  ByteReader reader(bytes);
  switch (column.type) {
    case ColumnType::null:
      break;
    case ColumnType::tiny:
    case ColumnType::year:
      size = 1;
      break;
    case ColumnType::small:
      size = 2;
      break;
    case ColumnType::medium:
    case ColumnType::date:
    case ColumnType::new_date:
    case ColumnType::time:
      size = 3;
      break;
    case ColumnType::integer:
    case ColumnType::float32:
    case ColumnType::timestamp:
      size = 4;
      break;
    case ColumnType::big:
    case ColumnType::float64:
    case ColumnType::datetime:
      size = 8;
      break;
    case ColumnType::timestamp2:
      size = 4 + fraction_size(column.meta);
      break;
    case ColumnType::datetime2:
      size = 5 + fraction_size(column.meta);
      break;
    case ColumnType::time2:
      size = 3 + fraction_size(column.meta);
      break;
    case ColumnType::decimal: {
      const std::size_t precision = column.meta >> 8U;
      const std::size_t scale = column.meta & 0xffU;
      if (scale > precision) {
        return std::nullopt;
      }
      size = decimal_size(precision, scale);
      break;
    }
    case ColumnType::bit:
      size = (column.meta >> 8U) + ((column.meta & 0xffU) != 0 ? 1U : 0U);
      break;
    case ColumnType::enumeration:
    case ColumnType::set:
      size = column.meta;
      break;
    case ColumnType::string:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::varchar_compressed: {
      const std::size_t prefix = column.meta > 255 ? 2 : 1;
      size = prefix + static_cast<std::size_t>(reader.little_endian(prefix));
      break;
    }
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::geometry:
    case ColumnType::json:
    case ColumnType::vector:
      if (column.meta < 1 || column.meta > 4) {
        return std::nullopt;
      }
      size = column.meta + static_cast<std::size_t>(reader.little_endian(column.meta));
      break;
  }
  if (!reader.ok() || size > bytes.size()) {
    return std::nullopt;
  }
  return size;
}

const char* undecodable(const BinlogColumn& column, std::string_view bytes) {
  constexpr const char* kNotText = "is not valid text of its character set";
  switch (column.type) {
    case ColumnType::bit:
    case ColumnType::set:
      return bytes.size() > 8 ? "has more than 64 bits" : nullptr;
    case ColumnType::enumeration: {
      const std::uint64_t index =
          bytes.size() > 8 ? UINT64_MAX : ByteReader(bytes).little_endian(bytes.size());
      return !column.labels.empty() && index > column.labels.size()
                 ? "has a number beyond its ENUM's labels"
                 : nullptr;
    }
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2:
      return column.meta > 6 ? "has more than six fraction digits" : nullptr;
    case ColumnType::json: {
      std::string text;
      return append_json_text(text, content_of(column, bytes)) ? nullptr : "is damaged JSON";
    }
    case ColumnType::decimal: {
      std::string text;
      return append_decimal(text, bytes, column.meta >> 8U, column.meta & 0xffU)
                 ? nullptr
                 : "is no decimal number";
    }
    case ColumnType::varchar_compressed:
    case ColumnType::blob_compressed: {
      std::string plain;
      if (!inflate_column(content_of(column, bytes), plain)) {
        return "cannot be decompressed";
      }
      std::string text;
      return column.charset.kind == Charset::Kind::binary ||
                     append_utf8(text, plain, column.charset)
                 ? nullptr
                 : kNotText;
    }
    case ColumnType::string:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob: {
      const std::string_view content = content_of(column, bytes);
      switch (column.charset.kind) {
        case Charset::Kind::binary:
        case Charset::Kind::latin1:
          return nullptr;
        case Charset::Kind::utf8:
          return is_valid_utf8(content) ? nullptr : kNotText;
        case Charset::Kind::other:
        case Charset::Kind::unknown:
          break;
      }
      std::string text;
      return append_utf8(text, content, column.charset) ? nullptr : kNotText;
    }
    default:
      return nullptr;
  }
}

ValueView decode_value(const BinlogColumn& column, std::string_view bytes, Scratch& scratch) {
  ByteReader reader(bytes);
  switch (column.type) {
    case ColumnType::null:
      break;
    case ColumnType::tiny:
    case ColumnType::small:
    case ColumnType::medium:
    case ColumnType::integer:
    case ColumnType::big:
      return integer_value(column, bytes);
    case ColumnType::float32:
      return ValueView::of(std::bit_cast<float>(reader.u32()));
    case ColumnType::float64:
      return ValueView::of(std::bit_cast<double>(reader.u64()));
    case ColumnType::year: {
      const std::uint8_t year = reader.u8();
      return ValueView::of(std::int64_t{year == 0 ? 0 : 1900 + year});
    }
    case ColumnType::date:
    case ColumnType::new_date: {
      const std::uint64_t packed = reader.little_endian(3);
      return ValueView::of(Date{static_cast<std::int32_t>(packed >> 9),
                                static_cast<std::uint8_t>((packed >> 5) & 15),
                                static_cast<std::uint8_t>(packed & 31)});
    }
    case ColumnType::time: {
      // Of before MySQL 5.6: the decimal number hhmmss, signed.
      const auto number = static_cast<std::int32_t>(reader.little_endian(3) << 8U) >> 8;
      const std::int64_t size = number < 0 ? -number : number;
      const std::int64_t micros =
          (size / 10'000 * 3600 + size / 100 % 100 * 60 + size % 100) * 1'000'000;
      return ValueView::of(Time{number < 0 ? -micros : micros, 0});
    }
    case ColumnType::time2:
      return ValueView::of(
          Time{micros_of_time2(reader, column.meta), static_cast<std::uint8_t>(column.meta)});
    case ColumnType::timestamp:
      return timestamp_value(reader.u32(), 0, 0, scratch);
    case ColumnType::timestamp2: {
      const std::uint64_t seconds = reader.big_endian(4);
      const auto fraction =
          static_cast<std::int64_t>(reader.big_endian(fraction_size(column.meta)));
      return timestamp_value(seconds, scaled_fraction(fraction, column.meta), column.meta, scratch);
    }
    case ColumnType::datetime:
      return datetime_value(clock_of_old_datetime(reader.u64()), 0, scratch);
    case ColumnType::datetime2:
      return datetime_value(clock_of_datetime2(reader, column.meta), column.meta, scratch);
    case ColumnType::decimal: {
      std::string digits;
      (void)append_decimal(digits, bytes, column.meta >> 8U, column.meta & 0xffU);
      return ValueView::of_text(ValueType::decimal, keep_text(scratch, digits));
    }
    case ColumnType::bit:
      return ValueView::of(reader.big_endian(bytes.size()));
    case ColumnType::enumeration:
      return enum_value(column, bytes);
    case ColumnType::set:
      return set_value(column, bytes, scratch);
    case ColumnType::json: {
      std::string text;
      (void)append_json_text(text, content_of(column, bytes));
      return ValueView::of_text(ValueType::json, keep_text(scratch, text));
    }
    case ColumnType::geometry:
    case ColumnType::vector:
      return ValueView::of_text(ValueType::bytes, content_of(column, bytes));
    case ColumnType::varchar_compressed:
    case ColumnType::blob_compressed: {
      std::string plain;
      (void)inflate_column(content_of(column, bytes), plain);
      return text_value(column, keep_text(scratch, plain), scratch);
    }
    case ColumnType::string:
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
      return text_value(column, content_of(column, bytes), scratch);
  }
  return ValueView::of_null();
}

bool append_decimal(std::string& out, std::string_view bytes, std::size_t precision,
                    std::size_t scale) {
  constexpr std::size_t kMaxSize = 40;  // DECIMAL(65, 30) has 30 bytes
  if (precision == 0 || scale > precision || bytes.size() > kMaxSize ||
      bytes.size() != decimal_size(precision, scale)) {
    return false;
  }
  // The first bit is the sign, inverted; a negative number has all its bits inverted.
  std::array<char, kMaxSize> plain{};
  std::copy(bytes.begin(), bytes.end(), plain.begin());
  const bool negative = (static_cast<unsigned char>(plain[0]) & 0x80U) == 0;
  plain[0] = static_cast<char>(static_cast<unsigned char>(plain[0]) ^ 0x80U);
  if (negative) {
    std::transform(plain.begin(), plain.end(), plain.begin(),
                   [](char c) { return static_cast<char>(~c); });
  }
  ByteReader reader(std::string_view(plain.data(), bytes.size()));
  std::string digits;
  bool good = true;
  const auto append = [&](std::size_t count) {
    const std::string text = std::to_string(reader.big_endian(kBytesOfDigits[count]));
    good = good && text.size() <= count;
    digits.append(count - std::min(count, text.size()), '0');
    digits += text;
  };
  const std::size_t whole = precision - scale;
  if (whole % kDigitsPerWord != 0) {
    append(whole % kDigitsPerWord);
  }
  for (std::size_t i = 0; i < whole / kDigitsPerWord; ++i) {
    append(kDigitsPerWord);
  }
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, first);
  if (digits.empty()) {
    digits = "0";
  }
  if (scale > 0) {
    digits += '.';
    for (std::size_t i = 0; i < scale / kDigitsPerWord; ++i) {
      append(kDigitsPerWord);
    }
    if (scale % kDigitsPerWord != 0) {
      append(scale % kDigitsPerWord);
    }
  }
  if (!good) {
    return false;
  }
  out += negative ? "-" : "";
  out += digits;
  return true;
}

void append_packed_time(std::string& out, ColumnType type, std::int64_t packed) {
  const bool negative = packed < 0;
  // The most negative number has no positive counterpart; as bits it does.
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(packed) : static_cast<std::uint64_t>(packed);
  const auto micros = static_cast<std::int64_t>(size & 0xffffffU);
  const std::uint64_t whole = size >> 24;
  if (type == ColumnType::time) {
    out += negative ? "-" : "";
    out += formatted("%02u:%02u:%02u", static_cast<unsigned>((whole >> 12) & 0x3ff),
                     static_cast<unsigned>((whole >> 6) & 63), static_cast<unsigned>(whole & 63));
    append_fraction(out, micros, 6);
    return;
  }
  Clock clock;
  const std::uint64_t date = whole >> 17;
  const std::uint64_t months = date >> 5;
  clock.year = static_cast<std::int64_t>(months / 13);
  clock.month = static_cast<unsigned>(months % 13);
  clock.day = static_cast<unsigned>(date & 31);
  clock.hour = static_cast<unsigned>((whole >> 12) & 31);
  clock.minute = static_cast<unsigned>((whole >> 6) & 63);
  clock.second = static_cast<unsigned>(whole & 63);
  clock.micros = micros;
  const std::string text = text_of(clock, 6);
  out += type == ColumnType::date ? text.substr(0, text.find(' ')) : text;
}

}  // namespace ustream::mysql
