// The command line itself: help, version, wrong usage, exit codes, secrets.
#include <gtest/gtest.h>

#include "ustream/version.hpp"

#include "process.hpp"
#include "shop.hpp"

namespace ustream::e2e {
namespace {

bool is_one_line(const std::string& text) {
  return text.starts_with("ustream: ") && text.find('\n') == text.size() - 1;
}

TEST(Usage, TellsItsVersion) {
  const Result result = run({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, std::string("ustream ") + version() + "\n");
}

TEST(Usage, EveryCommandHasHelp) {
  for (const char* command : {"watch", "read", "write", "delete", "query", "count", "aggregate",
                              "bulk", "doctor", "uninstall", "completion", "help"}) {
    for (const auto& arguments :
         {std::vector<std::string>{command, "--help"}, {command, "-h"}, {"help", command}}) {
      const Result result = run(arguments);
      EXPECT_EQ(result.code, 0) << command;
      EXPECT_NE(result.out.find(command), std::string::npos) << result.out;
      EXPECT_EQ(result.err, "");
    }
  }
  EXPECT_NE(run({"--help"}).out.find("USTREAM_PASSWORD"), std::string::npos);
}

TEST(Usage, HelpSaysHowACommandIsCalled) {
  EXPECT_NE(run({"watch", "--help"}).out.find("Usage: ustream watch "), std::string::npos);
  EXPECT_NE(run({"help", "read"}).out.find("Usage: ustream read "), std::string::npos);
  const Result help = run({"help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out, run({"--help"}).out);
  EXPECT_NE(help.out.find("aggregate"), std::string::npos) << help.out;
}

TEST(Usage, AWrongDurationNamesItsOption) {
  const Shop shop;
  const Result option = run({"watch", shop.url(), "orders", "--for", "soon"});
  EXPECT_EQ(option.code, 2);
  EXPECT_NE(option.err.find("--for"), std::string::npos) << option.err;
  EXPECT_EQ(run({"watch", shop.url(), "orders", "--for", ""}).code, 2);
  const Result parameter = run({"count", shop.url() + "?busy_timeout=soon", "orders"});
  EXPECT_EQ(parameter.code, 2);
  EXPECT_NE(parameter.err.find("busy_timeout"), std::string::npos) << parameter.err;
}

TEST(Usage, AnUnknownTableIsToldWithTheTablesThereAre) {
  const Shop shop;
  const Result result = run({"count", shop.url(), "people"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("'orders'"), std::string::npos) << result.err;
}

TEST(Usage, WrongUsageIsTwoAndOneLine) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"serve"},
      {"decode", "file"},
      {"wtach", "sqlite:x", "orders"},
      {"watch"},
      {"watch", "sqlite:x"},
      {"read", "sqlite:x", "orders"},
      {"read", "sqlite:x", "orders", "1", "2"},
      {"query", "sqlite:x", "orders", "--limit", "-1"},
      {"query", "sqlite:x", "orders", "--limit", "many"},
      {"query", "sqlite:x", "orders", "--nonsense"},
      {"watch", "sqlite:x", "orders", "--count", "0"},
      {"watch", "sqlite:x", "orders", "--batch", "0"},
      {"watch", "sqlite:x", "orders", "--snapshot", "--since", "u1.x"},
      {"count", "sqlite:x", "orders", "--format", "xml"},
      {"count", "sqlite:x", "orders", "--log-level", "loud"},
      {"completion", "fish"},
      {"help", "nothing"},
      {"count", "nonsense", "orders"},
      {"count", "oracle://host/db", "orders"},
      {"count", "sqlite:", "orders"},
  };
  for (const auto& arguments : wrong) {
    const Result result = run(arguments);
    std::string shown;
    for (const auto& word : arguments) {
      shown += word + ' ';
    }
    EXPECT_EQ(result.code, 2) << shown << result.err;
    EXPECT_EQ(result.out, "") << shown;
    EXPECT_TRUE(is_one_line(result.err)) << shown << result.err;
  }
}

TEST(Usage, SuggestsTheNearestCommand) {
  EXPECT_NE(run({"wtach", "sqlite:x", "orders"}).err.find("'watch'"), std::string::npos);
}

TEST(Usage, NeverPrintsAPassword) {
  const std::string secret = "hunter2/@x";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"mysql://root:" + secret + "@host/db", "orders"},
           {"read", "mysql://root:" + secret + "@host:port/db", "orders", "1"},
           {"count", "oracle://root:" + secret + "@host/db", "orders"},
           {"count", "sqlite:x", "orders", "mysql://root:" + secret + "@host/db"},
           {"doctor", "sqlite:/nowhere/x.db?password=hunter2"}}) {
    const Result result = run(arguments);
    EXPECT_NE(result.code, 0);
    EXPECT_EQ((result.out + result.err).find("hunter2"), std::string::npos) << result.err;
  }
}

TEST(Usage, AMissingDatabaseIsThree) {
  const Shop shop;
  const std::string url = "sqlite:" + shop.file("missing.db");
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"read", url, "orders", "1"},
                                             {"count", url, "orders"},
                                             {"watch", url, "orders", "--count", "1"},
                                             {"uninstall", url},
                                             {"bulk", url}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.code, 3) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(is_one_line(result.err)) << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists(shop.file("missing.db")));
}

TEST(Usage, AnUnknownCollectionIsTwo) {
  const Shop shop;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"read", shop.url(), "nothing", "1"},
           {"write", shop.url(), "nothing", "1", "{}"},
           {"delete", shop.url(), "nothing", "1"},
           {"query", shop.url(), "nothing"},
           {"count", shop.url(), "nothing"},
           {"aggregate", shop.url(), "nothing", "[]"},
           {"watch", shop.url(), "nothing", "--count", "1"},
           {"watch", shop.url(), "orders", "nothing", "--snapshot", "--count", "1"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.code, 2) << arguments.front() << ": " << result.err;
    EXPECT_NE(result.err.find("nothing"), std::string::npos) << result.err;
  }
}

TEST(Usage, MalformedJsonIsTwo) {
  const Shop shop;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"query", shop.url(), "orders", "--filter", "{"},
           {"query", shop.url(), "orders", "--filter", ""},
           {"query", shop.url(), "orders", "--filter", R"({"a":{"$nonsense":1}})"},
           {"query", shop.url(), "orders", "--sort", R"({"a":"up"})"},
           {"query", shop.url(), "orders", "--fields", "a,,b"},
           {"count", shop.url(), "orders", "--filter", "[]"},
           {"watch", shop.url(), "orders", "--filter", "{"},
           {"watch", shop.url(), "orders", "--since", "nonsense"},
           {"watch", shop.url(), "orders", "--for", "soon"},
           {"aggregate", shop.url(), "orders", R"([{"$explode":1}])"},
           {"write", shop.url(), "orders", "1", "{"},
           {"write", shop.url(), "orders", "1", "[1]"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.code, 2) << arguments.back() << ": " << result.err;
    EXPECT_TRUE(is_one_line(result.err)) << result.err;
  }
}

TEST(Usage, PrintsTheCompletionScriptThatBashAccepts) {
  const Result result = run({"completion", "bash"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.out.find("complete -F _ustream ustream"), std::string::npos);
  const Shop shop;
  FILE* script = std::fopen(shop.file("ustream.bash").c_str(), "w");
  ASSERT_NE(script, nullptr);
  std::fputs(result.out.c_str(), script);
  std::fclose(script);
  EXPECT_EQ(std::system(("bash -n " + shop.file("ustream.bash")).c_str()), 0);
}

}  // namespace
}  // namespace ustream::e2e
