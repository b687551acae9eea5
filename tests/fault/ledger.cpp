#include "ledger.hpp"

#include <algorithm>
#include <random>
#include <sstream>

#include "ustream/json.hpp"
#include "ustream/position.hpp"

#include "sandbox.hpp"

namespace ustream::fault {
namespace {

/// Appends with one call and waits until it is on the disk.
class Journal {
 public:
  explicit Journal(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    append("\n");  // the writer before us may have been killed within a line
  }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() { ::close(fd_); }
  void append(const std::string& line) const {
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        ::fdatasync(fd_) != 0) {
      throw std::runtime_error("the journal cannot be written");
    }
  }

 private:
  int fd_;
};

using Rows = std::map<std::int64_t, std::string>;  // key to tag

/// One random write: its SQL, and what the journal says of it.
std::pair<std::string, std::string> random_write(Rows& rows, std::mt19937_64& random) {
  const auto id = static_cast<std::int64_t>(random() % 40);
  const std::string key = std::to_string(id);
  const std::string tag = std::to_string(random() >> 1U);
  const auto row = rows.find(id);
  if (row == rows.end()) {
    rows[id] = tag;
    return {"INSERT INTO orders VALUES (" + key + "," + tag + ");", " c:" + key + ":" + tag};
  }
  if (random() % 4 == 0) {
    const std::string gone = row->second;
    rows.erase(row);
    return {"DELETE FROM orders WHERE id=" + key + ";", " d:" + key + ":" + gone};
  }
  row->second = tag;
  return {"UPDATE orders SET tag=" + tag + " WHERE id=" + key + ";", " u:" + key + ":" + tag};
}

}  // namespace

void create_tables(const std::string& database) {
  Sqlite sqlite(database);
  sqlite.run("PRAGMA journal_mode = WAL");
  sqlite.run("CREATE TABLE orders (id INTEGER PRIMARY KEY, tag INTEGER NOT NULL)");
  sqlite.run("CREATE TABLE commits (txn INTEGER PRIMARY KEY)");
}

[[noreturn]] void write_orders(const std::string& database, const std::string& journal,
                               std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Sqlite sqlite(database);
  sqlite.run("PRAGMA synchronous = NORMAL");
  const Journal log(journal);
  Rows rows;
  for (const auto& row : sqlite.rows("SELECT id, tag FROM orders")) {
    rows[std::stoll(row[0])] = row[1];
  }
  for (std::int64_t txn = sqlite.number("SELECT coalesce(max(txn), 0) FROM commits") + 1;; ++txn) {
    const std::string number = std::to_string(txn);
    std::string line = "txn " + number;
    std::string sql = "BEGIN IMMEDIATE; INSERT INTO commits VALUES (" + number + ");";
    for (std::uint64_t i = 0, size = 1 + random() % (random() % 8 == 0 ? 200 : 8); i < size; ++i) {
      const auto [statement, entry] = random_write(rows, random);
      sql += statement;
      line += entry;
    }
    sqlite.run(sql);
    log.append(line + " ;\n");
    sqlite.run("COMMIT");
    // So that what a round writes stays small enough to be read.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
  }
}

History committed_history(const std::string& database, const std::string& journal) {
  // A number that was not committed is used again, so its last line counts.
  std::map<std::int64_t, std::string> transactions;
  std::istringstream lines(read_file(journal));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("txn ") && line.ends_with(" ;")) {
      transactions[std::stoll(line.substr(4))] = line;
    }
  }
  Sqlite sqlite(database);
  History history;
  for (const auto& row : sqlite.rows("SELECT txn FROM commits ORDER BY txn")) {
    std::istringstream words(transactions.at(std::stoll(row[0])));
    std::string word;
    words >> word >> word;
    while (words >> word && word != ";") {
      const auto colon = word.find(':', 2);
      history[word.substr(2, colon - 2)].push_back(word.substr(0, 1) + " " +
                                                   word.substr(colon + 1));
    }
  }
  return history;
}

void Printed::mend(const std::string& file, std::vector<std::size_t>& torn) {
  const std::string text = read_file(file);
  if (text.empty() || text.back() == '\n') {
    return;
  }
  const auto line = text.rfind('\n');
  torn.push_back(line == std::string::npos ? 0 : line + 1);
  std::ofstream(file, std::ios::app) << '\n';
}

Printed::Printed(const std::string& text, const std::vector<std::size_t>& torn) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    if (std::find(torn.begin(), torn.end(), begin) == torn.end()) {
      line(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  if (begin != text.size()) {
    complaints_.push_back("the last line is not whole: " + text.substr(begin));
  }
}

void Printed::line(const std::string& text) {
  Value json;
  try {
    json = parse_json(text);
  } catch (const std::exception& error) {
    complaints_.push_back(std::string(error.what()) + ": " + text);
    return;
  }
  if (json.find("ready") != nullptr) {
    last_.clear();
    return;
  }
  const Value* op = json.find("op");
  const Value* key = json.find("key");
  const Value* cursor = json.find("cursor");
  const Value* image = json.find(op != nullptr && *op == Value("d") ? "before" : "after");
  if (op == nullptr || key == nullptr || cursor == nullptr || image == nullptr ||
      image->find("tag") == nullptr) {
    complaints_.push_back("not a whole change: " + text);
    return;
  }
  const std::string version = op->as_string() + " " + to_json(*image->find("tag"));
  const std::string what = key->as_string() + " " + version + " " + to_json(*image);
  const std::string place = cursor->as_string();
  const std::string order = Position::parse(place).order_key();
  if (order <= last_) {
    complaints_.push_back("a step back: " + text);
  }
  last_ = order;
  const auto [known, is_new] = meaning_.emplace(place, what);
  if (!is_new) {
    ++repeats_;
    if (known->second != what) {
      complaints_.push_back("one cursor, two changes: " + known->second + " and " + what);
    }
    return;
  }
  if (!cursors_.emplace(version, place).second) {
    complaints_.push_back("one change, two cursors: " + text);
  }
  history_[key->as_string()].push_back(version);
}

}  // namespace ustream::fault
