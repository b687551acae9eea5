#include "base/atomic_file.hpp"

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ustream/error.hpp"

#include "base/unique_fd.hpp"

namespace ustream::base {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ustream-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(AtomicFile, writes_and_replaces_leaving_nothing_else_behind) {
  const fs::path path = folder_ / "position";
  write_file_durably(path, "one");
  EXPECT_EQ(read_file(path), "one");
  const std::string large(1'000'000, 'x');
  write_file_durably(path, large);
  EXPECT_EQ(read_file(path), large);
  write_file_durably(path, "");
  EXPECT_EQ(read_file(path), "");
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicFile, keeps_the_mode_of_the_file_it_replaces) {
  const fs::path path = folder_ / "secret";
  write_file_durably(path, "a");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  write_file_durably(path, "b");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AtomicFile, follows_a_symbolic_link) {
  const fs::path target = folder_ / "target";
  const fs::path link = folder_ / "link";
  write_file_durably(target, "a");
  fs::create_symlink("target", link);
  write_file_durably(link, "b");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(read_file(target), "b");
}

TEST_F(AtomicFile, says_what_to_do_when_the_folder_is_missing) {
  try {
    write_file_durably(folder_ / "missing" / "position", "a");
    FAIL() << "no error";
  } catch (const ValidationError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("missing/position"), std::string::npos) << message;
    EXPECT_NE(message.find("check that the folder exists"), std::string::npos) << message;
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(AtomicFile, a_failed_write_leaves_the_old_content_and_no_temporary_file) {
  const fs::path path = folder_ / "folder";
  fs::create_directory(path);
  EXPECT_THROW(write_file_durably(path, "a"), Error);
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicFile, concurrent_writers_leave_one_whole_content) {
  const fs::path path = folder_ / "position";
  {
    std::vector<std::jthread> writers;
    for (const char letter : {'a', 'b', 'c'}) {
      writers.emplace_back([&path, letter] {
        for (int i = 0; i < 10; ++i) {
          write_file_durably(path, std::string(5000, letter));
        }
      });
    }
  }
  const std::string content = read_file(path);
  EXPECT_EQ(content.size(), 5000U);
  EXPECT_EQ(content.find_first_not_of(content.front()), std::string::npos);
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicFile, reading_stops_at_the_limit_and_names_a_missing_file) {
  const fs::path path = folder_ / "large";
  write_file_durably(path, std::string(100, 'x'));
  EXPECT_EQ(read_file(path, 100).size(), 100U);
  EXPECT_THROW(static_cast<void>(read_file(path, 99)), ValidationError);
  EXPECT_THROW(static_cast<void>(read_file(folder_ / "none")), ValidationError);
}

TEST(UniqueFd, closes_once_and_moves) {
  int pipe_ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe_ends), 0);
  UniqueFd reader(pipe_ends[0]);
  {
    UniqueFd writer(pipe_ends[1]);
    const UniqueFd moved = std::move(writer);
    EXPECT_FALSE(writer.valid());  // NOLINT(bugprone-use-after-move): what a move leaves
    EXPECT_TRUE(moved.valid());
  }
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0) << "the writing end is still open";
  const int fd = reader.release();
  EXPECT_FALSE(reader.valid());
  EXPECT_EQ(::close(fd), 0);
}

}  // namespace
}  // namespace ustream::base
