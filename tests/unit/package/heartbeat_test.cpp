#include "package/heartbeat.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

namespace ustream::package {
namespace {

using Type = StreamEvent::Type;

/// Collects events, and lets a test wait for one.
class Events {
 public:
  void add(const StreamEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  bool await(Type type) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const auto& event : events_) {
        if (event.type == type) {
          return true;
        }
      }
      return false;
    });
  }
  std::vector<StreamEvent> all() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StreamEvent> events_;
};

constexpr HeartbeatOptions kFast{.interval = std::chrono::milliseconds(1)};

TEST(Heartbeat, TellsThatTheSourceIsHealthy) {
  Events events;
  HeartbeatSystem heartbeat([] {}, [&](const StreamEvent& event) { events.add(event); }, kFast);
  heartbeat.start();
  ASSERT_TRUE(events.await(Type::heartbeat));
  heartbeat.stop();
  EXPECT_EQ(events.all().front().message, "healthy");
}

TEST(Heartbeat, TellsALostConnectionOnceAfterFiveFailuresAndThenItsReturn) {
  Events events;
  std::atomic<bool> down{true};
  HeartbeatSystem heartbeat(
      [&] {
        if (down) {
          throw ConnectionError("gone");
        }
      },
      [&](const StreamEvent& event) { events.add(event); }, kFast);
  heartbeat.start();
  ASSERT_TRUE(events.await(Type::connection_lost));
  down = false;
  ASSERT_TRUE(events.await(Type::reconnected));
  heartbeat.stop();

  std::uint32_t unhealthy = 0;
  int lost = 0;
  for (const auto& event : events.all()) {
    if (event.type == Type::connection_lost) {
      EXPECT_EQ(unhealthy, 5U);
      EXPECT_EQ(event.error, ErrorKind::connection);
      ++lost;
    } else if (event.type == Type::heartbeat && event.error) {
      EXPECT_EQ(event.attempt, ++unhealthy);
      EXPECT_EQ(event.message, "unhealthy: gone");
    }
  }
  EXPECT_EQ(lost, 1);
}

TEST(Heartbeat, AFailureThatPassesIsNoLostConnection) {
  Events events;
  std::atomic<int> pings{0};
  std::atomic<bool> enough{false};
  HeartbeatSystem heartbeat(
      [&] {
        const int ping = ++pings;
        enough = ping > 40;
        if (ping % 5 != 0) {
          throw ConnectionError("gone");
        }
      },
      [&](const StreamEvent& event) {
        events.add(event);
        if (enough) {
          StreamEvent done;
          done.type = Type::stopped;
          events.add(done);
        }
      },
      kFast);
  heartbeat.start();
  ASSERT_TRUE(events.await(Type::stopped));
  heartbeat.stop();
  for (const auto& event : events.all()) {
    EXPECT_NE(event.type, Type::connection_lost);
    EXPECT_NE(event.type, Type::reconnected);
  }
}

TEST(Heartbeat, StopsWithoutWaitingForItsInterval) {
  HeartbeatSystem heartbeat([] {}, [](const StreamEvent&) {}, {.interval = std::chrono::hours(24)});
  heartbeat.start();
  heartbeat.start();
  heartbeat.stop();
  heartbeat.stop();
}

TEST(Heartbeat, SurvivesAThrowingCallback) {
  Events events;
  HeartbeatSystem heartbeat([] {},
                            [&](const StreamEvent& event) {
                              events.add(event);
                              throw std::runtime_error("a user's mistake");
                            },
                            kFast);
  heartbeat.start();
  EXPECT_TRUE(events.await(Type::heartbeat));
  heartbeat.stop();
}

}  // namespace
}  // namespace ustream::package
