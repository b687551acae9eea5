#include "ustream/document.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ustream/error.hpp"

namespace ustream {
namespace {

Value::Object order() {
  return {{"id", 42}, {"note", "a \"b\""}, {"gone", nullptr}, {"tags", Value::Array{"x", 1.5}}};
}

TEST(Document, none_has_no_fields) {
  const Document none;
  Scratch scratch;
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(none.field_count(), 0U);
  EXPECT_EQ(none.get("id"), std::nullopt);
  EXPECT_EQ(none.view("id", scratch), std::nullopt);
  EXPECT_TRUE(none.to_object().empty());
}

TEST(Document, of_an_object_gives_its_fields) {
  const Document document(order());
  EXPECT_EQ(document.field_count(), 4U);
  EXPECT_EQ(document.field_name(1), "note");
  EXPECT_EQ(document.get("id"), Value(42));
  EXPECT_EQ(document.get("gone"), Value(nullptr)) << "null is a value";
  EXPECT_EQ(document.get("absent"), std::nullopt);
  EXPECT_EQ(document.to_object(), order());
}

TEST(Document, copies_share_the_row_and_outlive_the_first) {
  auto first = std::make_unique<Document>(order());
  const Document copy = *first;
  EXPECT_EQ(copy.raw().data(), first->raw().data());
  first.reset();
  EXPECT_EQ(copy.get("note"), Value("a \"b\""));
}

TEST(Document, writes_json_of_all_or_of_chosen_fields) {
  const Document document(order());
  EXPECT_EQ(document.to_json(), R"({"id":42,"note":"a \"b\"","gone":null,"tags":["x",1.5]})");
  const std::vector<std::string> fields = {"tags", "id", "unknown"};
  std::string out = "x";
  document.write_json(out, fields);
  EXPECT_EQ(out, R"(x{"id":42,"tags":["x",1.5]})");
  EXPECT_EQ(Document(Value::Object{}).to_json(), "{}");
}

TEST(Scratch, what_is_kept_stays_where_it_is) {
  Scratch scratch;
  std::vector<std::string_view> views;
  views.reserve(100);
  for (int i = 0; i < 100; ++i) {
    views.push_back(scratch.keep(std::string_view(std::to_string(i))));
  }
  const Value& value = scratch.keep(Value("kept"));
  EXPECT_EQ(views[57], "57");
  EXPECT_EQ(value, Value("kept"));
}

TEST(Scratch, holds_texts_of_any_size_until_it_is_cleared) {
  Scratch scratch;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<std::string, std::string_view>> kept;
    for (std::size_t size : {0U, 1U, 200U, 300U, 4096U, 5000U, 70'000U, 1'000'000U, 17U}) {
      std::string text(size, static_cast<char>('a' + kept.size()));
      const std::string_view view = scratch.keep(std::string_view(text));
      kept.emplace_back(std::move(text), view);
    }
    std::string& first = scratch.text();
    std::string& second = scratch.text();
    EXPECT_TRUE(first.empty() && second.empty());
    first = "first";
    second = std::string(100'000, 's');
    EXPECT_EQ(first, "first");
    for (const auto& [text, view] : kept) {
      EXPECT_TRUE(text == view) << text.size();
    }
    scratch.clear();
  }
}

/// Raw bytes "a=1;b;": b is absent.
class AbsentCodec final : public DocumentCodec {
 public:
  [[nodiscard]] std::size_t field_count(std::span<const std::byte>) const override { return 2; }
  [[nodiscard]] std::string_view field_name(std::span<const std::byte>,
                                            std::size_t index) const override {
    return index == 0 ? "a" : "b";
  }
  [[nodiscard]] std::optional<std::size_t> find(std::span<const std::byte> raw,
                                                std::string_view name) const override {
    for (std::size_t i = 0; i < 2; ++i) {
      if (field_name(raw, i) == name) {
        return i;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<ValueView> field(std::span<const std::byte>, std::size_t index,
                                               Scratch& scratch) const override {
    if (index == 1) {
      return std::nullopt;
    }
    return ValueView::of(scratch.keep(std::string_view("made")));
  }
};

TEST(Document, leaves_absent_fields_out) {
  const AbsentCodec codec;
  const Document document(nullptr, &codec, {});
  EXPECT_EQ(document.to_json(), R"({"a":"made"})");
  EXPECT_EQ(document.to_object(), (Value::Object{{"a", "made"}}));
  EXPECT_EQ(document.get("b"), std::nullopt);
}

}  // namespace
}  // namespace ustream
