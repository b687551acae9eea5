// Writing and reading through the package, against plain SQLite that does the same.
#include <ctime>
#include <stdexcept>

#include "bench.hpp"

namespace ustream::bench {
namespace {

/// As many operations as the SQLite connector puts into one transaction of a bulk.
constexpr std::int64_t kBulkTransaction = 5000;

/// Processor seconds that this thread uses in `work`: without the disk, and without other programs.
double processor_seconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  const double before = now();
  work();
  return now() - before;
}

void plain_inserts(Plain& database, std::int64_t first, std::int64_t count,
                   std::int64_t per_transaction) {
  const TableKind orders = orders_table();
  Plain::Statement insert(database, orders.insert);
  Plain::Statement begin(database, "BEGIN IMMEDIATE");
  Plain::Statement commit(database, "COMMIT");
  for (std::int64_t i = 0; i < count; ++i) {
    if (i % per_transaction == 0) {
      begin.run();
    }
    orders.bind(insert, first + i);
    insert.run();
    if ((i + 1) % per_transaction == 0 || i + 1 == count) {
      commit.run();
    }
  }
}

struct Cost {
  double time = 0;       ///< seconds
  double processor = 0;  ///< seconds of this thread's
};

Cost watched_bulk(RealtimeStreamPackage& package, std::int64_t first, std::int64_t count) {
  std::vector<BulkOperation> operations;
  operations.reserve(static_cast<std::size_t>(count));
  for (std::int64_t id = first; id < first + count; ++id) {
    operations.push_back({"orders", std::to_string(id), order_row(id), WriteMode::merge});
  }
  BulkReport result;
  Cost cost;
  cost.processor = processor_seconds(
      [&] { cost.time = seconds([&] { result = package.bulk_write(operations); }); });
  if (!result.failures.empty()) {
    throw std::runtime_error("bulk: " + result.failures.front().message);
  }
  return cost;
}

double watched_singles(RealtimeStreamPackage& package, std::int64_t first, std::int64_t count) {
  return seconds([&] {
    for (std::int64_t id = first; id < first + count; ++id) {
      package.write("orders", std::to_string(id), order_row(id));
    }
  });
}

}  // namespace

void bench_writes(const Settings& settings, Report& report) {
  report.section("writes",
                 "orders, WAL, synchronous=FULL, a watcher attached; bulk_write puts "
                 "5000 operations into a transaction, so does its plain baseline "
                 "(without capture)");
  const auto bulk = static_cast<std::int64_t>(settings.amount(100'000, 2000));
  const auto singles = static_cast<std::int64_t>(settings.amount(500, 20));
  std::vector<double> bulk_time, bulk_delivered, bulk_plain, single_time, single_plain;
  std::vector<double> bulk_cpu, plain_cpu;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    const DatabaseFile plain_file(settings.folder, "writes-plain");
    const DatabaseFile file(settings.folder, "writes");
    Plain(file.path(), "FULL").execute(orders_table().create);
    Plain plain(plain_file.path(), "FULL");
    plain.execute(orders_table().create);
    Watcher watcher(file.url(), "orders");
    plain_cpu.push_back(processor_seconds([&] {
      bulk_plain.push_back(seconds([&] { plain_inserts(plain, 1, bulk, kBulkTransaction); }));
    }));
    const std::int64_t start = now_ns();
    const Cost cost = watched_bulk(watcher.package(), 1, bulk);
    bulk_time.push_back(cost.time);
    bulk_cpu.push_back(cost.processor);
    watcher.await(static_cast<std::uint64_t>(bulk));
    bulk_delivered.push_back(static_cast<double>(now_ns() - start) / 1e9);
    single_plain.push_back(seconds([&] { plain_inserts(plain, bulk + 1, singles, 1); }));
    single_time.push_back(watched_singles(watcher.package(), bulk + 1, singles));
    watcher.await(static_cast<std::uint64_t>(bulk + singles));
  }
  const auto rate = [](std::int64_t count, const std::vector<double>& times) {
    return static_cast<double>(count) / median(times);
  };
  report.add({"plain inserts, 5000 a transaction", rate(bulk, bulk_plain), "op/s"});
  report.add(at_least(75'000, {"bulk_write", rate(bulk, bulk_time), "op/s",
                               median_ratio(bulk_time, bulk_plain), "the time of plain"}));
  report.add({"bulk_write, until all was delivered", rate(bulk, bulk_delivered), "op/s",
              median_ratio(bulk_delivered, bulk_plain), "the time of plain"});
  const auto micros = [&](const std::vector<double>& times) {
    return median(times) / static_cast<double>(bulk) * 1e6;
  };
  report.add({"plain inserts, 5000 a transaction, processor", micros(plain_cpu), "us/op"});
  report.add({"bulk_write, processor of its thread", micros(bulk_cpu), "us/op",
              median_ratio(bulk_cpu, plain_cpu), "plain"});
  report.add({"plain inserts, 1 a transaction", rate(singles, single_plain), "op/s"});
  report.add({"write", rate(singles, single_time), "op/s", median_ratio(single_time, single_plain),
              "the time of plain"});
}

namespace {

double plain_select(Plain& database, std::int64_t rows) {
  Plain::Statement select(database, "SELECT * FROM orders");
  std::int64_t seen = 0;
  std::size_t bytes = 0;
  const double time = seconds([&] {
    while (select.step()) {
      ++seen;
      for (int i = 0; i < sqlite3_column_count(select.handle()); ++i) {
        // Reads each value, as any reader of rows has to.
        bytes += sqlite3_column_type(select.handle(), i) == SQLITE_TEXT
                     ? static_cast<std::size_t>(sqlite3_column_text(select.handle(), i)[0])
                     : static_cast<std::size_t>(sqlite3_column_int64(select.handle(), i));
      }
    }
  });
  if (seen != rows || bytes == 0) {
    throw std::runtime_error("the table is not what it should be");
  }
  return time;
}

double snapshot(RealtimeStreamPackage& package, std::int64_t rows) {
  std::int64_t seen = 0;
  const double time = seconds([&] {
    (void)package.connector().snapshotter()->snapshot("orders", {}, [&](const auto& batch) {
      seen += static_cast<std::int64_t>(batch->changes.size());
      return true;
    });
  });
  if (seen != rows) {
    throw std::runtime_error("the snapshot has not all rows");
  }
  return time;
}

double query(RealtimeStreamPackage& package, std::int64_t rows) {
  std::int64_t seen = 0;
  const double time = seconds([&] {
    package.connector().query()->query("orders", {}, [&](const Document&) {
      ++seen;
      return true;
    });
  });
  if (seen != rows) {
    throw std::runtime_error("the query has not all rows");
  }
  return time;
}

}  // namespace

void bench_snapshot(const Settings& settings, Report& report) {
  const auto rows = static_cast<std::int64_t>(settings.amount(200'000, 2000));
  report.section("snapshot", std::to_string(rows) +
                                 " orders; plain: SELECT * that reads every "
                                 "value");
  const DatabaseFile file(settings.folder, "snapshot");
  Plain plain(file.path(), "NORMAL");
  plain.execute(orders_table().create);
  plain_inserts(plain, 1, rows, rows);
  RealtimeStreamPackage package;
  package.init(file.url());
  (void)package.connector().change_source()->watch({"orders"});
  std::vector<double> plain_times, snapshot_times, query_times;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    plain_times.push_back(plain_select(plain, rows));
    snapshot_times.push_back(snapshot(package, rows));
    query_times.push_back(query(package, rows));
  }
  const auto rate = [&](const std::vector<double>& times) {
    return static_cast<double>(rows) / median(times);
  };
  report.add({"plain SELECT", rate(plain_times), "rows/s"});
  report.add({"snapshot", rate(snapshot_times), "rows/s", median_ratio(snapshot_times, plain_times),
              "the time of plain"});
  report.add({"query", rate(query_times), "rows/s", median_ratio(query_times, plain_times),
              "the time of plain"});
}

}  // namespace ustream::bench
