// A database that other programs write to, and helpers for what ustream prints of it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sqlite3.h>
#include <unistd.h>

#include "ustream/json.hpp"

namespace ustream::e2e {

/// A folder of its own with a database `shop.db`. It is written to by plain SQLite, on a connection
/// that knows nothing of ustream.
class Shop {
 public:
  Shop() {
    std::string name = (std::filesystem::temp_directory_path() / "ustream-e2e-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = name;
    if (sqlite3_open(path().c_str(), &database_) != SQLITE_OK) {
      throw std::runtime_error("sqlite3_open failed");
    }
    sqlite3_busy_timeout(database_, 10'000);
    sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, total REAL)");
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;
  ~Shop() {
    sqlite3_close(database_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path() const { return file("shop.db"); }
  [[nodiscard]] std::string url() const { return "sqlite:" + path(); }
  [[nodiscard]] std::string file(std::string_view name) const { return (folder_ / name).string(); }

  void sql(const std::string& text) {
    char* message = nullptr;
    if (sqlite3_exec(database_, text.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      const std::string why = message == nullptr ? "?" : message;
      sqlite3_free(message);
      throw std::runtime_error(text + ": " + why);
    }
  }
  /// The first column of the first row.
  [[nodiscard]] std::string value(const std::string& query) {
    std::string result;
    sqlite3_exec(
        database_, query.c_str(),
        [](void* into, int, char** columns, char**) {
          *static_cast<std::string*>(into) = columns[0] == nullptr ? "" : columns[0];
          return 1;
        },
        &result, nullptr);
    return result;
  }
  void insert(int id, const std::string& status) {
    sql("INSERT INTO orders VALUES (" + std::to_string(id) + ", '" + status + "', 1.5)");
  }

 private:
  std::filesystem::path folder_;
  sqlite3* database_ = nullptr;
};

/// A member of a JSON text, as JSON; "-" when it is not there. `path` is names with dots between.
inline std::string at(const std::string& json, std::string_view path) {
  const Value root = parse_json(json);
  const Value* value = &root;
  while (value != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    value = value->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return value == nullptr ? "-" : to_json(*value);
}

/// Text at a path.
inline std::string text_at(const std::string& json, std::string_view path) {
  const std::string found = at(json, path);
  return found.starts_with('"') ? parse_json(found).as_string() : "-";
}

}  // namespace ustream::e2e
