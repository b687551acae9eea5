#include "report.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "ustream/json.hpp"
#include "ustream/value.hpp"

namespace ustream::bench {
namespace {

/// Four significant digits, and none after the point where they say nothing.
std::string number(double value) {
  const double size = std::abs(value);
  const int digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  char text[64];
  (void)std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string limit_text(const char* sign, double limit) {
  return sign + (" " + number(limit));
}

Value optional_value(const auto& value) {
  return value ? Value(*value) : Value();
}

Value::Object to_object(const Result& result) {
  Value::Object object{{"name", result.name}, {"value", result.value}, {"unit", result.unit}};
  if (result.ratio) {
    object.push_back({"ratio", optional_value(result.ratio)});
    object.push_back({"baseline", result.baseline});
  }
  if (!result.target.empty()) {
    object.push_back({"target", result.target});
    object.push_back({"met", optional_value(result.met)});
  }
  return object;
}

}  // namespace

Result below(double limit, Result result) {
  result.target = limit_text("<", limit);
  result.met = result.value < limit;
  return result;
}

Result at_least(double limit, Result result) {
  result.target = limit_text(">=", limit);
  result.met = result.value >= limit;
  return result;
}

Result ratio_at_most(double limit, Result result) {
  result.target = "ratio " + limit_text("<=", limit);
  result.met = result.ratio && *result.ratio <= limit;
  return result;
}

Result ratio_below(double limit, Result result) {
  result.target = "ratio " + limit_text("<", limit);
  result.met = result.ratio && *result.ratio < limit;
  return result;
}

void Report::machine(std::string name, std::string value) {
  std::printf("%-14s %s\n", (name + ":").c_str(), value.c_str());
  machine_.emplace_back(std::move(name), std::move(value));
}

void Report::section(std::string name, std::string settings) {
  std::printf("\n%s\n  (%s)\n", name.c_str(), settings.c_str());
  (void)std::fflush(stdout);
  sections_.push_back({std::move(name), std::move(settings), {}});
}

void Report::add(Result result) {
  std::string line = "  " + result.name;
  line.resize(std::max<std::size_t>(line.size() + 1, 58), ' ');
  std::string value = number(result.value);
  value.insert(0, value.size() < 12 ? 12 - value.size() : 0, ' ');
  line += value + " " + result.unit;
  if (result.ratio) {
    line += "   " + number(*result.ratio) + " x " + result.baseline;
  }
  if (!result.target.empty()) {
    line += "   [target " + result.target + (*result.met ? ": met]" : ": MISSED]");
  }
  std::printf("%s\n", line.c_str());
  (void)std::fflush(stdout);
  sections_.back().results.push_back(std::move(result));
}

std::size_t Report::missed() const {
  std::size_t count = 0;
  for (const Section& section : sections_) {
    count += static_cast<std::size_t>(
        std::count_if(section.results.begin(), section.results.end(),
                      [](const Result& result) { return result.met && !*result.met; }));
  }
  return count;
}

std::string Report::json() const {
  Value::Object machine;
  for (const auto& [name, value] : machine_) {
    machine.push_back({name, value});
  }
  Value::Array sections;
  for (const Section& section : sections_) {
    Value::Array results;
    for (const Result& result : section.results) {
      results.emplace_back(to_object(result));
    }
    sections.emplace_back(Value::Object{
        {"name", section.name}, {"settings", section.settings}, {"results", std::move(results)}});
  }
  return to_json(
      Value(Value::Object{{"machine", std::move(machine)}, {"sections", std::move(sections)}}));
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double median_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ratios.push_back(a[i] / b[i]);
  }
  return median(std::move(ratios));
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace ustream::bench
