#include "connectors/mysql/row_codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

constexpr std::size_t kWordBits = 64;

const char* chars_of(std::span<const std::byte> raw) noexcept {
  return reinterpret_cast<const char*>(raw.data());
}

/// Size and first bytes of a name in one number: names that differ mostly differ in it.
std::uint64_t head_of(std::string_view name) noexcept {
  std::uint64_t head = 0;
  if (!name.empty()) {
    std::memcpy(&head, name.data(), std::min<std::size_t>(name.size(), 7));
  }
  return head << 8U | (name.size() & 0xffU);
}

}  // namespace

BinlogRowCodec::BinlogRowCodec(TableMapPtr table, std::string_view present)
    : table_(std::move(table)), slots_(table_->columns.size()) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    name_heads_.push_back(head_of(table_->columns[i].name));
    if ((static_cast<unsigned char>(present[i / 8]) >> (i % 8) & 1U) != 0) {
      slots_[i].ordinal = static_cast<std::uint32_t>(plans_.size());
      columns_.push_back(static_cast<std::uint32_t>(i));
      plans_.emplace_back(table_->columns[i]);
    }
  }
  std::size_t first = 0;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    // A run's bits are in one word of the bitmap.
    if (plans_[i].prefix_size() != 0 || (i + 1) % kWordBits == 0 || i + 1 == plans_.size()) {
      add_run(first, i + 1);
      first = i + 1;
    }
  }
}

void BinlogRowCodec::add_run(std::size_t first, std::size_t end) {
  Run run;
  run.first = static_cast<std::uint32_t>(first);
  run.end = static_cast<std::uint32_t>(end);
  run.first_check = static_cast<std::uint32_t>(checks_.size());
  run.prefix = static_cast<std::uint8_t>(plans_[end - 1].prefix_size());
  for (std::size_t i = first; i < end; ++i) {
    Slot& slot = slots_[columns_[i]];
    slot.run = static_cast<std::uint32_t>(runs_.size());
    slot.offset = run.fixed;
    run.fixed += plans_[i].fixed_size();
    run.nulls |= std::uint64_t{1} << i % kWordBits;
    if (plans_[i].is_checked()) {
      checks_.push_back(static_cast<std::uint32_t>(i));
    }
  }
  run.end_check = static_cast<std::uint32_t>(checks_.size());
  runs_.push_back(run);
}

std::uint64_t BinlogRowCodec::nulls_of(const char* image, const Run& run) const noexcept {
  const std::size_t at = run.first / kWordBits * 8;
  const std::size_t size = std::min<std::size_t>(null_bytes() - at, 8);
  return little_endian_at(image + at, size) & run.nulls;
}

std::size_t BinlogRowCodec::null_size(const Run& run, std::uint64_t nulls) const noexcept {
  const std::size_t base = run.first / kWordBits * kWordBits;
  std::size_t size = 0;
  for (; nulls != 0; nulls &= nulls - 1) {
    size += plans_[base + static_cast<std::size_t>(std::countr_zero(nulls))].fixed_size();
  }
  return size;
}

std::size_t BinlogRowCodec::offset_in(const Run& run, std::uint64_t nulls,
                                      const Slot& slot) const noexcept {
  const std::uint64_t before = nulls & ((std::uint64_t{1} << slot.ordinal % kWordBits) - 1);
  return slot.offset - (before == 0 ? 0 : null_size(run, before));
}

std::size_t BinlogRowCodec::run_size(const Run& run, std::uint64_t nulls, const char* at,
                                     std::size_t left) const noexcept {
  const std::size_t size = run.fixed - (nulls == 0 ? 0 : null_size(run, nulls));
  const bool varies = run.prefix != 0 && (nulls >> (run.end - 1) % kWordBits & 1U) == 0;
  if (!varies || size > left) {
    return size;
  }
  return size + static_cast<std::size_t>(little_endian_at(at + size - run.prefix, run.prefix));
}

std::optional<std::string_view> BinlogRowCodec::image(std::string_view bytes) const noexcept {
  if (bytes.size() < null_bytes()) {
    return std::nullopt;
  }
  std::size_t at = null_bytes();
  for (const Run& run : runs_) {
    const std::size_t left = bytes.size() - at;
    const std::size_t size = run_size(run, nulls_of(bytes.data(), run), bytes.data() + at, left);
    if (size > left) {
      return std::nullopt;
    }
    at += size;
  }
  return bytes.substr(0, at);
}

void BinlogRowCodec::check_run(const Run& run, std::uint64_t nulls, const char* at,
                               CheckedImage& checked) const {
  for (std::size_t i = run.first_check; i < run.end_check; ++i) {
    const std::size_t ordinal = checks_[i];
    if ((nulls >> ordinal % kWordBits & 1U) != 0) {
      continue;
    }
    const ColumnPlan& plan = plans_[ordinal];
    const char* const value = at + offset_in(run, nulls, slots_[columns_[ordinal]]);
    if (const char* reason = plan.undecodable({value, plan.size_at(value)})) {
      checked.column = &plan.column();
      checked.reason = reason;
      return;
    }
  }
}

std::optional<CheckedImage> BinlogRowCodec::image_and_check(std::string_view bytes) const {
  if (bytes.size() < null_bytes()) {
    return std::nullopt;
  }
  CheckedImage checked;
  std::size_t at = null_bytes();
  for (const Run& run : runs_) {
    const std::size_t left = bytes.size() - at;
    const std::uint64_t nulls = nulls_of(bytes.data(), run);
    const std::size_t size = run_size(run, nulls, bytes.data() + at, left);
    if (size > left) {
      return std::nullopt;
    }
    if (run.first_check != run.end_check && checked.reason == nullptr) {
      check_run(run, nulls, bytes.data() + at, checked);
    }
    at += size;
  }
  checked.bytes = bytes.substr(0, at);
  return checked;
}

std::string BinlogRowCodec::undecodable(std::string_view image) const {
  return checks_.empty() ? std::string() : image_and_check(image)->undecodable();
}

const char* BinlogRowCodec::find_value(const char* image, const Slot& slot) const noexcept {
  const char* at = image + null_bytes();
  for (std::size_t i = 0; i < slot.run; ++i) {
    at += run_size(runs_[i], nulls_of(image, runs_[i]), at, ColumnPlan::kImpossible);
  }
  const Run& run = runs_[slot.run];
  return at + offset_in(run, nulls_of(image, run), slot);
}

BinlogRowCodec::Place BinlogRowCodec::place(std::string_view image,
                                            std::size_t index) const noexcept {
  const Slot& slot = slots_[index];
  if (slot.ordinal == kAbsent) {
    return {};
  }
  if (is_null(image.data(), slot.ordinal)) {
    return {true, true, {}};
  }
  const char* const value = find_value(image.data(), slot);
  return {true, false, {value, plans_[slot.ordinal].size_at(value)}};
}

std::size_t BinlogRowCodec::field_count(std::span<const std::byte> /*raw*/) const {
  return slots_.size();
}

std::string_view BinlogRowCodec::field_name(std::span<const std::byte> /*raw*/,
                                            std::size_t index) const {
  return table_->columns[index].name;
}

std::optional<std::size_t> BinlogRowCodec::find(std::span<const std::byte> /*raw*/,
                                                std::string_view name) const {
  const std::uint64_t head = head_of(name);
  for (std::size_t i = 0; i < name_heads_.size(); ++i) {
    if (name_heads_[i] == head && table_->columns[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

std::optional<ValueView> BinlogRowCodec::field(std::span<const std::byte> raw, std::size_t index,
                                               Scratch& scratch) const {
  const Slot& slot = slots_[index];
  if (slot.ordinal == kAbsent) {
    return std::nullopt;
  }
  const char* const image = chars_of(raw);
  if (is_null(image, slot.ordinal)) {
    return ValueView();
  }
  const ColumnPlan& plan = plans_[slot.ordinal];
  const char* const value = find_value(image, slot);
  return plan.value({value, plan.size_at(value)}, scratch);
}

void BinlogRowCodec::visit_fields(std::span<const std::byte> raw, Scratch& scratch,
                                  FieldVisitor& visitor) const {
  const char* const image = chars_of(raw);
  const char* at = image + null_bytes();
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const ColumnPlan& plan = plans_[i];
    const std::size_t index = columns_[i];
    const bool null = is_null(image, i);
    const std::size_t size = null ? 0 : plan.size_at(at);
    if (visitor.wants(index, plan.column().name)) {
      visitor.visit(index, plan.column().name,
                    null ? ValueView() : plan.value({at, size}, scratch));
    }
    at += size;
  }
}

}  // namespace ustream::mysql
