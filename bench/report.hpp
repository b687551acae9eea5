// What the benchmarks found: results, the machine they were found on, and how both are printed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ustream::bench {

/// One number, a median over the repetitions unless its name says otherwise.
struct Result {
  std::string name;
  double value = 0;
  std::string unit;
  /// Against `baseline`, whose own number was taken in the same run; nullopt: nothing to compare.
  std::optional<double> ratio = {};
  std::string baseline = {};
  std::string target = {};  ///< for people, e.g. "< 300"; empty: none
  std::optional<bool> met = {};
};

/// A number that has to stay below (or reach) a limit; the other members as in Result.
[[nodiscard]] Result below(double limit, Result result);
[[nodiscard]] Result at_least(double limit, Result result);
/// The same for the ratio instead of the value.
[[nodiscard]] Result ratio_at_most(double limit, Result result);
[[nodiscard]] Result ratio_below(double limit, Result result);

struct Section {
  std::string name;
  std::string settings;  ///< what the numbers depend on, in one line
  std::vector<Result> results;
};

/// Collects results and prints each as it comes. One thread.
class Report {
 public:
  void machine(std::string name, std::string value);
  void section(std::string name, std::string settings);
  void add(Result result);
  /// Results that miss their target.
  [[nodiscard]] std::size_t missed() const;
  /// {"machine":{…},"sections":[{"name":…,"settings":…,"results":[…]}]}
  [[nodiscard]] std::string json() const;

 private:
  std::vector<std::pair<std::string, std::string>> machine_;
  std::vector<Section> sections_;
};

/// REQUIRES that there is a value. `share` from 0 to 1; nearest rank.
[[nodiscard]] double percentile(std::vector<double> values, double share);
[[nodiscard]] double median(std::vector<double> values);
/// The median of a[i] / b[i]: what is measured in turns is compared in pairs.
[[nodiscard]] double median_ratio(const std::vector<double>& a, const std::vector<double>& b);
/// Seconds that `work` takes.
[[nodiscard]] double seconds(const std::function<void()>& work);

/// Tells the report about processor, memory, kernel, file system of `folder`, SQLite and build.
void describe_machine(Report& report, const std::string& folder);

}  // namespace ustream::bench
