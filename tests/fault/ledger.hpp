// Two records of the same history: what a writer that may be killed at any time has committed, and
// what a watch that may be killed at any time has printed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ustream::fault {

/// What happened to one row: "c TAG", "u TAG" or "d TAG", by key. TAG is a random number that each
/// row version has of its own; a delete has the tag of the version that it removed.
using History = std::map<std::string, std::vector<std::string>>;

/// The table that the writer writes: orders(id, tag), and commits(txn), one row a transaction.
void create_tables(const std::string& database);

/// Commits transactions of random size until it is killed. Before a commit it writes what it is
/// about to commit to `journal` (fdatasync), under the number that it inserts into commits.
[[noreturn]] void write_orders(const std::string& database, const std::string& journal,
                               std::uint64_t seed);

/// What is committed: the last line of each number in the journal that stands in commits.
[[nodiscard]] History committed_history(const std::string& database, const std::string& journal);

/// What a watch printed into a file over all its lives.
class Printed {
 public:
  /// To be called before the watch is started again: a line that the kill tore is ended and set
  /// aside.
  static void mend(const std::string& file, std::vector<std::size_t>& torn);

  /// `torn`: where the lines set aside begin. Checks as it reads; see complaints().
  Printed(const std::string& text, const std::vector<std::size_t>& torn);

  /// Each change once, in the order in which it came first.
  [[nodiscard]] const History& history() const noexcept { return history_; }
  /// What must not be: a line that is no JSON, a cursor with two meanings, a version with two
  /// cursors, a step back within one life of the watch, a resync.
  [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  [[nodiscard]] std::size_t changes() const noexcept { return meaning_.size(); }
  [[nodiscard]] std::size_t repeats() const noexcept { return repeats_; }

 private:
  void line(const std::string& text);

  History history_;
  std::vector<std::string> complaints_;
  std::map<std::string, std::string> meaning_;  // by cursor
  std::map<std::string, std::string> cursors_;  // by version
  std::string last_;                            // order key of the last change in this life
  std::size_t repeats_ = 0;
};

}  // namespace ustream::fault
