// Every column type of MariaDB with a value at its edge, and the JSON that ustream tells for it.
#pragma once

#include <vector>

namespace ustream::test {

struct TypeCase {
  const char* type;
  const char* literal;  ///< SQL, in a session with sql_mode ALLOW_INVALID_DATES
  const char* json;
};

inline std::vector<TypeCase> mysql_type_cases() {
  return {
      {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
      {"YEAR", "2024", "2024"},
      {"YEAR", "0", "0"},
      {"TINYINT", "-128", "-128"},
      {"TINYINT UNSIGNED", "255", "255"},
      {"SMALLINT", "-32768", "-32768"},
      {"SMALLINT UNSIGNED", "65535", "65535"},
      {"MEDIUMINT", "-8388608", "-8388608"},
      {"MEDIUMINT UNSIGNED", "16777215", "16777215"},
      {"INT", "-2147483648", "-2147483648"},
      {"INT UNSIGNED", "4294967295", "4294967295"},
      {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
      {"DECIMAL(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890",
       R"("-12345678901234567890123456789012345.123456789012345678901234567890")"},
      {"DECIMAL(12,2)", "0.5", R"("0.50")"},
      {"DECIMAL(3,3)", "-0.001", R"("-0.001")"},
      {"DECIMAL(20)", "-1", R"("-1")"},
      {"FLOAT", "0.1", "0.1"},
      {"DOUBLE", "1e300", "1e+300"},
      {"BIT(1)", "b'1'", "1"},
      {"BIT(10)", "513", "513"},
      {"BIT(64)", "0xffffffffffffffff", "18446744073709551615"},
      {"CHAR(10)", "'ab  '", R"("ab")"},
      {"CHAR(255)", "'ä€😀'", R"("ä€😀")"},
      {"VARCHAR(300)", "'a\\0b'", R"("a\u0000b")"},
      {"BINARY(6)", "'a\\0'", R"("YQAAAAAA")"},
      {"VARBINARY(6)", "'b\\0'", R"("YgA=")"},
      {"TINYTEXT", "'t'", R"("t")"},
      {"LONGTEXT", "''", R"("")"},
      {"MEDIUMBLOB", "x'00ff'", R"("AP8=")"},
      {"VARCHAR(20) CHARACTER SET latin1", "'zoë€'", R"("zoë€")"},
      {"VARCHAR(20) CHARACTER SET ucs2", "'zoë'", R"("zoë")"},
      {"CHAR(5) CHARACTER SET utf16", "'a😀'", R"("a😀")"},
      {"TEXT CHARACTER SET utf32", "'a😀'", R"("a😀")"},
      {"VARCHAR(20) CHARACTER SET gbk", "'你好'", R"("你好")"},
      {"VARCHAR(20) CHARACTER SET sjis", "'日本'", R"("日本")"},
      {"VARCHAR(20) CHARACTER SET koi8r", "'мир'", R"("мир")"},
      {"VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", "'é'", R"("é")"},
      {"VARCHAR(20) CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci", "'é'", R"("é")"},
      {"ENUM('a','b','ü') CHARACTER SET latin1", "'ü'", R"("ü")"},
      {"ENUM('a','b')", "0", R"("")"},
      {"SET('x','y','z')", "'z,x'", R"(["x","z"])"},
      {"SET('x','y','z')", "''", "[]"},
      {"DATE", "'2024-02-29'", R"("2024-02-29")"},
      {"DATE", "'0000-00-00'", R"("0000-00-00")"},
      {"DATE", "'2024-00-00'", R"("2024-00-00")"},
      {"TIME", "'-838:59:59'", R"("-838:59:59")"},
      {"TIME(1)", "'-00:00:00.5'", R"("-00:00:00.5")"},
      {"TIME(3)", "'-01:02:03.004'", R"("-01:02:03.004")"},
      {"TIME(6)", "'-00:00:01.000001'", R"("-00:00:01.000001")"},
      {"TIME(6)", "'838:59:59.999999'", R"("838:59:59.999999")"},
      {"DATETIME", "'2024-02-29 23:59:59'", R"("2024-02-29T23:59:59")"},
      {"DATETIME(6)", "'1969-12-31 23:59:59.999999'", R"("1969-12-31T23:59:59.999999")"},
      {"DATETIME(1)", "'0000-00-00'", R"("0000-00-00 00:00:00.0")"},
      {"DATETIME", "'2024-02-31 10:00:00'", R"("2024-02-31 10:00:00")"},
      {"TIMESTAMP NULL", "'2024-01-02 03:04:05'", R"("2024-01-02T03:04:05.000000Z")"},
      {"TIMESTAMP(4) NULL", "'2024-01-02 03:04:05.6789'", R"("2024-01-02T03:04:05.678900Z")"},
      {"TIMESTAMP NULL", "0", R"("0000-00-00 00:00:00")"},
      {"JSON", R"('{"a":1}')", R"("{\"a\":1}")"},
      {"POINT", "ST_GeomFromText('POINT(1 2)')", R"("AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==")"},
      {"VARCHAR(1000) COMPRESSED", "REPEAT('ab', 20)",
       R"("abababababababababababababababababababab")"},
      {"BLOB COMPRESSED", "x'00'", R"("AA==")"},
      {"INT", "NULL", "null"},
  };
}

}  // namespace ustream::test
