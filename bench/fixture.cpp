#include <array>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.hpp"

namespace ustream::bench {

namespace {
constexpr std::int64_t kCustomers = 1000;
constexpr std::array<std::string_view, 4> kStatuses{"new", "paid", "packed", "shipped"};
constexpr std::string_view kNote = "leave it with the neighbour at number 12, please";

double amount_of(std::int64_t id) {
  return static_cast<double>(id % 9973) / 100.0;
}
std::string_view status_of(std::int64_t id) {
  return kStatuses[static_cast<std::size_t>(id) % kStatuses.size()];
}
}  // namespace

DatabaseFile::DatabaseFile(const std::string& folder, std::string_view name)
    : path_(folder + "/" + std::string(name) + ".db") {
  remove();
}

void DatabaseFile::remove() const noexcept {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;
    std::filesystem::remove(path_ + suffix, ignored);
  }
}

Plain::Plain(const std::string& path, std::string_view synchronous) {
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(database);
  if (code != SQLITE_OK) {
    throw std::runtime_error(path + ": " + sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(database, 10'000);
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = " + std::string(synchronous));
}

void Plain::execute(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(handle()));
  }
}

Plain::Statement::Statement(Plain& database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(database.handle()));
  }
  handle_.reset(statement);
}

void Plain::Statement::check(int code) const {
  if (code != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(handle())));
  }
}
void Plain::Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(handle(), index, value));
}
void Plain::Statement::bind(int index, double value) {
  check(sqlite3_bind_double(handle(), index, value));
}
void Plain::Statement::bind(int index, std::string_view text) {
  check(sqlite3_bind_text(handle(), index, text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC));
}
bool Plain::Statement::step() {
  const int code = sqlite3_step(handle());
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    check(code);
  }
  return code == SQLITE_ROW;
}

TableKind orders_table() {
  return {.name = "orders",
          .create =
              "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER, status TEXT, "
              "amount REAL, placed_at INTEGER, note TEXT);"
              "CREATE INDEX orders_customer ON orders(customer_id)",
          .insert =
              "INSERT INTO orders(id, customer_id, status, amount, placed_at, note) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
          .bulk_insert =
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
              "INSERT INTO orders(id, customer_id, status, amount, placed_at, note) "
              "SELECT i, i * 7919 % 1000, 'paid', i % 9973 / 100.0, 1700000000 + i, "
              "'leave it with the neighbour at number 12, please' FROM n",
          .bind = [](Plain::Statement& insert, std::int64_t id) {
            insert.bind(1, id);
            insert.bind(2, id * 7919 % kCustomers);
            insert.bind(3, status_of(id));
            insert.bind(4, amount_of(id));
            insert.bind(5, 1'700'000'000 + id);
            insert.bind(6, kNote);
          }};
}

TableKind narrow_table() {
  return {.name = "readings",
          .create = "CREATE TABLE readings(id INTEGER PRIMARY KEY, sensor INTEGER, value REAL)",
          .insert = "INSERT INTO readings(id, sensor, value) VALUES(?1, ?2, ?3)",
          .bulk_insert =
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
              "INSERT INTO readings(id, sensor, value) SELECT i, i % 100, i % 9973 / 100.0 FROM n",
          .bind = [](Plain::Statement& insert, std::int64_t id) {
            insert.bind(1, id);
            insert.bind(2, id % 100);
            insert.bind(3, amount_of(id));
          }};
}

Value::Object order_row(std::int64_t id) {
  return {{"customer_id", id * 7919 % kCustomers},
          {"status", status_of(id)},
          {"amount", amount_of(id)},
          {"placed_at", 1'700'000'000 + id},
          {"note", kNote}};
}

void install_capture(const std::string& url, const std::string& table) {
  RealtimeStreamPackage package;
  package.init(url);
  (void)package.connector().change_source()->watch({table});
}

struct Watcher::Count {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t delivered = 0;
  bool ready = false;

  void await(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::minutes(1), condition)) {
      throw std::runtime_error("the watcher got " + std::to_string(delivered) +
                               " changes and then no more for a minute");
    }
  }
};

Watcher::Watcher(const std::string& url, const std::string& table)
    : count_(std::make_shared<Count>()), package_(std::make_unique<RealtimeStreamPackage>()) {
  package_->init(url);
  package_->start();
  SubscriptionOptions options;
  options.slow_policy = SlowPolicy::block;
  subscription_ =
      package_->subscribe({table}, options, [count = count_](std::span<const Delivery> deliveries) {
        const std::lock_guard lock(count->mutex);
        for (const Delivery& delivery : deliveries) {
          count->delivered += delivery.change != nullptr ? 1 : 0;
          count->ready = count->ready || std::holds_alternative<Ready>(delivery.notice);
        }
        count->changed.notify_all();
      });
  count_->await([&] { return count_->ready; });
}

Watcher::~Watcher() {
  subscription_.unsubscribe();
  package_->destroy();
}

void Watcher::await(std::uint64_t changes) {
  count_->await([&] { return count_->delivered >= changes; });
}

std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void sleep_until_ns(std::int64_t when) {
  const timespec time{when / 1'000'000'000, when % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

std::uint64_t anonymous_memory(std::int64_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string name; status >> name;) {
    if (name == "RssAnon:") {
      std::uint64_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
  }
  return 0;
}

Child::Child(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

Child::~Child() {
  ::kill(pid_, SIGTERM);
  ::close(output_);
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::read_line() {
  std::string line;
  for (char c = 0; c != '\n' && ::read(output_, &c, 1) == 1;) {
    line += c;
  }
  return line;
}

std::string Child::read_all() {
  std::string all;
  std::array<char, 65536> buffer{};
  for (ssize_t size = 0; (size = ::read(output_, buffer.data(), buffer.size())) > 0;) {
    all.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return all;
}

}  // namespace ustream::bench
