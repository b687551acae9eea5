#include "stream/subscription_queue.hpp"

#include <gtest/gtest.h>

#include "harness.hpp"

namespace ustream::stream {
namespace {

using std::chrono::milliseconds;
using testing::Texts;
using TimePoint = SubscriptionQueue::TimePoint;

class QueueTest : public ::testing::Test {
 protected:
  /// A batch of changes "c1", "u1", "d1", "t" (op and id); the row's id before an update may
  /// follow after '<'.
  static ChangeBatchPtr batch_of(const Texts& texts) {
    Column id;
    id.name = "id";
    id.affinity = KeyAffinity::number;
    const auto schema =
        std::make_shared<Schema>("a", std::vector<Column>{id}, std::vector<std::size_t>{0});
    auto batch = std::make_shared<ChangeBatch>();
    for (const std::string& text : texts) {
      Change& change = batch->changes.emplace_back();
      change.schema = schema;
      const auto row = [](char key) { return Document({{"id", Value(key - '0')}}); };
      switch (text[0]) {
        case 'c':
        case 'u':
          change.op = text[0] == 'c' ? Op::create : Op::update;
          change.after = row(text[1]);
          if (text.size() == 4) {
            change.before = row(text[3]);
          }
          break;
        case 'r':
          change.op = Op::snapshot;
          change.after = row(text[1]);
          break;
        case 'd':
          change.op = Op::remove;
          change.before = row(text[1]);
          break;
        default:
          change.op = Op::truncate;
      }
    }
    return batch;
  }
  static Segment segment_of(const Texts& texts, Position boundary = {}) {
    Segment segment;
    segment.batch = batch_of(texts);
    for (const Change& change : segment.batch->changes) {
      segment.entries.push_back({&change, nullptr, change.op});
    }
    segment.boundary = std::move(boundary);
    return segment;
  }
  static Segment notice_of(OwnNotice notice) {
    Segment segment;
    segment.notice = std::move(notice);
    return segment;
  }
  Texts take(SubscriptionQueue& queue, milliseconds at = {}) {
    std::vector<Delivery> out;
    taken_ = queue.take(start_ + at, out);
    Texts texts;
    for (const Delivery& delivery : out) {
      texts.push_back(testing::describe(delivery));
    }
    return texts;
  }
  static Position at(char place) {
    static const auto origin = std::make_shared<PositionOrigin>(PositionOrigin{"s", "1"});
    return {origin, std::string(1, place)};
  }

  const TimePoint start_ = std::chrono::steady_clock::now();
  Position taken_;
};

struct FoldCase {
  const char* name;
  Texts in;
  Texts out;
};

class Folding : public QueueTest, public ::testing::WithParamInterface<FoldCase> {};

TEST_P(Folding, KeepsTheNetEffectOfEachKeyInTheOrderOfTheNewest) {
  SubscriptionQueue queue(SubscriptionOptions{});
  const FoldCase& c = GetParam();
  queue.append(segment_of(c.in), start_);
  queue.fold(start_);
  EXPECT_EQ(take(queue), c.out);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Changes, Folding,
    ::testing::Values(FoldCase{"newest_only", {"u1", "u2", "u1"}, {"u 2", "u 1"}},
                      FoldCase{"create_then_update", {"c1", "u1", "u1"}, {"c 1"}},
                      FoldCase{"create_then_delete", {"c1", "d1"}, {"d 1"}},
                      FoldCase{"update_then_delete", {"u1", "d1"}, {"d 1"}},
                      FoldCase{"delete_then_create", {"d1", "c1"}, {"u 1"}},
                      FoldCase{"create_delete_create", {"c1", "d1", "c1"}, {"c 1"}},
                      FoldCase{"nothing_passes_a_truncate", {"c1", "t", "c1"}, {"c 1", "t", "c 1"}},
                      FoldCase{"a_moved_key_is_kept", {"u1", "u2<1", "u2"}, {"u 1", "u 2", "u 2"}},
                      FoldCase{"snapshot_rows_are_kept", {"r1", "u1"}, {"r 1", "u 1"}}),
    [](const auto& param) { return param.param.name; });

TEST_F(QueueTest, HasRoomUpToItsBoundsAndForAnythingWhenEmpty) {
  SubscriptionOptions options;
  options.queue_capacity = 3;
  SubscriptionQueue queue(options);
  EXPECT_TRUE(queue.has_room(100, 0));
  queue.append(segment_of({"c1", "c2"}), start_);
  EXPECT_TRUE(queue.has_room(1, 0));
  EXPECT_FALSE(queue.has_room(2, 0));
  EXPECT_FALSE(queue.has_room(1, (64U << 20U) + 1));
  EXPECT_EQ(take(queue).size(), 2U);
  EXPECT_TRUE(queue.has_room(100, 0));
}

TEST_F(QueueTest, ABoundaryIsReachedWithTheLastChangeBeforeIt) {
  SubscriptionOptions options;
  options.batch_size = 2;
  SubscriptionQueue queue(options);
  queue.append(segment_of({"c1", "c2", "c3"}, at('1')), start_);
  queue.append(segment_of({"c4"}, at('2')), start_);
  EXPECT_EQ(take(queue), (Texts{"c 1", "c 2"}));
  EXPECT_FALSE(taken_);
  EXPECT_EQ(take(queue), (Texts{"c 3", "c 4"}));
  EXPECT_EQ(taken_, at('2'));
}

TEST_F(QueueTest, FoldedABoundaryIsReachedWhenOnlyNewerChangesWait) {
  SubscriptionOptions options;
  options.debounce = milliseconds(100);
  SubscriptionQueue queue(options);
  queue.append(segment_of({"c1", "c2"}, at('1')), start_);
  queue.append(segment_of({"u1"}, at('2')), start_ + milliseconds(50));
  EXPECT_EQ(take(queue, milliseconds(100)), (Texts{"c 2"}));
  EXPECT_EQ(taken_, at('1'));
  EXPECT_EQ(take(queue, milliseconds(149)), Texts{});
  EXPECT_EQ(take(queue, milliseconds(150)), (Texts{"c 1"}));
  EXPECT_EQ(taken_, at('2'));
}

TEST_F(QueueTest, DebounceWaitsUntilTheKeyIsQuiet) {
  SubscriptionOptions options;
  options.debounce = milliseconds(100);
  SubscriptionQueue queue(options);
  queue.append(segment_of({"u1"}), start_);
  queue.append(segment_of({"u1"}), start_ + milliseconds(90));
  EXPECT_FALSE(queue.due(start_ + milliseconds(120)).now);
  EXPECT_EQ(queue.due(start_ + milliseconds(120)).later, start_ + milliseconds(190));
  EXPECT_EQ(take(queue, milliseconds(120)), Texts{});
  EXPECT_EQ(take(queue, milliseconds(190)), (Texts{"u 1"}));
}

TEST_F(QueueTest, ANoticeIsNotHeldBackAndNothingPassesIt) {
  SubscriptionOptions options;
  options.debounce = milliseconds(100);
  SubscriptionQueue queue(options);
  queue.append(segment_of({"u1"}), start_);
  queue.append(notice_of(Ready{}), start_);
  queue.append(segment_of({"u1"}), start_);
  EXPECT_EQ(take(queue), (Texts{"u 1", "ready"}));
  EXPECT_EQ(take(queue, milliseconds(100)), (Texts{"u 1"}));
}

TEST_F(QueueTest, ABatchIsDueBySizeOrByTime) {
  SubscriptionOptions options;
  options.batch_size = 3;
  options.batch_timeout = milliseconds(100);
  SubscriptionQueue queue(options);
  queue.append(segment_of({"c1", "c2"}), start_);
  EXPECT_EQ(take(queue, milliseconds(99)), Texts{});
  EXPECT_EQ(queue.due(start_).later, start_ + milliseconds(100));
  queue.append(segment_of({"c3", "c4"}), start_ + milliseconds(99));
  EXPECT_EQ(take(queue, milliseconds(99)), (Texts{"c 1", "c 2", "c 3"}));
  EXPECT_EQ(take(queue, milliseconds(99)), Texts{});
  EXPECT_EQ(take(queue, milliseconds(199)), (Texts{"c 4"}));
}

TEST_F(QueueTest, ANoticeDoesNotBreakUpTheBatchBehindIt) {
  SubscriptionOptions options;
  options.batch_size = 3;
  options.batch_timeout = milliseconds(100);
  SubscriptionQueue queue(options);
  queue.append(segment_of({"r1"}), start_);
  queue.append(notice_of(Ready{}), start_);
  queue.append(segment_of({"c2"}), start_);
  EXPECT_EQ(take(queue), (Texts{"r 1", "ready"}));
  EXPECT_EQ(take(queue), Texts{});
  EXPECT_EQ(queue.due(start_).later, start_ + milliseconds(100));
  queue.append(segment_of({"c3", "c4"}), start_);
  EXPECT_EQ(take(queue), (Texts{"c 2", "c 3", "c 4"}));
  queue.append(notice_of(Ready{}), start_);
  queue.append(segment_of({"c5", "c6", "c7"}), start_);
  EXPECT_EQ(take(queue), (Texts{"ready"}));
  EXPECT_EQ(take(queue), (Texts{"c 5", "c 6", "c 7"}));
}

TEST_F(QueueTest, FlushHandsOverWhatIsHeldBack) {
  SubscriptionOptions options;
  options.batch_size = 3;
  SubscriptionQueue batching(options);
  batching.append(segment_of({"c1"}), start_);
  batching.flush();
  EXPECT_EQ(take(batching), (Texts{"c 1"}));
  options = {};
  options.debounce = milliseconds(100);
  SubscriptionQueue debouncing(options);
  debouncing.append(segment_of({"c1"}), start_);
  debouncing.flush();
  EXPECT_EQ(take(debouncing), (Texts{"c 1"}));
}

TEST_F(QueueTest, DroppingKeepsAnUndeliveredReady) {
  SubscriptionQueue queue(SubscriptionOptions{});
  queue.append(segment_of({"r1"}), start_);
  queue.append(notice_of(Ready{at('1')}), start_);
  queue.append(segment_of({"c1", "c2"}), start_);
  const auto dropped = queue.drop_all();
  EXPECT_EQ(dropped.changes, 3U);
  EXPECT_FALSE(dropped.resync);
  EXPECT_EQ(take(queue), (Texts{"ready"}));
}

}  // namespace
}  // namespace ustream::stream
