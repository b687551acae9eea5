// The promises of Snapshotter, alone and together with ChangeSource.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ustream/testing/conformance_fixture.hpp"

namespace ustream::testing {

template <class Fixture>
class SnapshotConformance : public ConformanceTest<Fixture> {
 protected:
  void SetUp() override {
    ConformanceTest<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(snapshotter, "Snapshotter");
    if (this->connector().change_source() != nullptr) {
      this->source().watch({this->kCollection});
    }
  }
  struct Taken {
    std::vector<Change> rows;
    Position position;
  };
  [[nodiscard]] Taken take(const Filter& filter = {}) {
    Taken taken;
    taken.position = this->connector().snapshotter()->snapshot(
        this->kCollection, filter, [&](const ChangeBatchPtr& batch) {
          taken.rows.insert(taken.rows.end(), batch->changes.begin(), batch->changes.end());
          return true;
        });
    return taken;
  }
};

/// Writes versions of a few rows from a thread of its own until stopped, and remembers each. A
/// row's field n counts up over all writes, so a version is told from every other by it.
template <class Fixture>
class VersionWriter {
 public:
  VersionWriter(Fixture& fixture, const std::string& collection)
      : thread_([this, &fixture, collection](const std::stop_token& stop) {
          std::minstd_rand random(7);
          std::int64_t version = 0;
          while (!stop.stop_requested()) {
            std::vector<ForeignWrite> writes;
            for (std::uint_fast32_t i = 0, size = 1 + random() % 4; i < size; ++i) {
              writes.push_back(
                  next(static_cast<std::int64_t>(random() % 12), random() % 4 == 0, ++version));
            }
            fixture.foreign_write(collection, writes);
            committed_.fetch_add(1);
          }
        }) {}
  void stop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
  }
  [[nodiscard]] std::size_t committed() const { return committed_.load(); }
  /// By key: the version each write left, 0 for a delete. After stop().
  [[nodiscard]] const std::map<std::string, std::vector<std::int64_t>>& versions() const {
    return versions_;
  }

 private:
  ForeignWrite next(std::int64_t id, bool removes, std::int64_t version) {
    auto& history = versions_[std::to_string(id)];
    const bool there = !history.empty() && history.back() != 0;
    using Kind = ForeignWrite::Kind;
    if (there && removes) {
      history.push_back(0);
      return {Kind::remove, id, {}};
    }
    history.push_back(version);
    return {there ? Kind::update : Kind::insert, id, {{"n", version}}};
  }

  std::map<std::string, std::vector<std::int64_t>> versions_;
  std::atomic<std::size_t> committed_{0};
  std::jthread thread_;
};

TYPED_TEST_SUITE_P(SnapshotConformance);

TYPED_TEST_P(SnapshotConformance, ReadsEveryRow) {
  for (int id = 1; id <= 5; ++id) {
    this->insert(id, {{"n", 10 * id}});
  }
  const auto taken = this->take();
  EXPECT_TRUE(taken.position);
  std::set<std::string> rows;
  for (const Change& change : taken.rows) {
    EXPECT_EQ(change.op, Op::snapshot);
    EXPECT_FALSE(change.before);
    EXPECT_TRUE(change.position);
    rows.insert(change.key_text().value_or("-") + ":" + field_json(change.after, "n"));
  }
  EXPECT_EQ(taken.rows.size(), 5U);
  EXPECT_EQ(rows, (std::set<std::string>{"1:10", "2:20", "3:30", "4:40", "5:50"}));
}

TYPED_TEST_P(SnapshotConformance, AnEmptyCollectionHasAPosition) {
  const auto taken = this->take();
  EXPECT_TRUE(taken.rows.empty());
  EXPECT_TRUE(taken.position);
}

TYPED_TEST_P(SnapshotConformance, ReadsMoreRowsThanABatchHolds) {
  std::vector<ForeignWrite> writes;
  for (int id = 1; id <= 2500; ++id) {
    writes.push_back({ForeignWrite::Kind::insert, id, {{"n", id}}});
  }
  this->fixture().foreign_write(this->kCollection, writes);
  std::set<std::string> keys;
  for (const Change& change : this->take().rows) {
    keys.insert(change.key_text().value_or("-"));
  }
  EXPECT_EQ(keys.size(), 2500U);
}

TYPED_TEST_P(SnapshotConformance, ReadsOnlyWhatTheFilterMatches) {
  this->insert(1, {{"name", "a"}, {"n", 1}});
  this->insert(2, {{"name", "b"}, {"n", 2}});
  this->insert(3, {{"n", 2}});
  for (const char* filter : {R"({"n":1})", R"({"name":{"$regex":"^a"}})"}) {
    const auto taken = this->take(Filter::parse(filter));
    ASSERT_EQ(taken.rows.size(), 1U) << filter;
    EXPECT_EQ(taken.rows[0].key_text(), "1");
  }
}

TYPED_TEST_P(SnapshotConformance, OneThatIsBrokenOffHasNoPosition) {
  this->insert(1, {});
  EXPECT_FALSE(this->connector().snapshotter()->snapshot(
      this->kCollection, {}, [](const ChangeBatchPtr&) { return false; }));
}

TYPED_TEST_P(SnapshotConformance, AnUnknownCollectionIsRefused) {
  EXPECT_EQ(error_of([&] {
              (void)this->connector().snapshotter()->snapshot(
                  "no_such_collection", {}, [](const ChangeBatchPtr&) { return true; });
            }),
            ErrorKind::validation);
}

// Each key's snapshot version and the versions told after it must be the end of what was written
// for it, each version once and in order: then nothing is missing, doubled or out of order.
TYPED_TEST_P(SnapshotConformance, JoinsTheStreamWithoutGapOrOverlap) {
  USTREAM_NEEDS_FACET(change_source, "ChangeSource");
  VersionWriter writer(this->fixture(), this->kCollection);
  KeepingSink clock;
  ASSERT_TRUE(clock.await([&] { return writer.committed() >= 20; }));
  const auto taken = this->take();
  ASSERT_TRUE(taken.position);
  ChangeCollector stream(this->source(), taken.position);
  const std::size_t then = writer.committed();
  ASSERT_TRUE(clock.await([&] { return writer.committed() >= then + 50; }));
  writer.stop();
  ASSERT_TRUE(stream.await_position(this->source().current()));
  stream.stop();
  ASSERT_FALSE(stream.failure());

  std::map<std::string, std::vector<std::int64_t>> told;
  for (const Change& row : taken.rows) {
    told[row.key_text().value()].push_back(row.after.get("n").value().as_int64());
  }
  std::set<std::string> in_snapshot;
  for (const auto& [key, versions] : told) {
    EXPECT_EQ(versions.size(), 1U) << key << " stands twice in the snapshot";
    in_snapshot.insert(key);
  }
  EXPECT_FALSE(stream.changes().empty());
  for (const Change& change : stream.changes()) {
    const std::string key = change.key_text().value();
    told[key].push_back(change.op == Op::remove ? 0 : change.after.get("n").value().as_int64());
  }
  for (const auto& [key, written] : writer.versions()) {
    const auto& seen = told[key];
    ASSERT_LE(seen.size(), written.size()) << key;
    EXPECT_TRUE(std::equal(seen.rbegin(), seen.rend(), written.rbegin()))
        << key << ": " << ::testing::PrintToString(seen) << " is not the end of "
        << ::testing::PrintToString(written);
    // What is not in the snapshot was not there then: the version before is a delete, or none.
    if (!in_snapshot.contains(key) && seen.size() < written.size()) {
      EXPECT_EQ(written[written.size() - seen.size() - 1], 0) << key;
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(SnapshotConformance, ReadsEveryRow, AnEmptyCollectionHasAPosition,
                            ReadsMoreRowsThanABatchHolds, ReadsOnlyWhatTheFilterMatches,
                            OneThatIsBrokenOffHasNoPosition, AnUnknownCollectionIsRefused,
                            JoinsTheStreamWithoutGapOrOverlap);

}  // namespace ustream::testing
