// Sums that lose nothing that can be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ustream/value.hpp"

#include "query/number.hpp"

namespace ustream::query {

/// Adds decimal texts exactly, in limbs of nine digits that carry late. Not thread-safe.
class DecimalSum {
 public:
  /// False, and nothing added, for what is not finite or has digits further than 6,200 places from
  /// the point (decimal128 ends at 6,176).
  [[nodiscard]] bool add(std::string_view text);
  /// With as many digits after the point as the longest summand; no exponent.
  [[nodiscard]] std::string text() const;

 private:
  void carry();
  [[nodiscard]] std::int64_t& limb(std::int64_t index);

  std::vector<std::int64_t> whole_;     ///< lowest nine digits first
  std::vector<std::int64_t> fraction_;  ///< the nine digits after the point first
  std::int64_t scale_ = 0;
  std::uint64_t since_carry_ = 0;
};

/// The sum of numbers of all types: integers alone stay exact integers, with decimals exact
/// decimals, with any double a double (Neumaier's compensated sum). Not thread-safe.
class NumberSum {
 public:
  /// REQUIRES a number.
  void add(const ValueView& number);
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// int64 0 for no numbers at all.
  [[nodiscard]] Value sum() const;
  /// REQUIRES count() > 0.
  [[nodiscard]] double average() const;

 private:
  void add_double(double number) noexcept;
  [[nodiscard]] double total() const;

  std::uint64_t count_ = 0;
  Int128 integers_ = 0;
  bool has_decimals_ = false;
  DecimalSum decimals_;
  bool has_doubles_ = false;
  double doubles_ = 0;
  double compensation_ = 0;
};

}  // namespace ustream::query
