#include "connectors/mysql/statement.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace ustream::mysql {
namespace {

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

/// Cuts a statement into words, quoted names and single signs; comments are passed over, and what a
/// comment has for the server to run is read.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  /// The next word in upper case, or a sign; empty at the end.
  std::string keyword() {
    std::string word = next();
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word;
  }
  /// Takes the next word when it is `word`.
  bool accept(std::string_view word) {
    const std::string_view before = rest_;
    if (keyword() == word) {
      return true;
    }
    rest_ = before;
    return false;
  }
  /// A name, quoted or not: its characters.
  std::string name() { return next(); }
  [[nodiscard]] std::string_view rest() {
    skip_space();
    return rest_;
  }

 private:
  void skip_space() {
    for (;;) {
      while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
        rest_.remove_prefix(1);
      }
      if (rest_.starts_with("/*!") || rest_.starts_with("/*M!")) {
        rest_.remove_prefix(rest_[2] == '!' ? 3 : 4);
        while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_.front())) != 0) {
          rest_.remove_prefix(1);
        }
      } else if (rest_.starts_with("/*")) {
        rest_.remove_prefix(std::min(rest_.find("*/", 2), rest_.size() - 2) + 2);
      } else if (rest_.starts_with("*/")) {
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("#") || rest_.starts_with("-- ")) {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else {
        return;
      }
    }
  }

  std::string next() {
    skip_space();
    if (rest_.empty()) {
      return {};
    }
    if (rest_.front() == '`' || rest_.front() == '"' || rest_.front() == '\'') {
      return quoted(rest_.front());
    }
    std::size_t size = 0;
    while (size < rest_.size() && is_word_byte(rest_[size])) {
      ++size;
    }
    return take(std::max<std::size_t>(size, 1));
  }

  std::string quoted(char quote) {
    std::string name;
    std::size_t at = 1;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '\\' && quote != '`' && at + 1 < rest_.size()) {
        name += rest_[++at];
        continue;
      }
      if (rest_[at] == quote && (at + 1 == rest_.size() || rest_[at + 1] != quote)) {
        break;
      }
      at += rest_[at] == quote ? 1 : 0;
      name += rest_[at];
    }
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return name;
  }

  std::string take(std::size_t size) {
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return word;
  }

  std::string_view rest_;
};

/// [database .] table
TableName table_name(Words& words, std::string_view database) {
  std::string first = words.name();
  if (words.accept(".")) {
    return {std::move(first), words.name()};
  }
  return {std::string(database), std::move(first)};
}

void skip_existence(Words& words) {
  if (words.accept("IF")) {
    words.accept("NOT");
    words.accept("EXISTS");
  }
}

constexpr std::array<std::string_view, 12> kModifiers{
    "OR",     "REPLACE",  "TEMPORARY", "ONLINE", "OFFLINE",   "IGNORE",
    "UNIQUE", "FULLTEXT", "SPATIAL",   "UNDO",   "INVISIBLE", "ALGORITHM"};

/// The tables that a definition names: one, or as many as DROP and RENAME have.
std::vector<TableName> table_names(Words& words, const std::string& verb,
                                   std::string_view database) {
  std::vector<TableName> names{table_name(words, database)};
  if (verb == "RENAME") {
    while (words.accept("TO")) {
      names.push_back(table_name(words, database));
      if (words.accept(",")) {
        names.push_back(table_name(words, database));
      }
    }
    return names;
  }
  while (verb == "DROP" && words.accept(",")) {
    names.push_back(table_name(words, database));
  }
  if (verb == "ALTER") {
    // ALTER TABLE a … RENAME [TO | AS] b: b has rows from here on.
    while (!words.rest().empty()) {
      if (words.accept("RENAME") && !words.accept("COLUMN") && !words.accept("INDEX") &&
          !words.accept("KEY")) {
        words.accept("TO");
        words.accept("AS");
        names.push_back(table_name(words, database));
      } else {
        (void)words.name();
      }
    }
  }
  return names;
}

/// After CREATE, ALTER, DROP or RENAME.
LoggedStatement definition(Words& words, const std::string& verb, std::string_view database) {
  bool is_temporary = false;
  for (int i = 0; i < 8; ++i) {
    const std::string word = words.keyword();
    if (word == "TABLE" || word == "TABLES") {
      skip_existence(words);
      // A temporary table is its session's own: its rows are never logged.
      return {.kind = is_temporary ? LoggedStatement::Kind::other : LoggedStatement::Kind::ddl,
              .tables = table_names(words, verb, database)};
    }
    if (word == "INDEX") {
      skip_existence(words);
      (void)words.name();
      while (!words.rest().empty() && !words.accept("ON")) {
        (void)words.name();
      }
      return {.kind = LoggedStatement::Kind::ddl, .tables = {table_name(words, database)}};
    }
    if (word == "DATABASE" || word == "SCHEMA") {
      skip_existence(words);
      return {.kind = LoggedStatement::Kind::ddl, .tables = {{words.name(), {}}}};
    }
    is_temporary = is_temporary || word == "TEMPORARY";
    if (std::find(kModifiers.begin(), kModifiers.end(), word) == kModifiers.end()) {
      break;  // a view, user, procedure, trigger, …
    }
  }
  return {};
}

std::string normal_xa_id(std::string_view text) {
  std::string id;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (!id.empty() && id.back() != ',') {
        break;  // ONE PHASE
      }
    } else {
      id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return id;
}

LoggedStatement xa(Words& words) {
  const std::string verb = words.keyword();
  if (verb == "START" || verb == "BEGIN") {
    return {.kind = LoggedStatement::Kind::xa_start, .xa_id = normal_xa_id(words.rest())};
  }
  if (verb == "COMMIT") {
    return {.kind = LoggedStatement::Kind::xa_commit, .xa_id = normal_xa_id(words.rest())};
  }
  if (verb == "ROLLBACK") {
    return {.kind = LoggedStatement::Kind::xa_rollback, .xa_id = normal_xa_id(words.rest())};
  }
  return {};  // END
}

constexpr std::array<std::string_view, 20> kOther{
    "GRANT",    "REVOKE", "FLUSH", "ANALYZE", "OPTIMIZE", "REPAIR",  "SAVEPOINT",
    "RELEASE",  "USE",    "LOCK",  "UNLOCK",  "KILL",     "INSTALL", "UNINSTALL",
    "CHECKSUM", "CHECK",  "RESET", "SHOW",    "DO",       "SHUTDOWN"};

}  // namespace

LoggedStatement parse_statement(std::string_view text, std::string_view database) {
  Words words(text);
  const std::string verb = words.keyword();
  if (verb == "BEGIN" || verb == "START") {
    return {.kind = LoggedStatement::Kind::begin};
  }
  if (verb == "COMMIT") {
    return {.kind = LoggedStatement::Kind::commit};
  }
  if (verb == "ROLLBACK") {
    return {.kind = words.rest().empty() ? LoggedStatement::Kind::commit
                                         : LoggedStatement::Kind::other};
  }
  if (verb == "XA") {
    return xa(words);
  }
  if (verb == "TRUNCATE") {
    words.accept("TABLE");
    return {.kind = LoggedStatement::Kind::truncate, .tables = {table_name(words, database)}};
  }
  if (verb == "CREATE" || verb == "ALTER" || verb == "DROP" || verb == "RENAME") {
    LoggedStatement statement = definition(words, verb, database);
    statement.begins_transaction = text.ends_with(" START TRANSACTION");
    return statement;
  }
  if (verb.empty() || verb == "SET" ||
      std::find(kOther.begin(), kOther.end(), verb) != kOther.end()) {
    return {};
  }
  return {.kind = LoggedStatement::Kind::rows};
}

std::string xa_id_text(std::string_view gtrid, std::string_view bqual, std::uint32_t format) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const std::string_view part : {gtrid, bqual}) {
    text += "x'";
    for (const char c : part) {
      text += kHex[static_cast<unsigned char>(c) >> 4U];
      text += kHex[static_cast<unsigned char>(c) & 15U];
    }
    text += "',";
  }
  return text + std::to_string(format);
}

}  // namespace ustream::mysql
