// The stream engine alone: prebuilt batches of SQLite row images from a source in memory to
// callbacks that only count.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "bench.hpp"
#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/row_codec.hpp"
#include "stream/engine.hpp"

namespace ustream::bench {
namespace {

constexpr std::int64_t kBatchChanges = 1000;
constexpr std::int64_t kCustomers = 1000;

using Batches = std::vector<ChangeBatchPtr>;

SchemaPtr orders_schema() {
  return std::make_shared<const Schema>(
      "orders",
      std::vector<Column>{{"id", "INTEGER", KeyAffinity::number, false},
                          {"customer_id", "INTEGER", KeyAffinity::number, true},
                          {"status", "TEXT", KeyAffinity::text, true},
                          {"amount", "REAL", KeyAffinity::number, true},
                          {"placed_at", "INTEGER", KeyAffinity::number, true},
                          {"note", "TEXT", KeyAffinity::text, true}},
      std::vector<std::size_t>{0});
}

std::shared_ptr<const PositionOrigin> origin() {
  static constexpr const char* kEpoch = "bench";
  return sqlite::make_origin(kEpoch);
}

/// Orders `created`; ten statuses and a thousand customers in turn.
Batches build(std::int64_t count) {
  const auto codec = std::make_shared<const sqlite::RowCodec>(orders_schema());
  const auto from = origin();
  Batches batches;
  for (std::int64_t id = 1; id <= count;) {
    auto batch = std::make_shared<ChangeBatch>();
    auto storage = std::make_shared<sqlite::RowStorage>();
    for (std::int64_t i = 0; i < kBatchChanges && id <= count; ++i, ++id) {
      const std::string status = "status-" + std::to_string(id % 10);
      storage->begin(codec);
      if (!storage->set(0, ValueView::of(id)) || !storage->set(1, ValueView::of(id % kCustomers)) ||
          !storage->set(2, ValueView::of(std::string_view(status))) ||
          !storage->set(3, ValueView::of(static_cast<double>(id) / 8)) ||
          !storage->set(4, ValueView::of(1'700'000'000 + id)) ||
          !storage->set(5, ValueView::of(std::string_view("leave it with the neighbour")))) {
        throw std::logic_error("a row image could not be built");
      }
      Change& change = batch->changes.emplace_back();
      change.op = Op::create;
      change.schema = codec->schema();
      change.after = storage->finish();
      change.position = sqlite::make_position(from, id, 0);
      change.transaction.seq = static_cast<std::uint64_t>(i + 1);
    }
    batch->boundary = sqlite::make_position(from, id - 1, sqlite::kBoundarySub);
    batches.push_back(std::move(batch));
  }
  return batches;
}

/// Delivers batches once it is told to.
class MemorySource final : public ChangeSource {
 public:
  explicit MemorySource(const Batches& batches) : batches_(batches), begin_(at(0)) {}

  Position watch(const std::vector<std::string>& /*collections*/) override { return begin_; }
  [[nodiscard]] Position current() override { return begin_; }
  void run(const Position& /*from*/, ChangeSink& sink, const std::stop_token& stop) override {
    sink.caught_up(begin_);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return released_; });
    for (const ChangeBatchPtr& batch : batches_) {
      if (stop.stop_requested() || !sink.deliver(batch)) {
        return;
      }
    }
    changed_.wait(lock, stop, [] { return false; });
  }
  bool replay(const Position& /*from*/, const Position& /*until*/, ChangeSink& /*sink*/,
              const std::stop_token& /*stop*/) override {
    return true;
  }
  [[nodiscard]] bool has_before_images() const override { return true; }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      released_ = true;
    }
    changed_.notify_all();
  }

 private:
  [[nodiscard]] static Position at(std::int64_t seq) {
    return sqlite::make_position(origin(), seq, sqlite::kBoundarySub);
  }
  const Batches& batches_;
  const Position begin_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool released_ = false;
};

class MemoryConnector final : public BaseConnector {
 public:
  explicit MemoryConnector(const Batches& batches) : source_(batches) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "sqlite"; }
  void open() override {}
  void close() noexcept override {}
  void ping() override {}
  [[nodiscard]] std::vector<DoctorCheck> doctor() override { return {}; }
  std::vector<std::string> uninstall() override { return {}; }
  [[nodiscard]] ChangeSource* change_source() noexcept override { return &source_; }
  void release() { source_.release(); }

 private:
  MemorySource source_;
};

struct Case {
  std::string name;
  std::vector<std::string> filters;  ///< one subscription each
  std::int64_t changes = 0;
  std::uint64_t deliveries = 0;  ///< expected, of all subscriptions
  bool has_target = false;
  std::vector<double> times = {};
};

/// Counts across subscriptions, and wakes whoever waits at the last.
struct Counter {
  std::atomic<std::uint64_t> left;
  std::atomic<std::size_t> unready;
  std::atomic<bool> done{false};
};

double measure(const Batches& batches, const Case& what) {
  MemoryConnector connector(batches);
  stream::StreamEngine engine(connector, {});
  Counter counter{what.deliveries, what.filters.size()};
  std::vector<Subscription> subscriptions;
  for (const std::string& filter : what.filters) {
    SubscriptionOptions options;
    options.filter = filter.empty() ? Filter() : Filter::parse(filter);
    options.slow_policy = SlowPolicy::block;
    subscriptions.push_back(
        engine.subscribe({"orders"}, options, [&](std::span<const Delivery> deliveries) {
          std::uint64_t changes = 0;
          for (const Delivery& delivery : deliveries) {
            changes += delivery.change != nullptr ? 1 : 0;
          }
          if (changes < deliveries.size() && --counter.unready == 0) {
            counter.unready.notify_all();
          }
          if (changes == 0) {
            return;
          }
          if (counter.left.fetch_sub(changes) == changes) {
            counter.done = true;
            counter.done.notify_all();
          }
        }));
  }
  engine.start();
  for (std::size_t unready = counter.unready; unready > 0; unready = counter.unready) {
    counter.unready.wait(unready);
  }
  const double time = seconds([&] {
    connector.release();
    counter.done.wait(false);
  });
  subscriptions.clear();
  engine.stop();
  return time;
}

std::vector<std::string> customers(std::int64_t first, std::int64_t count) {
  std::vector<std::string> filters;
  for (std::int64_t id = first; id < first + count; ++id) {
    filters.push_back(R"({"customer_id":)" + std::to_string(id) + "}");
  }
  return filters;
}

std::vector<Case> make_cases(std::int64_t full) {
  const auto times = [](std::size_t count, const std::string& filter) {
    return std::vector<std::string>(count, filter);
  };
  const std::string tenth = R"({"status":"status-3"})";
  const std::string all = R"({"customer_id":{"$gte":0}})";
  std::vector<Case> cases;
  for (const std::int64_t count : {1, 10, 1000}) {
    // Many subscriptions get many deliveries, so they get fewer changes.
    const std::int64_t changes = std::max(kBatchChanges, full / (count == 1 ? 1 : count / 2));
    const auto all_of = static_cast<std::uint64_t>(changes * count);
    const auto size = static_cast<std::size_t>(count);
    const std::string name =
        std::to_string(count) + (count == 1 ? " subscription, " : " subscriptions, ");
    cases.push_back({name + "no filter", times(size, ""), changes, all_of});
    cases.push_back(
        {name + "one column, 1 in 10", times(size, tenth), changes, all_of / 10, count == 1});
    cases.push_back({name + "one column, all", times(size, all), changes, all_of, count == 1});
  }
  const auto matching = static_cast<std::uint64_t>(full / kCustomers);
  cases.push_back({"1 equality filter, 1 in 1000", customers(7, 1), full, matching});
  // Ids from 900 on: a tenth of the changes is for one of them each.
  cases.push_back({"1000 equality filters, 1 in 10 changes is for one",
                   customers(kCustomers * 9 / 10, 1000), full, matching * 100});
  cases.push_back(
      {"1000 equality filters, each change is for one", customers(0, 1000), full, matching * 1000});
  return cases;
}

void print(const std::vector<Case>& cases, Report& report) {
  const Case& one = cases[cases.size() - 3];
  for (const Case& each : cases) {
    const double time = median(each.times);
    Result result{each.name, static_cast<double>(each.changes) / time, "changes/s"};
    if (each.has_target) {
      result = at_least(2'000'000, result);
    }
    if (&each > &one) {
      result.ratio = median_ratio(each.times, one.times);
      result.baseline = "the cost of 1 filter";
      result = ratio_below(3.0, result);
    }
    report.add(result);
    if (each.deliveries != static_cast<std::uint64_t>(each.changes)) {
      report.add({"  the same, in deliveries", static_cast<double>(each.deliveries) / time,
                  "deliveries/s"});
    }
  }
}

}  // namespace

void bench_dispatch(const Settings& settings, Report& report) {
  const auto full = static_cast<std::int64_t>(settings.amount(500'000, 10'000));
  report.section("dispatch",
                 "the engine alone, from a source in memory to callbacks that count; "
                 "batches of 1000 created rows of six columns; " +
                     std::to_string(full) + " changes, fewer where each goes to many");
  const Batches all = build(full);
  std::vector<Case> cases = make_cases(full);
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    for (Case& each : cases) {
      const auto end = all.begin() + each.changes / kBatchChanges;
      each.times.push_back(measure(Batches(all.begin(), end), each));
    }
  }
  print(cases, report);
}

}  // namespace ustream::bench
