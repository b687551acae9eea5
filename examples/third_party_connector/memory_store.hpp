// The "database" of this example: named collections of rows in memory, and the log of their
// changes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <ustream/change.hpp>
#include <ustream/connector.hpp>

namespace memory {

/// Rows by key, and every change in order. A change's number in the log is its position. Any
/// thread.
class Store {
 public:
  /// `log_rows`: older changes than so many are forgotten.
  explicit Store(std::size_t log_rows = 100'000);

  /// A collection whose key is the 64-bit integer `id`.
  void create(const std::string& collection, std::vector<std::string> fields);
  void drop(const std::string& collection);
  [[nodiscard]] std::vector<std::string> names() const;
  /// Throws ValidationError for an unknown collection, naming the nearest that there is.
  [[nodiscard]] ustream::SchemaPtr schema(std::string_view collection) const;

  [[nodiscard]] std::optional<ustream::Document> read(std::string_view collection,
                                                      std::string_view key) const;
  ustream::WriteResult write(std::string_view collection, std::string_view key,
                             const ustream::Value::Object& data, ustream::WriteMode mode);
  ustream::DeleteResult remove(std::string_view collection, std::string_view key);
  /// The rows as they are now, by key, and the position at which they are.
  [[nodiscard]] std::vector<ustream::Document> rows(std::string_view collection,
                                                    ustream::Position* at = nullptr) const;

  [[nodiscard]] ustream::Position end() const;
  /// Waits until the log goes on after number `after`, or `stop`; returns the changes, at most a
  /// thousand. Throws StreamingError(history_lost) when they were forgotten.
  [[nodiscard]] std::vector<ustream::Change> wait_for_changes(std::uint64_t after,
                                                              const std::stop_token& stop) const;
  [[nodiscard]] std::vector<ustream::Change> changes(std::uint64_t after) const;
  [[nodiscard]] ustream::Position position(std::uint64_t number) const;
  /// The reverse. Throws StreamingError(history_lost) for a position of another store.
  [[nodiscard]] std::uint64_t number(const ustream::Position& position) const;

 private:
  struct Collection {
    ustream::SchemaPtr schema;
    std::map<std::int64_t, ustream::Document> rows;
  };

  // These REQUIRE mutex_.
  [[nodiscard]] const Collection& find(std::string_view collection) const;
  [[nodiscard]] Collection& find(std::string_view collection);
  void append(ustream::Op op, const Collection& collection, ustream::Document before,
              ustream::Document after);
  [[nodiscard]] std::vector<ustream::Change> after(std::uint64_t number) const;

  const std::size_t log_rows_;
  const std::shared_ptr<const ustream::PositionOrigin> origin_;
  const std::shared_ptr<const ustream::SourceInfo> source_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any appended_;
  std::map<std::string, Collection, std::less<>> collections_;
  std::deque<ustream::Change> log_;
  std::uint64_t end_ = 0;  // number of the last change
};

}  // namespace memory
