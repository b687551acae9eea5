// A SQLite file that a foreign connection writes to, and what a connector tells of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "ustream/connector.hpp"

#include "connectors/sqlite/connector.hpp"

namespace ustream::test {

/// Collects what a source delivers as short lines: "u 1 {after} <- {before}", "resync schema",
/// "quarantine …".
class Recorder final : public ChangeSink {
 public:
  bool deliver(ChangeBatchPtr batch) override {
    const std::lock_guard lock(mutex_);
    std::size_t notice = 0;
    for (std::size_t i = 0; i <= batch->changes.size(); ++i) {
      for (; notice < batch->notices.size() && batch->notices[notice].index == i; ++notice) {
        lines_.push_back(line(batch->notices[notice]));
      }
      if (i < batch->changes.size()) {
        changes_.push_back(batch->changes[i]);
        lines_.push_back(line(batch->changes[i]));
      }
    }
    changed_.notify_all();
    return true;
  }
  void caught_up(const Position& /*position*/) override {}

  /// Waits until `times` lines begin with `start`; false after 20 s.
  [[nodiscard]] bool wait_for(const std::string& start, int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::count_if(lines_.begin(), lines_.end(), [&](const std::string& text) {
               return text.starts_with(start);
             }) >= times;
    });
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] std::vector<Change> changes() {
    const std::lock_guard lock(mutex_);
    return changes_;
  }

 private:
  static std::string line(const Change& change) {
    std::string text(to_string(change.op));
    text += " " + change.key_text().value_or("-");
    text += change.after ? " " + change.after.to_json() : "";
    return text + (change.before ? " <- " + change.before.to_json() : "");
  }
  static std::string line(const Notice& notice) {
    if (const auto* resync = std::get_if<Resync>(&notice.what)) {
      return "resync " + std::string(to_string(resync->reason));
    }
    return "quarantine " + std::get<Quarantine>(notice.what).reason;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::vector<Change> changes_;
};

class SqliteTest : public ::testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ustream-sqlite-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    ASSERT_EQ(sqlite3_open(path().c_str(), &foreign_), SQLITE_OK);
    sqlite3_busy_timeout(foreign_, 10'000);
  }
  void TearDown() override {
    if (connector_) {
      connector_->close();
    }
    sqlite3_close(foreign_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path() const { return (folder_ / "test.db").string(); }

  /// Runs SQL on the foreign connection; throws with SQLite's message.
  void sql(const std::string& text) {
    char* message = nullptr;
    if (sqlite3_exec(foreign_, text.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      const std::string why = message == nullptr ? "?" : message;
      sqlite3_free(message);
      throw std::runtime_error(why + " in: " + text);
    }
  }
  /// All of a query's values, columns joined by | and rows by newlines.
  [[nodiscard]] std::string table(const std::string& query) {
    std::string result;
    sqlite3_exec(
        foreign_, query.c_str(),
        [](void* into, int count, char** columns, char**) {
          auto& text = *static_cast<std::string*>(into);
          for (int i = 0; i < count; ++i) {
            text += std::string(i == 0 ? "" : "|") + (columns[i] == nullptr ? "null" : columns[i]);
          }
          text += "\n";
          return 0;
        },
        &result, nullptr);
    return result;
  }

  BaseConnector& connector(const std::string& options = {}) {
    if (!connector_) {
      connector_ =
          sqlite::make_sqlite_connector(SourceConfig::from_url("sqlite:" + path() + options));
      connector_->open();
    }
    return *connector_;
  }
  ChangeSource& source() { return *connector().change_source(); }

  /// Starts to watch and remembers where.
  void watch(const std::vector<std::string>& tables) { start_ = source().watch(tables); }

  /// Everything told between watch() and now.
  [[nodiscard]] Recorder& told() {
    recorder_ = std::make_unique<Recorder>();
    EXPECT_TRUE(source().replay(start_, source().current(), *recorder_, {}));
    return *recorder_;
  }

  std::filesystem::path folder_;
  sqlite3* foreign_ = nullptr;
  std::unique_ptr<BaseConnector> connector_;
  Position start_;
  std::unique_ptr<Recorder> recorder_;
};

/// Runs the source's stream on a thread of its own while it lives.
class Running {
 public:
  Running(ChangeSource& source, Position from)
      : thread_([this, &source, from = std::move(from)](const std::stop_token& stop) {
          try {
            source.run(from, recorder, stop);
          } catch (const Error& error) {
            failure = error.what();
          }
        }) {}
  ~Running() {
    thread_.request_stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Recorder recorder;
  std::string failure;

 private:
  std::jthread thread_;
};

}  // namespace ustream::test
