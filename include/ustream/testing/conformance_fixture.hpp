// What a connector's author supplies to run the conformance suite, and what all its tests share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/connector.hpp"
#include "ustream/error.hpp"
#include "ustream/json.hpp"
#include "ustream/testing/change_collector.hpp"

namespace ustream::testing {

/// A write from outside: not through the connector under test.
struct ForeignWrite {
  enum class Kind : std::uint8_t { insert, update, remove };
  Kind kind = Kind::insert;
  std::int64_t id = 0;
  Value::Object fields = {};  ///< update: the fields to set, the others stay
};

/// One database for one test. A new one, made by its default constructor, for each.
///
/// Thread rule: foreign_write() is called by one thread at a time, but while the connector works.
class ConformanceFixture {
 public:
  ConformanceFixture() = default;
  ConformanceFixture(const ConformanceFixture&) = delete;
  ConformanceFixture& operator=(const ConformanceFixture&) = delete;
  virtual ~ConformanceFixture() = default;

  /// The connector's name, as BaseConnector::name() says it.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Not opened yet. Every call's connector reaches the same database.
  [[nodiscard]] virtual std::unique_ptr<BaseConnector> make_connector() = 0;
  /// A collection with the key `id` (64-bit integer, generated when it is not given) and the
  /// nullable fields name (text), n (64-bit integer), amount (double), data (bytes).
  virtual void create_collection(const std::string& collection) = 0;
  virtual void drop_collection(const std::string& collection) = 0;
  /// Commits all of them, in one transaction where the database has transactions. Returns when they
  /// are committed.
  virtual void foreign_write(const std::string& collection,
                             const std::vector<ForeignWrite>& writes) = 0;
  /// What the key's field is called, where it cannot be `id`.
  [[nodiscard]] virtual std::string key_field() const { return "id"; }
  /// Whether a write with an empty key gets one from the database.
  [[nodiscard]] virtual bool generates_keys() const { return true; }
};

/// Base of the suite's tests: an opened connector on an empty collection.
template <class Fixture>
class ConformanceTest : public ::testing::Test {
 protected:
  // Unlike any other name, so that a misspelling of it has one nearest name.
  static constexpr const char* kCollection = "ustream_conformance";

  void SetUp() override {
    fixture_.create_collection(kCollection);
    connector_ = fixture_.make_connector();
    connector_->open();
  }
  void TearDown() override {
    if (connector_) {
      connector_->close();
      connector_.reset();
    }
    fixture_.drop_collection(kCollection);
  }

  [[nodiscard]] BaseConnector& connector() { return *connector_; }
  [[nodiscard]] Fixture& fixture() { return fixture_; }
  [[nodiscard]] Crud& crud() { return *connector_->crud(); }
  [[nodiscard]] ChangeSource& source() { return *connector_->change_source(); }

  void insert(std::int64_t id, Value::Object fields = {}) {
    fixture_.foreign_write(kCollection, {{ForeignWrite::Kind::insert, id, std::move(fields)}});
  }
  void update(std::int64_t id, Value::Object fields) {
    fixture_.foreign_write(kCollection, {{ForeignWrite::Kind::update, id, std::move(fields)}});
  }
  void remove(std::int64_t id) {
    fixture_.foreign_write(kCollection, {{ForeignWrite::Kind::remove, id, {}}});
  }

 private:
  Fixture fixture_;
  std::unique_ptr<BaseConnector> connector_;
};

/// The JSON of a field; "absent" when the row does not have it.
[[nodiscard]] inline std::string field_json(const Document& row, std::string_view name) {
  const auto value = row.get(name);
  return value ? to_json(*value) : "absent";
}

/// Whether a field holds nothing: a database without columns leaves out what others set to null.
[[nodiscard]] inline bool is_empty_field(const Document& row, std::string_view name) {
  const auto value = row.get(name);
  return !value || value->is_null();
}

/// The kind of the Error that `call` throws; nullopt when it throws none.
template <class Call>
[[nodiscard]] std::optional<ErrorKind> error_of(Call&& call, std::string* message = nullptr) {
  try {
    std::forward<Call>(call)();
  } catch (const Error& error) {
    if (message != nullptr) {
      *message = error.what();
    }
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace ustream::testing

/// Ends a test as skipped when the connector does not offer a facet.
#define USTREAM_NEEDS_FACET(accessor, facet)                                             \
  if (this->connector().accessor() == nullptr) {                                         \
    GTEST_SKIP() << "the connector " << this->connector().name() << " offers no " facet; \
  }                                                                                      \
  static_assert(true)
