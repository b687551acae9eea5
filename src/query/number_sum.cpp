#include "query/number_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <utility>

namespace ustream::query {
namespace {

constexpr std::int64_t kLimbDigits = 9;
constexpr std::int64_t kLimbBase = 1'000'000'000;
constexpr std::int64_t kFarthestDigit = 6'200;
/// Each addition adds less than kLimbBase to a limb, so this many fit an int64 with room to spare.
constexpr std::uint64_t kCarryAfter = 1'000'000'000;

std::string int128_text(Int128 value) {
  std::string text;
  const bool negative = value < 0;
  do {
    const auto digit = static_cast<int>(value % 10);
    text.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  if (negative) {
    text.push_back('-');
  }
  std::reverse(text.begin(), text.end());
  return text;
}

std::int64_t power_of_ten(std::int64_t exponent) noexcept {
  std::int64_t power = 1;
  for (std::int64_t i = 0; i < exponent; ++i) {
    power *= 10;
  }
  return power;
}

/// The limb that holds the digit of this power of ten; below 0: after the point.
std::int64_t limb_of(std::int64_t power) noexcept {
  return power >= 0 ? power / kLimbDigits : -((-power - 1) / kLimbDigits) - 1;
}

void append_limb(std::string& out, std::int64_t limb) {
  const std::string digits = std::to_string(limb);
  out.append(static_cast<std::size_t>(kLimbDigits) - digits.size(), '0');
  out += digits;
}

/// Moves what exceeds a limb into the next higher one; returns what the highest one loses.
std::int64_t carry_through(std::int64_t& limb, std::int64_t carried) noexcept {
  const std::int64_t value = limb + carried;
  const std::int64_t up = value / kLimbBase - (value % kLimbBase < 0 ? 1 : 0);
  limb = value - up * kLimbBase;
  return up;
}

}  // namespace

std::int64_t& DecimalSum::limb(std::int64_t index) {
  auto& limbs = index < 0 ? fraction_ : whole_;
  const auto at = static_cast<std::size_t>(index < 0 ? -index - 1 : index);
  if (limbs.size() <= at) {
    limbs.resize(at + 1);
  }
  return limbs[at];
}

bool DecimalSum::add(std::string_view text) {
  const DecimalParts parts = parse_decimal(text);
  if (parts.kind != DecimalParts::Kind::finite || parts.scale > kFarthestDigit) {
    return false;
  }
  if (!parts.zero() && (parts.magnitude > kFarthestDigit || parts.magnitude < -kFarthestDigit)) {
    return false;
  }
  scale_ = std::max(scale_, parts.scale);
  std::int64_t power = parts.magnitude;
  for (const char c : parts.digits) {
    if (c == '.') {
      continue;
    }
    const std::int64_t index = limb_of(power);
    const std::int64_t digit = (c - '0') * power_of_ten(power - index * kLimbDigits);
    limb(index) += parts.negative ? -digit : digit;
    --power;
  }
  if (++since_carry_ >= kCarryAfter) {
    carry();
  }
  return true;
}

void DecimalSum::carry() {
  std::int64_t carried = 0;
  for (std::int64_t& limb : std::views::reverse(fraction_)) {
    carried = carry_through(limb, carried);
  }
  for (std::int64_t& limb : whole_) {
    carried = carry_through(limb, carried);
  }
  // A sum below zero keeps its sign in the highest limb.
  while (carried > 0 || carried < -1) {
    whole_.push_back(0);
    carried = carry_through(whole_.back(), carried);
  }
  if (carried == -1) {
    whole_.push_back(-1);
  }
  since_carry_ = 0;
}

std::string DecimalSum::text() const {
  DecimalSum sum = *this;
  sum.carry();
  const bool negative = !sum.whole_.empty() && sum.whole_.back() < 0;
  if (negative) {
    for (std::int64_t& limb : sum.whole_) {
      limb = -limb;
    }
    for (std::int64_t& limb : sum.fraction_) {
      limb = -limb;
    }
    sum.carry();
  }
  std::string digits;
  for (const std::int64_t limb : std::views::reverse(sum.whole_)) {
    append_limb(digits, limb);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) {
    digits = "0";
  }
  if (scale_ > 0) {
    std::string fraction;
    for (const std::int64_t limb : sum.fraction_) {
      append_limb(fraction, limb);
    }
    fraction.resize(static_cast<std::size_t>(scale_), '0');
    digits += '.' + fraction;
  }
  return negative ? '-' + digits : digits;
}

void NumberSum::add_double(double number) noexcept {
  has_doubles_ = true;
  const double next = doubles_ + number;
  // Of the two, the one of smaller magnitude lost digits (Neumaier 1974). Past infinity this is
  // NaN, which total() then leaves aside.
  compensation_ += std::fabs(doubles_) >= std::fabs(number) ? (doubles_ - next) + number
                                                            : (number - next) + doubles_;
  doubles_ = next;
}

void NumberSum::add(const ValueView& number) {
  ++count_;
  switch (number.type()) {
    case ValueType::int64:
    case ValueType::uint64:
      integers_ += to_int128(number);
      return;
    case ValueType::decimal:
      if (decimals_.add(number.text())) {
        has_decimals_ = true;
        return;
      }
      break;
    default:
      break;
  }
  add_double(to_double(number));
}

double NumberSum::total() const {
  NumberSum all = *this;
  all.add_double(static_cast<double>(integers_));
  if (has_decimals_) {
    all.add_double(decimal_to_double(decimals_.text()));
  }
  return std::isfinite(all.doubles_) ? all.doubles_ + all.compensation_ : all.doubles_;
}

Value NumberSum::sum() const {
  if (has_doubles_) {
    return total();
  }
  if (has_decimals_) {
    DecimalSum all = decimals_;
    static_cast<void>(all.add(int128_text(integers_)));
    return Decimal{all.text()};
  }
  if (integers_ >= std::numeric_limits<std::int64_t>::min() &&
      integers_ <= std::numeric_limits<std::int64_t>::max()) {
    return static_cast<std::int64_t>(integers_);
  }
  return Decimal{int128_text(integers_)};
}

double NumberSum::average() const {
  if (!has_doubles_ && !has_decimals_) {
    return static_cast<double>(static_cast<long double>(integers_) /
                               static_cast<long double>(count_));
  }
  return total() / static_cast<double>(count_);
}

}  // namespace ustream::query
