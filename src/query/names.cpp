#include "query/names.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ustream::query {
namespace {

constexpr std::size_t kLongestQuoted = 60;

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Levenshtein's distance, letters of both cases alike.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string text = "\"";
  text += name.substr(0, kLongestQuoted);
  text += name.size() > kLongestQuoted ? "…\"" : "\"";
  return text;
}

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
  if (name.size() <= kLongestQuoted) {
    std::string_view best;
    std::size_t nearest = name.size() < 4 ? 2 : 3;
    for (const std::string_view each : known) {
      if (const std::size_t d = distance(name, each); d < nearest) {
        nearest = d;
        best = each;
      }
    }
    if (!best.empty()) {
      return "; did you mean " + quoted(best) + "?";
    }
  }
  std::string text = "; known are";
  for (const std::string_view each : known) {
    text += ' ';
    text += each;
  }
  return text;
}

}  // namespace ustream::query
