// The SQLite connector under the conformance suite, in both kinds of journal. The foreign writer is
// a plain connection of SQLite's own library.
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <sqlite3.h>
#include <unistd.h>

#include "ustream/testing/conformance.hpp"

namespace ustream::test {
namespace {

using testing::ConformanceFixture;
using testing::ForeignWrite;

void bind(sqlite3_stmt* statement, int at, const Value& value) {
  if (const auto* number = value.get_if<std::int64_t>()) {
    sqlite3_bind_int64(statement, at, *number);
  } else if (const auto* real = value.get_if<double>()) {
    sqlite3_bind_double(statement, at, *real);
  } else if (const auto* text = value.get_if<std::string>()) {
    sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else if (const auto* bytes = value.get_if<Bytes>()) {
    sqlite3_bind_blob64(statement, at, bytes->data.data(), bytes->data.size(), SQLITE_TRANSIENT);
  } else {
    sqlite3_bind_null(statement, at);
  }
}

class SqliteFixture : public ConformanceFixture {
 public:
  explicit SqliteFixture(const char* journal_mode) {
    std::string name =
        (std::filesystem::temp_directory_path() / "ustream-conformance-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = name;
    if (sqlite3_open(path().c_str(), &database_) != SQLITE_OK) {
      throw std::runtime_error("sqlite3_open failed");
    }
    sqlite3_busy_timeout(database_, 30'000);
    execute(std::string("PRAGMA journal_mode = ") + journal_mode);
    execute("PRAGMA synchronous = OFF");
  }
  ~SqliteFixture() override {
    sqlite3_close(database_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string name() const override { return "sqlite"; }
  [[nodiscard]] std::unique_ptr<BaseConnector> make_connector() override {
    return builtin_connectors().create(SourceConfig::from_url("sqlite:" + path()));
  }
  void create_collection(const std::string& collection) override {
    execute("CREATE TABLE " + collection +
            "(id INTEGER PRIMARY KEY, name TEXT, n INTEGER, amount REAL, data BLOB)");
  }
  void drop_collection(const std::string& collection) override {
    execute("DROP TABLE " + collection);
  }
  void foreign_write(const std::string& collection,
                     const std::vector<ForeignWrite>& writes) override {
    execute("BEGIN IMMEDIATE");
    for (const ForeignWrite& write : writes) {
      run(collection, write);
    }
    execute("COMMIT");
  }

 private:
  [[nodiscard]] std::string path() const { return (folder_ / "conformance.db").string(); }

  void run(const std::string& collection, const ForeignWrite& write) {
    std::string sql;
    if (write.kind == ForeignWrite::Kind::remove) {
      sql = "DELETE FROM " + collection + " WHERE id = ?1";
    } else if (write.kind == ForeignWrite::Kind::update) {
      for (const Member& field : write.fields) {
        sql += (sql.empty() ? "UPDATE " + collection + " SET " : ", ") + field.name + " = ?";
      }
      sql += " WHERE id = ?1";
    } else {
      std::string marks = "?1";
      sql = "INSERT INTO " + collection + "(id";
      for (const Member& field : write.fields) {
        sql += ", " + field.name;
        marks += ", ?";
      }
      sql += ") VALUES (" + marks + ")";
    }
    // ?1 is the key wherever it stands, so a field's mark gets a number of its own.
    int number = 2;
    for (std::size_t mark = sql.find('?'); mark != std::string::npos;
         mark = sql.find('?', mark + 1)) {
      if (mark + 1 == sql.size() || sql[mark + 1] != '1') {
        sql.insert(mark + 1, std::to_string(number++));
      }
    }
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(database_));
    }
    sqlite3_bind_int64(statement, 1, write.id);
    for (std::size_t i = 0; i < write.fields.size(); ++i) {
      bind(statement, static_cast<int>(i) + 2, write.fields[i].value);
    }
    const int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(database_));
    }
  }
  void execute(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      const std::string why = message == nullptr ? "?" : message;
      sqlite3_free(message);
      throw std::runtime_error(sql + ": " + why);
    }
  }

  std::filesystem::path folder_;
  sqlite3* database_ = nullptr;
};

class SqliteWalFixture final : public SqliteFixture {
 public:
  SqliteWalFixture() : SqliteFixture("WAL") {}
};

/// The connector may turn it into WAL when it captures; until then, and for the file it finds, it
/// is a rollback journal.
class SqliteDeleteFixture final : public SqliteFixture {
 public:
  SqliteDeleteFixture() : SqliteFixture("DELETE") {}
};

}  // namespace
}  // namespace ustream::test

USTREAM_CONFORMANCE(SqliteWal, ustream::test::SqliteWalFixture);
USTREAM_CONFORMANCE(SqliteDelete, ustream::test::SqliteDeleteFixture);
