#include "ustream/error.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "ustream/version.hpp"

namespace ustream {
namespace {

TEST(Error, carries_what_a_caller_acts_on) {
  try {
    throw StreamingError("the history is gone", ErrorKind::history_lost, RetryAdvice::resnapshot,
                         "shop", "purged at 17");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the history is gone");
    EXPECT_EQ(error.kind(), ErrorKind::history_lost);
    EXPECT_EQ(error.retry_advice(), RetryAdvice::resnapshot);
    EXPECT_FALSE(error.temporary());
    EXPECT_EQ(error.where(), "shop");
    EXPECT_EQ(error.detail(), "purged at 17");
  }
}

TEST(Error, says_where_in_the_source_it_was_raised) {
  const ValidationError error("no");
  EXPECT_NE(std::string(error.location().file_name()).find("error_test.cpp"), std::string::npos);
}

TEST(Error, every_class_has_its_kind_and_advice) {
  EXPECT_EQ(ConnectionError("x").kind(), ErrorKind::connection);
  EXPECT_TRUE(ConnectionError("x").temporary());
  EXPECT_EQ(ValidationError("x").kind(), ErrorKind::validation);
  EXPECT_FALSE(ValidationError("x").temporary());
  EXPECT_EQ(StreamingError("x").kind(), ErrorKind::streaming);
  EXPECT_EQ(AuthError("x").kind(), ErrorKind::auth);
  EXPECT_FALSE(AuthError("x").temporary());
}

TEST(Error, kinds_have_distinct_names) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorKind::internal); ++i) {
    names.insert(to_string(static_cast<ErrorKind>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorKind::internal) + 1);
  EXPECT_TRUE(names.contains("history_lost"));
  EXPECT_TRUE(names.contains("not_found"));
}

TEST(Version, is_the_one_of_the_macros) {
  EXPECT_EQ(std::string(version()), std::to_string(USTREAM_VERSION_MAJOR) + "." +
                                        std::to_string(USTREAM_VERSION_MINOR) + "." +
                                        std::to_string(USTREAM_VERSION_PATCH));
}

}  // namespace
}  // namespace ustream
