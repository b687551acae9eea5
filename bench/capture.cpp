// What capture costs whoever writes: the same work with and without our triggers.
#include <array>

#include "bench.hpp"

namespace ustream::bench {
namespace {

enum class Variant : std::uint8_t { plain, captured, watched };
constexpr std::array kVariants{Variant::plain, Variant::captured, Variant::watched};
constexpr std::int64_t kRowsPerTransaction = 100;

/// Seconds that `work` takes on a fresh database, by variant.
using Work = std::function<void(Plain&, const TableKind&)>;
double measure(const Settings& settings, const TableKind& table, Variant variant,
               std::uint64_t rows, const Work& work) {
  const DatabaseFile file(settings.folder, "capture");
  Plain database(file.path(), "FULL");
  database.execute(table.create);
  if (variant == Variant::plain) {
    return seconds([&] { work(database, table); });
  }
  if (variant == Variant::captured) {
    install_capture(file.url(), table.name);
    return seconds([&] { work(database, table); });
  }
  Watcher watcher(file.url(), table.name);
  const double time = seconds([&] { work(database, table); });
  watcher.await(rows);
  return time;
}

void compare(const Settings& settings, Report& report, const TableKind& table, std::uint64_t rows,
             double target, const std::string& what, const Work& work) {
  std::array<std::vector<double>, kVariants.size()> times;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    for (std::size_t v = 0; v < kVariants.size(); ++v) {
      times[v].push_back(measure(settings, table, kVariants[v], rows, work));
    }
  }
  const auto rate = [&](std::size_t v) { return static_cast<double>(rows) / median(times[v]); };
  const std::string name = table.name + ", " + what + ", ";
  report.add({name + "plain", rate(0), "rows/s"});
  Result captured{name + "captured", rate(1), "rows/s", median_ratio(times[1], times[0]),
                  "the time of plain"};
  report.add(ratio_at_most(target, captured));
  report.add(
      {name + "watched", rate(2), "rows/s", median_ratio(times[2], times[0]), "the time of plain"});
}

}  // namespace

void bench_capture(const Settings& settings, Report& report) {
  const std::size_t transactions = settings.amount(200, 5);
  const std::size_t bulk_rows = settings.amount(200'000, 2000);
  report.section("capture cost",
                 "WAL, synchronous=FULL, a fresh database each time; orders has "
                 "six columns and an index, readings three and none; watched: "
                 "the writer's time while a watcher reads along");
  for (const TableKind& table : {orders_table(), narrow_table()}) {
    compare(settings, report, table, transactions * static_cast<std::size_t>(kRowsPerTransaction),
            2.0, "100-row transactions", [&](Plain& database, const TableKind& kind) {
              Plain::Statement insert(database, kind.insert);
              Plain::Statement begin(database, "BEGIN IMMEDIATE");
              Plain::Statement commit(database, "COMMIT");
              std::int64_t id = 0;
              for (std::size_t i = 0; i < transactions; ++i) {
                begin.run();
                for (std::int64_t row = 0; row < kRowsPerTransaction; ++row) {
                  kind.bind(insert, ++id);
                  insert.run();
                }
                commit.run();
              }
            });
    compare(settings, report, table, bulk_rows, 2.6,
            std::to_string(bulk_rows) + " rows in one statement",
            [&](Plain& database, const TableKind& kind) {
              Plain::Statement insert(database, kind.bulk_insert);
              insert.bind(1, static_cast<std::int64_t>(bulk_rows));
              insert.run();
            });
  }
}

}  // namespace ustream::bench
