#include "resilience/backoff.hpp"

#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace ustream::resilience {
namespace {

using std::chrono::milliseconds;

RetryPolicy policy(std::uint32_t retries, int initial, int max) {
  return {
      .retries = retries, .initial_delay = milliseconds(initial), .max_delay = milliseconds(max)};
}

TEST(Backoff, CeilingDoublesUpToTheLimit) {
  const Backoff backoff(policy(10, 100, 1000), 1);
  EXPECT_EQ(backoff.ceiling(0), milliseconds(100));
  EXPECT_EQ(backoff.ceiling(1), milliseconds(200));
  EXPECT_EQ(backoff.ceiling(3), milliseconds(800));
  EXPECT_EQ(backoff.ceiling(4), milliseconds(1000));
  EXPECT_EQ(backoff.ceiling(std::numeric_limits<std::uint32_t>::max()), milliseconds(1000));
}

TEST(Backoff, ALargestPossibleDelayDoesNotOverflow) {
  RetryPolicy far = policy(1, 1, 1);
  far.initial_delay = milliseconds(std::numeric_limits<std::int64_t>::max() / 2 + 1);
  far.max_delay = milliseconds::max();
  const Backoff backoff(far, 1);
  EXPECT_EQ(backoff.ceiling(5), milliseconds::max());
}

TEST(Backoff, WaitsAreSpreadOverTheWholeRange) {
  std::set<std::int64_t> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff(policy(5, 9, 1000), seed);
    const auto wait = backoff.next();
    EXPECT_LE(wait, milliseconds(9));
    EXPECT_GE(wait, milliseconds(0));
    seen.insert(wait.count());
  }
  EXPECT_EQ(seen.size(), 10U);  // full jitter: from zero to the ceiling, both included
}

TEST(Backoff, TheSameSeedGivesTheSameWaits) {
  Backoff one(policy(9, 100, 10'000), 42);
  Backoff two(policy(9, 100, 10'000), 42);
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(one.next(), two.next());
  }
}

TEST(Backoff, AllowsAsManyAttemptsAsThePolicySinceTheLastSuccess) {
  Backoff backoff(policy(2, 1, 1), 1);
  EXPECT_TRUE(backoff.may_retry());
  (void)backoff.next();
  (void)backoff.next();
  EXPECT_FALSE(backoff.may_retry());
  backoff.reset();
  EXPECT_TRUE(backoff.may_retry());
  EXPECT_FALSE(Backoff(policy(0, 1, 1), 1).may_retry());
}

TEST(Classify, FollowsTheErrorsKindAndAdvice) {
  EXPECT_EQ(classify(ConnectionError("gone")), ErrorClass::retry);
  EXPECT_EQ(classify(ConnectionError("no such file", RetryAdvice::never)), ErrorClass::permanent);
  EXPECT_EQ(classify(AuthError("refused")), ErrorClass::permanent);
  EXPECT_EQ(classify(ValidationError("no such table")), ErrorClass::permanent);
  EXPECT_EQ(classify(StreamingError("cut")), ErrorClass::retry);
  EXPECT_EQ(classify(StreamingError("purged", ErrorKind::history_lost)), ErrorClass::history_lost);
  EXPECT_EQ(classify(StreamingError("odd", ErrorKind::streaming, RetryAdvice::resnapshot)),
            ErrorClass::history_lost);
}

TEST(AsError, KeepsAnErrorAndMakesOthersPermanent) {
  const Error kept = as_error(std::make_exception_ptr(ConnectionError("gone")));
  EXPECT_EQ(kept.kind(), ErrorKind::connection);
  EXPECT_TRUE(kept.temporary());
  const Error other = as_error(std::make_exception_ptr(std::runtime_error("secret")));
  EXPECT_EQ(other.kind(), ErrorKind::internal);
  EXPECT_EQ(classify(other), ErrorClass::permanent);
  EXPECT_STREQ(other.detail().c_str(), "secret");
  EXPECT_EQ(as_error(std::make_exception_ptr(7)).kind(), ErrorKind::internal);
}

TEST(ThrowCopy, ThrowsTheMemberOfTheFamilyThatFits) {
  const ConnectionError original("gone", RetryAdvice::never, "db", "errno 111");
  try {
    throw_copy(separate_copy(original));
  } catch (const ConnectionError& error) {
    EXPECT_STREQ(error.what(), "gone");
    EXPECT_EQ(error.where(), "db");
    EXPECT_EQ(error.detail(), "errno 111");
    EXPECT_FALSE(error.temporary());
  }
  EXPECT_THROW(throw_copy(AuthError("x")), AuthError);
  EXPECT_THROW(throw_copy(ValidationError("x")), ValidationError);
  EXPECT_THROW(throw_copy(StreamingError("x", ErrorKind::history_lost)), StreamingError);
  EXPECT_THROW(throw_copy(Error(ErrorKind::busy, "x")), Error);
}

}  // namespace
}  // namespace ustream::resilience
