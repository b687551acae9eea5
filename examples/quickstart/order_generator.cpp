// A shop that takes orders, in plain SQLite: it knows nothing of ustream. Each row is stamped just
// before its statement runs, so that whoever sees the change can tell how long it took to arrive.

#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <sqlite3.h>

namespace {

constexpr const char* kUsage =
    "Usage: order-generator DB --init\n"
    "       order-generator DB --rate N [--seconds N]\n"
    "\n"
    "--init makes the shop's tables in the file DB; --rate runs N statements a second that\n"
    "place, change and cancel orders, until SIGTERM, SIGINT or the end of --seconds.\n";

constexpr const char* kSchema = R"sql(
PRAGMA journal_mode = WAL;
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT NOT NULL
);
CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  price_cents INTEGER NOT NULL
);
-- placed_at and updated_at: microseconds since 1970.
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer TEXT NOT NULL,
  product TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  total_cents INTEGER NOT NULL,
  status TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
INSERT INTO customers (name, city) VALUES
  ('Ada', 'London'), ('Björn', 'Uppsala'), ('Chiara', 'Torino'), ('Dilek', 'Izmir'),
  ('Émile', 'Lyon'), ('Fatou', 'Dakar'), ('Goro', 'Kyoto'), ('Hana', 'Praha');
INSERT INTO products (name, price_cents) VALUES
  ('espresso beans', 1490), ('tea kettle', 3900), ('hand grinder', 5450), ('paper filters', 425),
  ('milk jug', 1875), ('stoneware mug', 1200), ('scales', 2999);
)sql";

constexpr const char* kPlace = R"sql(
INSERT INTO orders (customer, product, quantity, total_cents, status, placed_at, updated_at)
SELECT c.name, p.name, ?1, ?1 * p.price_cents, 'placed', ?2, ?2
FROM (SELECT name FROM customers ORDER BY random() LIMIT 1) AS c,
     (SELECT name, price_cents FROM products ORDER BY random() LIMIT 1) AS p
)sql";

constexpr const char* kAdvance = R"sql(
UPDATE orders
SET status = CASE status WHEN 'placed' THEN 'paid' ELSE 'shipped' END, updated_at = ?2
WHERE id = (SELECT id FROM orders WHERE status IN ('placed', 'paid') ORDER BY id DESC
            LIMIT 1 OFFSET ?1)
)sql";

constexpr const char* kCancel = R"sql(
UPDATE orders SET status = 'cancelled', updated_at = ?2
WHERE id = (SELECT id FROM orders WHERE status IN ('placed', 'paid') ORDER BY id DESC
            LIMIT 1 OFFSET ?1)
)sql";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

[[noreturn]] void fail(sqlite3* database) {
  throw std::runtime_error(sqlite3_errmsg(database));
}

Database open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int result = sqlite3_open(path.c_str(), &raw);
  Database database(raw);
  if (result != SQLITE_OK) {
    fail(raw);
  }
  sqlite3_busy_timeout(raw, 5000);
  return database;
}

void execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(database);
  }
}

Statement prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    fail(database);
  }
  return Statement(raw);
}

std::int64_t now_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

// Runs a statement of two parameters: a number it makes use of, and the time.
void run(sqlite3* database, sqlite3_stmt* statement, int number) {
  sqlite3_bind_int(statement, 1, number);
  sqlite3_bind_int64(statement, 2, now_microseconds());
  const int result = sqlite3_step(statement);
  sqlite3_reset(statement);
  if (result != SQLITE_DONE) {
    fail(database);
  }
}

// Sleeps, and says whether a signal to end came meanwhile.
bool sleep_or_end(const sigset_t& signals, double seconds) {
  timespec duration{};
  duration.tv_sec = static_cast<std::time_t>(seconds);
  duration.tv_nsec =
      static_cast<long>((seconds - static_cast<double>(duration.tv_sec)) * 1'000'000'000.0);
  return sigtimedwait(&signals, nullptr, &duration) > 0;
}

void take_orders(sqlite3* database, double rate, std::optional<double> seconds) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  execute(database, "PRAGMA synchronous = NORMAL");
  const Statement place = prepare(database, kPlace);
  const Statement advance = prepare(database, kAdvance);
  const Statement cancel = prepare(database, kCancel);
  std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<int> quantity(1, 4);
  std::uniform_int_distribution<int> how_recent(0, 3);
  // Placed : moved on : cancelled.
  std::discrete_distribution<int> choice({5.0, 4.0, 1.0});

  const std::int64_t start = now_microseconds();
  std::int64_t statements = 0;
  for (;;) {
    const auto elapsed = static_cast<double>(now_microseconds() - start) / 1'000'000.0;
    if (seconds && elapsed >= *seconds) {
      return;
    }
    ++statements;
    const double pause = static_cast<double>(statements) / rate - elapsed;
    if (sleep_or_end(signals, pause > 0 ? pause : 0)) {
      return;
    }
    switch (choice(random)) {
      case 0:
        run(database, place.get(), quantity(random));
        break;
      case 1:
        run(database, advance.get(), how_recent(random));
        break;
      default:
        run(database, cancel.get(), how_recent(random));
        break;
    }
  }
}

struct Options {
  std::string path;
  bool init = false;
  std::optional<double> rate;
  std::optional<double> seconds;
};

std::optional<double> positive_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number > 0)) {
    return std::nullopt;
  }
  return number;
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--init") {
      options.init = true;
    } else if ((argument == "--rate" || argument == "--seconds") && i + 1 < argc) {
      const auto number = positive_number(argv[++i]);
      if (!number) {
        return std::nullopt;
      }
      (argument == "--rate" ? options.rate : options.seconds) = number;
    } else if (options.path.empty() && !argument.starts_with("-")) {
      options.path = argument;
    } else {
      return std::nullopt;
    }
  }
  const bool one_task = options.init != options.rate.has_value();
  return options.path.empty() || !one_task ? std::nullopt : std::optional(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = parse(argc, argv);
    if (!options) {
      std::fputs(kUsage, stderr);
      return 2;
    }
    const Database database = open_database(options->path);
    if (options->init) {
      execute(database.get(), kSchema);
    } else {
      take_orders(database.get(), *options->rate, options->seconds);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "order-generator: %s\n", error.what());
    return 1;
  }
}
