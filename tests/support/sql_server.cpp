#include "sql_server.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

namespace ustream::test {

void SqlServer::start_first(std::vector<std::string> command,
                            const std::vector<std::string>& options,
                            const std::string& identified) {
  command_ = std::move(command);
  for (const char* option :
       {"--bind-address=127.0.0.1", "--skip-name-resolve", "--default-time-zone=+00:00",
        "--character-set-server=utf8mb4", "--binlog-format=ROW", "--binlog-row-metadata=FULL",
        "--innodb-buffer-pool-size=32M",
        // Nobody pulls the plug on a test's server; its files survive its own death as they are.
        "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=OFF"}) {
    command_.emplace_back(option);
  }
  command_.push_back("--server-id=" + std::to_string(port_));
  command_.push_back("--relay-log=" + process_.path("data/relay"));
  command_.push_back("--datadir=" + process_.path("data"));
  command_.push_back("--log-bin=" + process_.path("data/bin"));
  command_.push_back("--socket=" + socket());
  command_.push_back("--pid-file=" + process_.path("pid"));
  // Servers side by side give their temporary files the same names.
  command_.push_back("--tmpdir=" + process_.folder().string());
  if (::geteuid() == 0) {
    command_.emplace_back("--user=root");
  }
  command_.insert(command_.end(), options.begin(), options.end());
  start();
  sql(std::string("SET sql_log_bin = 0; CREATE USER '") + kUser + "'@'%' " + identified + " BY '" +
      kPassword + "'; GRANT ALL ON *.* TO '" + kUser + "'@'%' WITH GRANT OPTION");
}

void SqlServer::start() {
  std::vector<std::string> words = command_;
  words.push_back("--port=" + std::to_string(port_));
  process_.start(words, [this] { return greets(socket()); });
}

std::string SqlServer::sql(const std::string& statements) const {
  std::vector<std::string> words = client_;
  for (const std::string& word : {std::string("--no-defaults"), std::string("--skip-column-names"),
                                  std::string("--default-character-set=utf8mb4"),
                                  std::string("--user=root"), "--socket=" + socket()}) {
    words.push_back(word);
  }
  return process_.run(words, statements);
}

std::string SqlServer::line_of(const std::string& statements) const {
  std::string line = sql(statements);
  if (line.ends_with('\n')) {
    line.pop_back();
  }
  return line;
}

std::vector<std::string> SqlServer::close_binlog() const {
  sql("FLUSH BINARY LOGS");
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(process_.path("data"))) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("bin.0")) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.pop_back();
  return paths;
}

std::string SqlServer::dump(const std::vector<std::string>& files) const {
  std::vector<std::string> words = dumper_;
  for (const char* word : {"--no-defaults", "-vv", "--base64-output=decode-rows"}) {
    words.emplace_back(word);
  }
  words.insert(words.end(), files.begin(), files.end());
  return process_.run(words);
}

std::string SqlServer::url(std::string_view database) const {
  return std::string("mysql://") + kUser + ":p%40ss%2Fword%3A1@127.0.0.1:" + std::to_string(port_) +
         "/" + std::string(database);
}

}  // namespace ustream::test
