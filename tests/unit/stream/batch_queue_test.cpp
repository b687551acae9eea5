#include "stream/batch_queue.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace ustream::stream {
namespace {

SourceItem batch_of(std::size_t changes, std::size_t bytes_each) {
  auto batch = std::make_shared<ChangeBatch>();
  for (std::size_t i = 0; i < changes; ++i) {
    // One owner of the right size stands for a row's image; nobody decodes it here.
    auto image = std::make_shared<std::vector<std::byte>>(bytes_each);
    Change change;
    change.after = Document(image, nullptr, *image);
    batch->changes.push_back(std::move(change));
  }
  return {SourceItem::Kind::batch, std::move(batch), {}, {}};
}

/// The most changes that waited at once while `items` batches went through.
std::size_t most_waiting(BatchQueue& queue, std::size_t items, std::size_t changes,
                         std::size_t bytes_each) {
  std::jthread producer([&](const std::stop_token& stop) {
    for (std::size_t i = 0; i < items; ++i) {
      EXPECT_TRUE(queue.push(batch_of(changes, bytes_each), stop));
    }
    queue.close();
  });
  std::size_t most = 0;
  std::size_t taken = 0;
  while (queue.pop()) {
    ++taken;
    // Gives the producer every chance to go over the bounds.
    for (int i = 0; i < 100; ++i) {
      most = std::max(most, queue.changes());
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(taken, items);
  return most;
}

TEST(BatchQueue, IsBoundedByChanges) {
  BatchQueue queue(6, 1'000'000);
  EXPECT_LE(most_waiting(queue, 200, 2, 10), 6U);
}

TEST(BatchQueue, IsBoundedByBytes) {
  BatchQueue queue(1000, 1000);
  EXPECT_LE(most_waiting(queue, 200, 1, 300), 3U);
}

TEST(BatchQueue, TakesOneBatchOfAnySizeWhenEmpty) {
  BatchQueue queue(1, 1);
  EXPECT_TRUE(queue.push(batch_of(50, 1000), {}));
  EXPECT_EQ(queue.changes(), 50U);
}

TEST(BatchQueue, AStopEndsAPushThatWaits) {
  BatchQueue queue(1, 1000);
  ASSERT_TRUE(queue.push(batch_of(1, 10), {}));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(queue.push(batch_of(1, 10), stop.get_token()));
  EXPECT_EQ(queue.changes(), 1U);
}

}  // namespace
}  // namespace ustream::stream
