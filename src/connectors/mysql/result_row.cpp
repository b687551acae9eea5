#include "connectors/mysql/result_row.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/clock.hpp"
#include "model/temporal.hpp"

namespace ustream::mysql {
namespace {

constexpr std::uint32_t kAbsent = 0xffffffffU;
constexpr std::uint32_t kNull = 0xffffffffU;
constexpr std::size_t kBlockSize = std::size_t{64} * 1024;
constexpr unsigned kBinaryCharset = 63;

/// How the values of a wire type are laid out.
enum class Layout : std::uint8_t { fixed, sized_byte, sized };

struct Wire {
  Layout layout = Layout::sized;
  std::size_t size = 0;  ///< of a fixed one
};

Wire wire_of(enum_field_types type) noexcept {
  switch (type) {
    case MYSQL_TYPE_NULL:
      return {Layout::fixed, 0};
    case MYSQL_TYPE_TINY:
      return {Layout::fixed, 1};
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
      return {Layout::fixed, 2};
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_FLOAT:
      return {Layout::fixed, 4};
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_DOUBLE:
      return {Layout::fixed, 8};
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIME:
      return {Layout::sized_byte, 0};
    default:
      return {Layout::sized, 0};
  }
}

/// What a value of this wire type can be read as, whatever the catalog says: it may be of before an
/// ALTER TABLE.
ColumnKind kind_on_wire(const MYSQL_FIELD& field, ColumnKind expected) noexcept {
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONGLONG:
      return ColumnKind::integer;
    case MYSQL_TYPE_YEAR:
      return ColumnKind::year;
    case MYSQL_TYPE_FLOAT:
      return ColumnKind::float32;
    case MYSQL_TYPE_DOUBLE:
      return ColumnKind::float64;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return ColumnKind::decimal;
    case MYSQL_TYPE_BIT:
      return ColumnKind::bit;
    case MYSQL_TYPE_DATE:
      return ColumnKind::date;
    case MYSQL_TYPE_TIME:
      return ColumnKind::time;
    case MYSQL_TYPE_DATETIME:
      return ColumnKind::datetime;
    case MYSQL_TYPE_TIMESTAMP:
      return ColumnKind::timestamp;
    case MYSQL_TYPE_JSON:
      return ColumnKind::json;
    case MYSQL_TYPE_GEOMETRY:
      return ColumnKind::geometry;
    default:
      break;
  }
  switch (expected) {
    case ColumnKind::text:
    case ColumnKind::bytes:
    case ColumnKind::enumeration:
    case ColumnKind::set:
    case ColumnKind::json:
    case ColumnKind::uuid:
    case ColumnKind::inet:
    case ColumnKind::vector:
      return expected;
    default:
      return field.charsetnr == kBinaryCharset ? ColumnKind::bytes : ColumnKind::text;
  }
}

bool holds_text(ColumnKind kind) noexcept {
  return kind == ColumnKind::text || kind == ColumnKind::enumeration || kind == ColumnKind::set ||
         kind == ColumnKind::json || kind == ColumnKind::inet;
}

/// The content of a value that says its size.
std::string_view content_of(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  return reader.packed_text();
}

Clock clock_of(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  const std::uint8_t size = reader.u8();
  Clock clock;
  if (size >= 4) {
    clock.year = reader.u16();
    clock.month = reader.u8();
    clock.day = reader.u8();
  }
  if (size >= 7) {
    clock.hour = reader.u8();
    clock.minute = reader.u8();
    clock.second = reader.u8();
  }
  if (size >= 11) {
    clock.micros = reader.u32();
  }
  return clock;
}

std::int64_t micros_of_time(std::string_view bytes) noexcept {
  ByteReader reader(bytes);
  const std::uint8_t size = reader.u8();
  if (size < 8) {
    return 0;
  }
  const bool negative = reader.u8() != 0;
  const std::int64_t days = reader.u32();
  const std::int64_t hours = days * 24 + reader.u8();
  const std::int64_t minutes = hours * 60 + reader.u8();
  const std::int64_t seconds = minutes * 60 + reader.u8();
  const std::int64_t micros = seconds * 1'000'000 + (size >= 12 ? reader.u32() : 0);
  return negative ? -micros : micros;
}

ValueView integer_value(std::string_view bytes, std::size_t size, bool is_unsigned) noexcept {
  const std::uint64_t bits = ByteReader(bytes).little_endian(size);
  if (is_unsigned) {
    return ValueView::of(bits);
  }
  const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
  return ValueView::of(static_cast<std::int64_t>(bits << unused) >> unused);
}

/// ZEROFILL shows in a result what is no digit of the number.
std::string_view without_filling(std::string_view digits) noexcept {
  while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') {
    digits.remove_prefix(1);
  }
  return digits;
}

Value labels_of(std::string_view text) {
  Value::Array labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    labels.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return labels;
}

std::uint32_t load(std::span<const std::byte> raw, std::size_t ordinal) noexcept {
  std::uint32_t offset = 0;
  std::memcpy(&offset, raw.data() + ordinal * sizeof offset, sizeof offset);
  return offset;
}

}  // namespace

ResultCodec::ResultCodec(TablePtr table, const std::vector<std::size_t>& columns,
                         const MYSQL_FIELD* fields)
    : table_(std::move(table)), ordinal_(table_->columns.size(), kAbsent) {
  cells_.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const MYSQL_FIELD& field = fields[i];
    ordinal_[columns[i]] = static_cast<std::uint32_t>(i);
    cells_.push_back({columns[i], field.type, field.flags, field.charsetnr,
                      kind_on_wire(field, table_->columns[columns[i]].kind)});
  }
}

bool ResultCodec::fits(const MYSQL_FIELD* fields) const noexcept {
  return std::all_of(cells_.begin(), cells_.end(), [&](const Cell& cell) {
    const MYSQL_FIELD& field = fields[&cell - cells_.data()];
    return field.type == cell.wire && field.flags == cell.flags && field.charsetnr == cell.charset;
  });
}

ResultCodecPtr ResultCodec::narrowed(const std::vector<std::size_t>& columns) const {
  auto result = std::make_shared<ResultCodec>(table_, std::vector<std::size_t>(), nullptr);
  result->cells_ = cells_;
  for (const std::size_t column : columns) {
    result->ordinal_[column] = ordinal_[column];
  }
  return result;
}

std::size_t ResultCodec::field_count(std::span<const std::byte> /*raw*/) const {
  return ordinal_.size();
}

std::string_view ResultCodec::field_name(std::span<const std::byte> /*raw*/,
                                         std::size_t index) const {
  return table_->columns[index].name;
}

std::optional<std::size_t> ResultCodec::find(std::span<const std::byte> /*raw*/,
                                             std::string_view name) const {
  return table_->schema->find(name);
}

std::optional<ValueView> ResultCodec::field(std::span<const std::byte> raw, std::size_t index,
                                            Scratch& scratch) const {
  const std::uint32_t ordinal = ordinal_[index];
  if (ordinal == kAbsent) {
    return std::nullopt;
  }
  const std::uint32_t offset = load(raw, ordinal);
  if (offset == kNull) {
    return ValueView();
  }
  return decode(cells_[ordinal],
                {reinterpret_cast<const char*>(raw.data()) + offset, raw.size() - offset}, scratch);
}

ValueView ResultCodec::decode(const Cell& cell, std::string_view bytes, Scratch& scratch) const {
  const TableColumn& column = table_->columns[cell.column];
  switch (cell.kind) {
    case ColumnKind::integer:
      return integer_value(bytes, wire_of(cell.wire).size, (cell.flags & UNSIGNED_FLAG) != 0);
    case ColumnKind::year:
      return ValueView::of(std::int64_t{ByteReader(bytes).u16()});
    case ColumnKind::float32:
      return ValueView::of(std::bit_cast<float>(ByteReader(bytes).u32()));
    case ColumnKind::float64:
      return ValueView::of(std::bit_cast<double>(ByteReader(bytes).u64()));
    case ColumnKind::decimal: {
      const std::string_view digits = content_of(bytes);
      return ValueView::of_text(
          ValueType::decimal, (cell.flags & ZEROFILL_FLAG) != 0 ? without_filling(digits) : digits);
    }
    case ColumnKind::bit: {
      const std::string_view bits = content_of(bytes);
      return ValueView::of(ByteReader(bits).big_endian(bits.size()));
    }
    case ColumnKind::date: {
      const Clock clock = clock_of(bytes);
      return ValueView::of(Date{static_cast<std::int32_t>(clock.year),
                                static_cast<std::uint8_t>(clock.month),
                                static_cast<std::uint8_t>(clock.day)});
    }
    case ColumnKind::time:
      return ValueView::of(Time{micros_of_time(bytes), column.digits});
    case ColumnKind::datetime:
      return datetime_value(clock_of(bytes), column.digits, scratch);
    case ColumnKind::timestamp: {
      const ValueView value = datetime_value(clock_of(bytes), column.digits, scratch);
      return value.type() == ValueType::datetime ? ValueView::of(Timestamp{value.micros()}) : value;
    }
    case ColumnKind::enumeration:
    case ColumnKind::text:
    case ColumnKind::other:
      return ValueView::of(content_of(bytes));
    case ColumnKind::bytes:
    case ColumnKind::geometry:
    case ColumnKind::vector:
      return ValueView::of_text(ValueType::bytes, content_of(bytes));
    case ColumnKind::set:
      return scratch.keep(labels_of(content_of(bytes)));
    case ColumnKind::json:
      return ValueView::of_text(ValueType::json, content_of(bytes));
    case ColumnKind::uuid: {
      const std::string_view text = content_of(bytes);
      if (const auto uuid = model::parse_uuid(text)) {
        return scratch.keep(Value(*uuid));
      }
      return ValueView::of(text);
    }
    case ColumnKind::inet:
      return scratch.keep(Value(Extended{column.data_type, std::string(content_of(bytes))}));
  }
  return {};
}

std::byte* ResultRows::reserve(std::size_t size) {
  if (blocks_.empty() || block_size_ - block_used_ < size) {
    // The first block fits its row, so that a lone small row does not hold 64 KB.
    block_size_ = std::max(size, blocks_.empty() ? std::size_t{0} : kBlockSize);
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_size_));
    block_used_ = 0;
  }
  std::byte* at = blocks_.back().get() + block_used_;
  block_used_ += size;
  bytes_ += size;
  return at;
}

Document ResultRows::add(std::string_view row) {
  const auto& cells = codec_->cells_;
  const auto fail = [&](std::size_t column, const char* why) {
    throw Error(ErrorKind::corrupt, "a row of '" + codec_->table_->schema->collection() +
                                        "' has a value in column '" +
                                        codec_->table_->columns[column].name + "' that " + why);
  };
  constexpr std::size_t kFirstBit = 2;  // two bits of the bitmap are reserved
  const std::size_t nulls = (cells.size() + kFirstBit + 7) / 8;
  const std::size_t header = cells.size() * sizeof(std::uint32_t);
  ByteReader reader(row);
  const std::string_view bitmap = reader.take(nulls);
  const std::string_view values = reader.rest();
  offsets_.resize(cells.size());
  for (std::size_t i = 0; i < cells.size() && reader.ok(); ++i) {
    const std::size_t bit = i + kFirstBit;
    if ((static_cast<unsigned char>(bitmap[bit / 8]) >> (bit % 8) & 1U) != 0) {
      offsets_[i] = kNull;
      continue;
    }
    offsets_[i] = static_cast<std::uint32_t>(header + (values.size() - reader.rest().size()));
    const Wire wire = wire_of(cells[i].wire);
    if (wire.layout == Layout::fixed) {
      reader.skip(wire.size);
    } else if (wire.layout == Layout::sized_byte) {
      reader.skip(reader.u8());
    } else {
      const std::string_view content = reader.packed_text();
      if (holds_text(cells[i].kind) && !is_valid_utf8(content)) {
        fail(cells[i].column, "is not valid UTF-8; store it as a blob or mend it");
      }
    }
    if (!reader.ok()) {
      fail(cells[i].column, "is cut short");
    }
  }
  const std::size_t size = values.size() - reader.rest().size();
  std::byte* at = reserve(header + size);
  std::memcpy(at, offsets_.data(), header);
  std::memcpy(at + header, values.data(), size);
  return {shared_from_this(), codec_.get(), std::span<const std::byte>(at, header + size)};
}

}  // namespace ustream::mysql
