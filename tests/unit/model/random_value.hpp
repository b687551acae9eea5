// Random values for property tests: every type, and the edges of each.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "ustream/value.hpp"

namespace ustream::test {

/// Deterministic given the seed.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}

  /// Any type but array and object; no NaN.
  Value scalar();
  /// Also arrays and objects, `depth` levels at most.
  Value any(int depth);
  /// Valid UTF-8, often text that could be misread as something else.
  std::string text();
  std::string bytes();
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  double real();
  std::int64_t integer();
  std::string decimal();
  std::mt19937_64 random_;
};

}  // namespace ustream::test
