// From COMMIT to the callback: stamped right after COMMIT returned, and first thing in the
// callback.
#include <atomic>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "bench.hpp"

namespace ustream::bench {
namespace {

struct Stamp {
  std::int64_t id = 0;
  std::int64_t time = 0;
};
using Writer = std::function<std::vector<Stamp>(const ChildWrites&)>;

/// Calls `write(id)` at the rate asked for and stamps its return.
std::vector<Stamp> at_rate(const ChildWrites& options,
                           const std::function<void(std::int64_t)>& write) {
  std::vector<Stamp> stamps;
  stamps.reserve(options.count);
  const auto period = static_cast<std::int64_t>(1e9 / options.rate);
  std::int64_t next = now_ns();
  for (std::size_t i = 0; i < options.count; ++i) {
    sleep_until_ns(next);
    next += period;
    const std::int64_t id = options.first_id + static_cast<std::int64_t>(i);
    write(id);
    stamps.push_back({id, now_ns()});
  }
  return stamps;
}

std::vector<Stamp> write_plain(const ChildWrites& options) {
  const TableKind orders = orders_table();
  Plain database(options.database, options.synchronous);
  Plain::Statement insert(database, orders.insert);
  Plain::Statement begin(database, "BEGIN IMMEDIATE");
  Plain::Statement commit(database, "COMMIT");
  return at_rate(options, [&](std::int64_t id) {
    begin.run();
    orders.bind(insert, id);
    insert.run();
    commit.run();
  });
}

std::vector<Stamp> in_child(const Settings& settings, const ChildWrites& options) {
  Child child({settings.self, "write-orders", "--database", options.database, "--synchronous",
               options.synchronous, "--first-id", std::to_string(options.first_id), "--count",
               std::to_string(options.count), "--rate", std::to_string(options.rate)});
  const std::string bytes = child.read_all();
  std::vector<Stamp> stamps(bytes.size() / sizeof(Stamp));
  std::memcpy(stamps.data(), bytes.data(), stamps.size() * sizeof(Stamp));
  if (stamps.size() != options.count) {
    throw std::runtime_error("the writing process failed");
  }
  return stamps;
}

/// What the callback saw, by id.
struct Received {
  explicit Received(std::size_t ids) : times(ids) {}
  std::vector<std::atomic<std::int64_t>> times;
  std::atomic<std::size_t> count{0};
};

std::vector<double> measure(RealtimeStreamPackage& package, const ChildWrites& options,
                            const Writer& writer) {
  Received received(options.count);
  const Subscription subscription =
      package.on("orders", [&](const Document&, const ChangeMeta& meta) {
        const std::int64_t time = now_ns();
        const auto index = static_cast<std::size_t>(std::stoll(meta.key) - options.first_id);
        if (index < received.times.size()) {
          received.times[index] = time;
          received.count.fetch_add(1);
          received.count.notify_one();
        }
      });
  std::vector<Stamp> stamps;
  std::thread([&] { stamps = writer(options); }).join();
  const std::int64_t give_up = now_ns() + 30'000'000'000;
  while (received.count < options.count) {
    if (now_ns() > give_up) {
      throw std::runtime_error("commits were not told of");
    }
    sleep_until_ns(now_ns() + 1'000'000);
  }
  std::vector<double> micros;
  for (const Stamp& stamp : stamps) {
    const std::int64_t time =
        received.times[static_cast<std::size_t>(stamp.id - options.first_id)].load();
    // A reader sees a commit shortly before COMMIT returns to its writer: below zero is early.
    micros.push_back(static_cast<double>(time - stamp.time) / 1000.0);
  }
  return micros;
}

struct Spread {
  std::vector<double> p50, p95, p99, max;
  void add(const std::vector<double>& micros) {
    p50.push_back(percentile(micros, 0.50));
    p95.push_back(percentile(micros, 0.95));
    p99.push_back(percentile(micros, 0.99));
    max.push_back(percentile(micros, 1.0));
  }
};

struct Case {
  std::string name;
  std::string synchronous;
  Writer writer;
  bool other_process = false;
  Spread spread = {};
};

void print(const Case& each, double commit_us, Report& report) {
  const std::string name = each.name + ", " + each.synchronous + ", ";
  const auto ratio = [&](double value) { return value / commit_us; };
  const Spread& spread = each.spread;
  Result p50{name + "p50", median(spread.p50), "us", ratio(median(spread.p50)), "a plain commit"};
  Result p99{name + "p99", median(spread.p99), "us", ratio(median(spread.p99)), "a plain commit"};
  report.add(each.other_process ? p50 : below(300, p50));
  report.add({name + "p95", median(spread.p95), "us"});
  report.add(each.other_process ? below(1000, p99) : p99);
  report.add({name + "max", median(spread.max), "us"});
}

/// The time that a commit of one row takes without any of us, in microseconds.
double plain_commit(const Settings& settings, const std::string& synchronous) {
  const DatabaseFile file(settings.folder, "latency-plain");
  const TableKind orders = orders_table();
  Plain database(file.path(), synchronous);
  database.execute(orders.create);
  Plain::Statement insert(database, orders.insert);
  std::vector<double> micros;
  for (std::int64_t id = 1; id <= static_cast<std::int64_t>(settings.amount(300, 20)); ++id) {
    orders.bind(insert, id);
    micros.push_back(seconds([&] { insert.run(); }) * 1e6);
  }
  return median(micros);
}

}  // namespace

void write_as_child(const ChildWrites& options) {
  const std::vector<Stamp> stamps = write_plain(options);
  const auto* bytes = reinterpret_cast<const char*>(stamps.data());
  std::size_t left = stamps.size() * sizeof(Stamp);
  while (left > 0) {
    const ssize_t size = ::write(STDOUT_FILENO, bytes, left);
    if (size <= 0) {
      throw std::runtime_error("the parent is gone");
    }
    bytes += size;
    left -= static_cast<std::size_t>(size);
  }
}

void bench_latency(const Settings& settings, Report& report) {
  ChildWrites options;
  const auto set_rate = [&](const std::string& synchronous) {
    // A commit that waits for the disk takes milliseconds: it must not run into the next one.
    options.rate = synchronous == "FULL" ? 50 : 200;
    options.count = synchronous == "FULL" ? settings.amount(200, 20) : settings.amount(600, 40);
  };
  report.section("latency",
                 "from the return of COMMIT to the callback; orders, one row a transaction; "
                 "synchronous=NORMAL: 600 commits at 200/s, FULL: 200 commits at 50/s");
  const DatabaseFile file(settings.folder, "latency");
  Plain(file.path(), "FULL").execute(orders_table().create);
  RealtimeStreamPackage package;
  package.init(file.url());
  package.start();
  options.database = file.path();

  const Writer own = [&](const ChildWrites& what) {
    return at_rate(
        what, [&](std::int64_t id) { package.write("orders", std::to_string(id), order_row(id)); });
  };
  const Writer child = [&](const ChildWrites& what) { return in_child(settings, what); };
  std::vector<Case> cases{{"plain sqlite3, same process", "NORMAL", write_plain},
                          {"plain sqlite3, same process", "FULL", write_plain},
                          {"package.write(), same process", "FULL", own},
                          {"plain sqlite3, another process", "NORMAL", child, true},
                          {"plain sqlite3, another process", "FULL", child, true}};
  std::map<std::string, std::vector<double>> commits;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    for (const char* synchronous : {"NORMAL", "FULL"}) {
      commits[synchronous].push_back(plain_commit(settings, synchronous));
    }
    for (Case& each : cases) {
      options.synchronous = each.synchronous;
      set_rate(each.synchronous);
      each.spread.add(measure(package, options, each.writer));
      options.first_id += static_cast<std::int64_t>(options.count);
    }
  }
  for (const auto& [synchronous, micros] : commits) {
    report.add({"a plain commit of one row, " + synchronous, median(micros), "us"});
  }
  for (const Case& each : cases) {
    print(each, median(commits[each.synchronous]), report);
  }
  package.destroy();
}

}  // namespace ustream::bench
