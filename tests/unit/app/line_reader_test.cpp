#include "app/line_reader.hpp"

#include <array>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace ustream::app {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  void put(const std::string& text) const {
    EXPECT_EQ(::write(write.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  base::UniqueFd read;
  base::UniqueFd write;
};

using Result = LineReader::Result;
using Wait = LineReader::Wait;

TEST(LineReader, ReadsLinesAndTheLastWithoutItsBreak) {
  Pipe data;
  Pipe stop;
  data.put("one\n\ntwo\nthree");
  data.write.reset();
  LineReader reader(data.read.get(), stop.read.get(), 100);
  std::string_view line;
  for (const char* expected : {"one", "", "two", "three"}) {
    ASSERT_EQ(reader.next(line, Wait::until_line), Result::line);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::end);
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::end);
}

TEST(LineReader, SaysNothingWhileALineIsIncomplete) {
  Pipe data;
  Pipe stop;
  LineReader reader(data.read.get(), stop.read.get(), 100);
  std::string_view line;
  data.put("ha");
  EXPECT_EQ(reader.next(line, Wait::none), Result::nothing);
  data.put("lf\n");
  ASSERT_EQ(reader.next(line, Wait::none), Result::line);
  EXPECT_EQ(line, "half");
}

TEST(LineReader, PassesOverALineThatIsTooLong) {
  Pipe data;
  Pipe stop;
  constexpr std::size_t kLimit = 100'000;
  std::thread writer([&] {
    data.put(std::string(3 * kLimit, 'x') + "\nshort\n" + std::string(2 * kLimit, 'y'));
    data.write.reset();
  });
  LineReader reader(data.read.get(), stop.read.get(), kLimit);
  std::string_view line;
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::too_long);
  ASSERT_EQ(reader.next(line, Wait::until_line), Result::line);
  EXPECT_EQ(line, "short");
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::too_long);
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::end);
  writer.join();
}

TEST(LineReader, StopsWhenItIsTold) {
  Pipe data;
  Pipe stop;
  LineReader reader(data.read.get(), stop.read.get(), 100);
  stop.put("!");
  std::string_view line;
  EXPECT_EQ(reader.next(line, Wait::until_line), Result::stopped);
}

}  // namespace
}  // namespace ustream::app
