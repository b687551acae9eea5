// Row images made by hand: where they end, what of them cannot be read, and values in them.
#include "connectors/mysql/row_codec.hpp"

#include <gtest/gtest.h>

#include "ustream/json.hpp"

namespace ustream {
namespace {

using mysql::BinlogColumn;
using mysql::BinlogRowCodec;
using mysql::ColumnType;

BinlogColumn column(std::string name, ColumnType type, std::uint16_t meta = 0) {
  BinlogColumn made;
  made.name = std::move(name);
  made.type = type;
  made.meta = meta;
  return made;
}

mysql::TableMapPtr table_of(std::vector<BinlogColumn> columns) {
  auto table = std::make_shared<mysql::TableMap>();
  table->database = "d";
  table->table = "t";
  table->columns = std::move(columns);
  table->schema = mysql::schema_of(*table, {0});
  return table;
}

Document document(const BinlogRowCodec& codec, std::string_view image) {
  return {nullptr, &codec, std::as_bytes(std::span<const char>(image))};
}

/// id INT, name VARCHAR(10), n TINYINT, text TEXT, last SMALLINT.
mysql::TableMapPtr five_columns() {
  return table_of({column("id", ColumnType::integer), column("name", ColumnType::varchar, 40),
                   column("n", ColumnType::tiny), column("text", ColumnType::blob, 2),
                   column("last", ColumnType::small)});
}

TEST(BinlogRowCodec, FindsTheEndAndEachColumnWhateverIsNull) {
  const BinlogRowCodec codec(five_columns(), "\x1f");
  const std::vector<std::string> values{std::string("\x07\0\0\0", 4),
                                        "\x03"
                                        "abc",
                                        "\xff", std::string("\x02\0xy", 4),
                                        std::string("\x09\x01", 2)};
  const std::vector<std::string> json{R"("id":7)", R"("name":"abc")", R"("n":-1)", R"("text":"xy")",
                                      R"("last":265)"};
  for (unsigned nulls = 0; nulls < 32; ++nulls) {
    std::string image(1, static_cast<char>(nulls));
    std::string expected;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool is_null = (nulls >> i & 1U) != 0;
      image += is_null ? "" : values[i];
      expected += (i == 0 ? "{" : ",") +
                  (is_null ? json[i].substr(0, json[i].find(':') + 1) + "null" : json[i]);
    }
    expected += "}";
    const std::string longer = image + "more";
    const auto found = codec.image(longer);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, image);
    EXPECT_EQ(document(codec, image).to_json(), expected);
    Scratch scratch;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::string one = "\"" + std::string(codec.field_name({}, i)) + "\":";
      write_json(one, *document(codec, image).field(i, scratch));
      EXPECT_NE(expected.find(one), std::string::npos) << one;
      EXPECT_EQ(codec.place(image, i).is_null, (nulls >> i & 1U) != 0);
    }
    for (std::size_t size = 0; size < image.size(); ++size) {
      EXPECT_FALSE(codec.image(std::string_view(image).substr(0, size))) << nulls << " " << size;
      EXPECT_FALSE(codec.image_and_check(std::string_view(image).substr(0, size)));
    }
  }
}

TEST(BinlogRowCodec, LeavesColumnsOutThatWereNotSent) {
  const BinlogRowCodec codec(five_columns(), "\x12");  // name and last
  const std::string image("\0\x01z\x02\0", 5);
  EXPECT_EQ(codec.image(image), image);
  EXPECT_EQ(document(codec, image).to_json(), R"({"name":"z","last":2})");
  EXPECT_EQ(document(codec, image).get("id"), std::nullopt);
  EXPECT_EQ(document(codec, image).get("none"), std::nullopt);
  EXPECT_FALSE(codec.place(image, 0).is_present);
}

TEST(BinlogRowCodec, WalksTablesOfHundredsOfColumns) {
  std::vector<BinlogColumn> columns;
  std::string present;
  std::string nulls(25, '\0');
  std::string values;
  for (std::size_t i = 0; i < 200; ++i) {
    columns.push_back(i % 50 == 49 ? column("c" + std::to_string(i), ColumnType::varchar, 300)
                                   : column("c" + std::to_string(i), ColumnType::tiny));
    if (i % 3 == 1) {
      nulls[i / 8] = static_cast<char>(nulls[i / 8] | 1 << i % 8);
    } else if (i % 50 == 49) {
      values += std::string("\x01\0v", 3);
    } else {
      values += static_cast<char>(i % 100);
    }
  }
  const BinlogRowCodec codec(table_of(columns), std::string(25, '\xff'));
  const std::string image = nulls + values;
  ASSERT_EQ(codec.image(image + "x"), image);
  for (std::size_t i = 0; i < 200; ++i) {
    const Value expected = i % 3 == 1     ? Value()
                           : i % 50 == 49 ? Value("v")
                                          : Value(static_cast<int>(i % 100));
    EXPECT_EQ(document(codec, image).get("c" + std::to_string(i)), expected) << i;
  }
}

TEST(BinlogRowCodec, SaysWhichColumnCannotBeDecoded) {
  auto columns = five_columns()->columns;
  columns[2] = column("state", ColumnType::enumeration, 1);
  columns[2].labels = {"a", "b"};
  const BinlogRowCodec codec(table_of(columns), "\x1f");
  const auto why = [&](std::string_view name, char state, std::string_view text) {
    std::string image("\0\x07\0\0\0", 5);
    image += static_cast<char>(name.size());
    image += name;
    image += state;
    image += static_cast<char>(text.size());
    image += '\0';
    image += text;
    image += std::string(2, '\0');
    const auto checked = codec.image_and_check(image);
    EXPECT_TRUE(checked && checked->bytes == image);
    EXPECT_EQ(checked->undecodable(), codec.undecodable(image));
    return checked->undecodable();
  };
  EXPECT_EQ(why("ä", 2, "€"), "");
  EXPECT_EQ(why("a\xff", 2, ""), "column 'name' is not valid text of its character set");
  EXPECT_EQ(why("a", 3, ""), "column 'state' has a number beyond its ENUM's labels");
  EXPECT_EQ(why("a", 0, "0123456789abcdef0123456789abcdef\xc3"),
            "column 'text' is not valid text of its character set");
}

TEST(BinlogRowCodec, RefusesTypesWhoseSizeMakesNoSense) {
  for (const BinlogColumn& bad :
       {column("a", ColumnType::blob, 9), column("a", ColumnType::decimal, 5U << 8U | 6U),
        column("a", ColumnType::datetime2, 7), column("a", ColumnType::json, 0)}) {
    const BinlogRowCodec codec(table_of({bad}), "\x01");
    EXPECT_FALSE(codec.image(std::string(1000, '\0')));
    EXPECT_EQ(codec.image(std::string("\x01", 1)), std::string("\x01", 1));  // null has no size
  }
}

TEST(DecimalLayout, RefusesGroupsWithMoreDigitsThanTheyMay) {
  const mysql::DecimalLayout layout(12, 2);
  ASSERT_EQ(layout.size(), 6U);
  std::array<char, mysql::DecimalLayout::kMaxText> text{};
  const auto read = [&](const std::string& bytes) -> std::string {
    if (!layout.is_valid(bytes.data())) {
      return "none";
    }
    return {text.data(), layout.write(text.data(), bytes.data())};
  };
  EXPECT_EQ(read(std::string("\x81\x0d\xfb\x38\xd2\x38", 6)), "1234567890.56");
  EXPECT_EQ(read(std::string("\x7e\xf2\x04\xc7\x2d\xc7", 6)), "-1234567890.56");
  EXPECT_EQ(read(std::string("\x80\0\0\0\0\x05", 6)), "0.05");
  EXPECT_EQ(read(std::string("\x80\0\0\0\0\x64", 6)), "none");  // 100 hundredths
  EXPECT_EQ(read(std::string("\x8a\0\0\0\0\0", 6)), "none");
  EXPECT_FALSE(mysql::DecimalLayout(0, 0).ok());
  EXPECT_FALSE(mysql::DecimalLayout(5, 6).ok());
}

}  // namespace
}  // namespace ustream
