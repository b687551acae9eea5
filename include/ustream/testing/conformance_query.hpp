// The promises of Query and Aggregator.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "ustream/testing/conformance_fixture.hpp"

namespace ustream::testing {

/// Five rows that differ in every way the tests ask for.
template <class Fixture>
class RowsConformance : public ConformanceTest<Fixture> {
 protected:
  void SetUp() override {
    ConformanceTest<Fixture>::SetUp();
    this->insert(1, {{"name", "apple"}, {"n", 10}, {"amount", 1.5}});
    this->insert(2, {{"name", "Banana"}, {"n", 20}, {"amount", -2.0}});
    this->insert(3, {{"name", "cherry"}, {"n", 20}});
    this->insert(4, {{"n", 30}, {"amount", 1.5}});
    this->insert(5, {{"name", "apricot"}, {"n", -5}, {"amount", 100.25}});
  }
};

template <class Fixture>
class QueryConformance : public RowsConformance<Fixture> {
 protected:
  void SetUp() override {
    RowsConformance<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(query, "Query");
  }
  [[nodiscard]] Query& query() { return *this->connector().query(); }
  [[nodiscard]] std::vector<Document> rows(const QueryOptions& options) {
    std::vector<Document> result;
    query().query(this->kCollection, options, [&](const Document& row) {
      result.push_back(row);
      return true;
    });
    return result;
  }
  /// Keys of the rows in order: "3,1".
  [[nodiscard]] std::string keys(const QueryOptions& options) {
    std::string text;
    for (const Document& row : rows(options)) {
      text += (text.empty() ? "" : ",") + field_json(row, this->fixture().key_field());
    }
    return text;
  }
  [[nodiscard]] std::string by_key() { return R"({")" + this->fixture().key_field() + R"(":1})"; }
};

TYPED_TEST_SUITE_P(QueryConformance);

TYPED_TEST_P(QueryConformance, FiltersMeanTheSameEverywhere) {
  struct Case {
    const char* filter;
    const char* keys;
  };
  for (const Case& c : {
           Case{"{}", "1,2,3,4,5"},
           Case{R"({"n":20})", "2,3"},
           Case{R"({"n":{"$gt":10}})", "2,3,4"},
           Case{R"({"n":{"$gte":10,"$lt":30}})", "1,2,3"},
           Case{R"({"n":{"$ne":20}})", "1,4,5"},
           Case{R"({"n":{"$in":[10,30,99]}})", "1,4"},
           Case{R"({"n":{"$nin":[10,20]}})", "4,5"},
           Case{R"({"name":"apple"})", "1"},
           Case{R"({"name":"APPLE"})", ""},
           Case{R"({"name":null})", "4"},
           Case{R"({"name":{"$ne":"apple"}})", "2,3,4,5"},
           Case{R"({"name":{"$lt":"apple"}})", "2"},
           Case{R"({"name":{"$regex":"^ap"}})", "1,5"},
           Case{R"({"name":20})", ""},
           Case{R"({"n":"20"})", ""},
           Case{R"({"amount":1.5})", "1,4"},
           Case{R"({"amount":{"$lt":0}})", "2"},
           Case{R"({"$or":[{"n":10},{"name":"cherry"}]})", "1,3"},
           Case{R"({"$and":[{"n":20},{"name":"cherry"}]})", "3"},
           Case{R"({"$nor":[{"n":20},{"n":10}]})", "4,5"},
           Case{R"({"n":{"$not":{"$gt":10}}})", "1,5"},
           Case{R"({"no_such_field":1})", ""},
       }) {
    QueryOptions options;
    options.filter = Filter::parse(c.filter);
    options.sort = parse_sort(this->by_key());
    EXPECT_EQ(this->keys(options), c.keys) << c.filter;
    const std::string keys = c.keys;
    const auto expected = keys.empty() ? 0 : std::count(keys.begin(), keys.end(), ',') + 1;
    EXPECT_EQ(this->query().count(this->kCollection, options.filter),
              static_cast<std::uint64_t>(expected))
        << c.filter;
  }
}

TYPED_TEST_P(QueryConformance, SortsByAnyFieldAndBreaksTiesByTheKey) {
  QueryOptions options;
  options.sort = parse_sort(R"({"n":1})");
  EXPECT_EQ(this->keys(options), "5,1,2,3,4");
  options.sort = parse_sort(R"({"n":-1})");
  EXPECT_EQ(this->keys(options), "4,2,3,1,5");
  options.sort = parse_sort(R"({"name":1})");
  EXPECT_EQ(this->keys(options), "4,2,1,5,3");
  options.sort = parse_sort(R"([["amount",-1],["n",-1]])");
  EXPECT_EQ(this->keys(options), "5,4,1,2,3");
}

TYPED_TEST_P(QueryConformance, SkipsAndLimits) {
  QueryOptions options;
  options.sort = parse_sort(this->by_key());
  options.skip = 1;
  options.limit = 2;
  EXPECT_EQ(this->keys(options), "2,3");
  options.limit = std::nullopt;
  EXPECT_EQ(this->keys(options), "2,3,4,5");
  options.skip = 5;
  EXPECT_EQ(this->keys(options), "");
  options.skip = 0;
  options.limit = 0;
  EXPECT_EQ(this->keys(options), "");
  options.limit = 100;
  EXPECT_EQ(this->keys(options), "1,2,3,4,5");
}

TYPED_TEST_P(QueryConformance, ShowsOnlyTheFieldsAskedFor) {
  QueryOptions options;
  options.filter = Filter::parse(R"({"n":10})");
  options.fields = {"name"};
  const auto rows = this->rows(options);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].to_json(), R"({"name":"apple"})");
  // A field that the filter or the sort needs is not shown for that.
  options.filter = Filter::parse(R"({"name":{"$regex":"an"}})");
  options.sort = parse_sort(R"({"n":-1})");
  options.fields = {"amount"};
  const auto others = this->rows(options);
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].to_json(), R"({"amount":-2.0})");
}

TYPED_TEST_P(QueryConformance, EndsWhenTheCallbackSaysSo) {
  int calls = 0;
  this->query().query(this->kCollection, {}, [&](const Document&) { return ++calls < 3; });
  EXPECT_EQ(calls, 3);
}

TYPED_TEST_P(QueryConformance, PassesTheCallbacksExceptionOn) {
  struct Mine : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto ask = [&] {
    this->query().query(this->kCollection, {}, [](const Document&) -> bool { throw Mine("no"); });
  };
  EXPECT_THROW(ask(), Mine);
  EXPECT_EQ(this->rows({}).size(), 5U);  // and it is fit for use
}

TYPED_TEST_P(QueryConformance, ARowMayBeKept) {
  std::vector<std::string> texts;
  std::vector<Document> kept;
  this->query().query(this->kCollection, {}, [&](const Document& row) {
    texts.push_back(row.to_json());
    kept.push_back(row);
    return true;
  });
  ASSERT_EQ(kept.size(), 5U);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].to_json(), texts[i]);
  }
}

TYPED_TEST_P(QueryConformance, AnUnknownCollectionIsRefused) {
  EXPECT_EQ(error_of([&] {
              this->query().query("no_such_collection", {}, [](const Document&) { return true; });
            }),
            ErrorKind::validation);
  EXPECT_EQ(error_of([&] { (void)this->query().count("no_such_collection", {}); }),
            ErrorKind::validation);
}

REGISTER_TYPED_TEST_SUITE_P(QueryConformance, FiltersMeanTheSameEverywhere,
                            SortsByAnyFieldAndBreaksTiesByTheKey, SkipsAndLimits,
                            ShowsOnlyTheFieldsAskedFor, EndsWhenTheCallbackSaysSo,
                            PassesTheCallbacksExceptionOn, ARowMayBeKept,
                            AnUnknownCollectionIsRefused);

template <class Fixture>
class AggregatorConformance : public RowsConformance<Fixture> {
 protected:
  void SetUp() override {
    RowsConformance<Fixture>::SetUp();
    USTREAM_NEEDS_FACET(aggregator, "Aggregator");
  }
  [[nodiscard]] std::string run(const char* pipeline) {
    std::string text;
    for (const Value::Object& row :
         this->connector().aggregator()->aggregate(this->kCollection, Pipeline::parse(pipeline))) {
      text += (text.empty() ? "" : " ") + to_json(Value(row));
    }
    return text;
  }
};

TYPED_TEST_SUITE_P(AggregatorConformance);

TYPED_TEST_P(AggregatorConformance, GroupsAndSorts) {
  EXPECT_EQ(this->run(R"([{"$group":{"_id":"$n","rows":{"$sum":1}}},{"$sort":{"_id":1}}])"),
            R"({"_id":-5,"rows":1} {"_id":10,"rows":1} {"_id":20,"rows":2} {"_id":30,"rows":1})");
}

TYPED_TEST_P(AggregatorConformance, MatchesFirst) {
  EXPECT_EQ(this->run(R"([{"$match":{"n":{"$gte":20}}},
                          {"$group":{"_id":null,"sum":{"$sum":"$n"},"most":{"$max":"$n"}}}])"),
            R"({"_id":null,"sum":70,"most":30})");
}

TYPED_TEST_P(AggregatorConformance, CountsSkipsAndLimits) {
  EXPECT_EQ(this->run(R"([{"$match":{"n":20}},{"$count":"rows"}])"), R"({"rows":2})");
  EXPECT_EQ(
      this->run(R"([{"$sort":{"n":1}},{"$skip":1},{"$limit":1},{"$project":{"_id":0,"name":1}}])"),
      R"({"name":"apple"})");
}

TYPED_TEST_P(AggregatorConformance, AnUnknownCollectionIsRefused) {
  EXPECT_EQ(error_of([&] {
              (void)this->connector().aggregator()->aggregate("no_such_collection",
                                                              Pipeline::parse("[]"));
            }),
            ErrorKind::validation);
}

REGISTER_TYPED_TEST_SUITE_P(AggregatorConformance, GroupsAndSorts, MatchesFirst,
                            CountsSkipsAndLimits, AnUnknownCollectionIsRefused);

}  // namespace ustream::testing
