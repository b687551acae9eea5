// The conformance suite: what every connector must hold, as GoogleTest cases.
//
// Derive a default-constructible class from ustream::testing::ConformanceFixture, then, in any one
// source file of a test executable that links GTest::gtest:
//
//   USTREAM_CONFORMANCE(Sqlite, SqliteFixture);
//
// Tests of a facet that the connector does not offer are skipped and say so. Several connectors may
// be tested by one executable.
#pragma once

#include <gtest/gtest.h>

#include "ustream/testing/conformance_crud.hpp"
#include "ustream/testing/conformance_fixture.hpp"
#include "ustream/testing/conformance_query.hpp"
#include "ustream/testing/conformance_snapshot.hpp"
#include "ustream/testing/conformance_stream.hpp"
#include "ustream/testing/conformance_transaction.hpp"

/// Instantiates the whole suite for one fixture, at namespace scope.
#define USTREAM_CONFORMANCE(prefix, fixture)                                \
  namespace ustream::testing {                                              \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, CrudConformance, fixture);         \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, QueryConformance, fixture);        \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, AggregatorConformance, fixture);   \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, TransactorConformance, fixture);   \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, SnapshotConformance, fixture);     \
  INSTANTIATE_TYPED_TEST_SUITE_P(prefix, ChangeSourceConformance, fixture); \
  }                                                                         \
  static_assert(true, "so that the macro ends with a semicolon")
