#include "app/change_printer.hpp"

#include <array>
#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace ustream::app {
namespace {

/// Prints into a pipe.
class PrinterTest : public testing::Test {
 protected:
  PrinterTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }
  ChangePrinter printer(PrinterOptions options, Format format = Format::json) const {
    return {Output(write_.get(), format, Palette(Palette::Use::plain)), std::move(options)};
  }
  std::string printed() {
    write_.reset();
    std::string result;
    std::array<char, 4096> piece{};
    for (ssize_t n = 0; (n = ::read(read_.get(), piece.data(), piece.size())) > 0;) {
      result.append(piece.data(), static_cast<std::size_t>(n));
    }
    return result;
  }
  static Position place(char at) {
    static const auto kOrigin =
        std::make_shared<const PositionOrigin>(PositionOrigin{"test", "epoch"});
    return {kOrigin, std::string(1, at)};
  }
  Delivery change(std::int64_t id, char at) {
    auto batch = std::make_shared<ChangeBatch>();
    Change made;
    made.op = Op::create;
    made.schema = std::make_shared<Schema>(
        "orders", std::vector<Column>{{"id", "INTEGER", KeyAffinity::number}},
        std::vector<std::size_t>{0});
    made.after = Document(Value::Object{{"id", id}});
    made.position = place(at);
    batch->changes.push_back(std::move(made));
    Delivery delivery;
    delivery.change = batch->changes.data();
    delivery.batch = std::move(batch);
    return delivery;
  }
  template <class What>
  static Delivery notice(What what) {
    Delivery delivery;
    delivery.notice = std::move(what);
    return delivery;
  }

  base::UniqueFd read_;
  base::UniqueFd write_;
};

TEST_F(PrinterTest, PrintsNoticesInTheirShapes) {
  auto printing = printer({});
  printing.print(std::vector<Delivery>{
      notice(Ready{place('a')}),
      notice(Quarantine{"orders", "torn", std::string("\x00\xff", 2), place('b')}),
      notice(Resync{ResyncReason::slow_consumer, "", "too slow", place('c')})});
  const auto cursor = [](char at) { return place(at).cursor(); };
  EXPECT_EQ(printed(), "{\"ready\":{\"cursor\":\"" + cursor('a') + "\"}}\n" +
                           R"({"quarantine":{"collection":"orders","cursor":")" + cursor('b') +
                           R"(","reason":"torn","raw":"AP8="}})" + "\n" +
                           R"({"resync":{"reason":"slow_consumer","cursor":")" + cursor('c') +
                           "\"}}\n");
  EXPECT_FALSE(printing.history_lost());
}

TEST_F(PrinterTest, RemembersLostHistory) {
  auto printing = printer({});
  printing.print(
      std::vector<Delivery>{notice(Resync{ResyncReason::history_lost, "", "gone", place('c')})});
  EXPECT_EQ(printing.history_lost(), "gone");
}

TEST_F(PrinterTest, StopsAtTheCountAndKnowsWhereItIs) {
  auto printing = printer({.fields = {}, .batches = false, .count = 2});
  printing.print(std::vector<Delivery>{notice(Ready{place('a')}), change(1, 'b'), change(2, 'c'),
                                       change(3, 'd')});
  EXPECT_TRUE(printing.complete());
  EXPECT_EQ(printing.written(), place('c'));
  const std::string text = printed();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(PrinterTest, HasNoPositionDuringTheSnapshot) {
  auto printing = printer({});
  printing.print(std::vector<Delivery>{change(1, 'b')});
  EXPECT_FALSE(printing.written());
  printing.print(std::vector<Delivery>{notice(Ready{place('c')})});
  EXPECT_EQ(printing.written(), place('c'));
}

TEST_F(PrinterTest, ABatchIsAnArrayThatNoticesDivide) {
  auto printing = printer({.fields = {}, .batches = true, .count = {}});
  printing.print(std::vector<Delivery>{change(1, 'b'), change(2, 'c'), notice(Ready{place('c')}),
                                       change(3, 'd')});
  const std::string text = printed();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_TRUE(text.starts_with("[{"));
  EXPECT_NE(text.find("},{"), std::string::npos);
  EXPECT_NE(text.find("}]\n{\"ready\""), std::string::npos);
  EXPECT_TRUE(text.ends_with("}]\n"));
}

TEST_F(PrinterTest, NothingCountsAsWrittenWhenTheReaderIsGone) {
  std::signal(SIGPIPE, SIG_IGN);
  auto printing = printer({});
  printing.print(std::vector<Delivery>{notice(Ready{place('a')})});
  read_.reset();
  EXPECT_THROW(printing.print(std::vector<Delivery>{change(1, 'b')}), OutputClosed);
  EXPECT_EQ(printing.written(), place('a'));
}

}  // namespace
}  // namespace ustream::app
