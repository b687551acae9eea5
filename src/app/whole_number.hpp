// Checks numbers on the command line.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

namespace ustream::app {

/// Digits, from `low` to `high`. (CLI11's own conversion takes "-1" for the largest number.)
[[nodiscard]] inline CLI::Validator whole_number(
    std::uint64_t low, std::uint64_t high = std::numeric_limits<std::uint64_t>::max()) {
  return {[low, high](const std::string& text) {
            std::uint64_t number = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, number);
            if (error == std::errc{} && stop == end && number >= low && number <= high) {
              return std::string();
            }
            return "'" + text + "' is not a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high);
          },
          std::string(), "whole number"};
}

}  // namespace ustream::app
