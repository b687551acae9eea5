// What the tests of binlog values share: the rows of binlog files, as documents.
#pragma once

#include <string>
#include <vector>

#include "ustream/change.hpp"
#include "ustream/error.hpp"

#include "connectors/mysql/binlog_file.hpp"
#include "connectors/mysql/row_codec.hpp"
#include "sql_server.hpp"

namespace ustream::test {

struct BinlogRows {
  std::vector<Change> changes;
  std::vector<std::string> quarantined;  ///< reasons
  std::string error;

  /// The rows of one table, in order, by what they became.
  [[nodiscard]] std::vector<Document> of(const std::string& collection) const {
    std::vector<Document> rows;
    for (const Change& change : changes) {
      if (change.after && change.collection() == collection) {
        rows.push_back(change.after);
      }
    }
    return rows;
  }
};

inline BinlogRows read_rows(const std::vector<std::string>& files) {
  BinlogRows rows;
  mysql::BinlogFileReader reader([&](const ChangeBatchPtr& batch) {
    rows.changes.insert(rows.changes.end(), batch->changes.begin(), batch->changes.end());
    for (const Notice& notice : batch->notices) {
      const auto& quarantine = std::get<Quarantine>(notice.what);
      rows.quarantined.push_back(quarantine.collection + ": " + quarantine.reason);
    }
  });
  try {
    reader.read(files);
  } catch (const Error& error) {
    rows.error = error.what();
  }
  return rows;
}

/// The closed binlog files of what `statements` did in a database "d" that is made for them.
inline std::vector<std::string> log_of(const SqlServer& server, const std::string& statements) {
  server.sql("CREATE DATABASE d");
  const std::size_t before = server.close_binlog().size();
  server.sql("USE d; " + statements);
  std::vector<std::string> files = server.close_binlog();
  files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(before));
  return files;
}

/// The lines that the server prints.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

/// The bytes that HEX() printed.
inline std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace ustream::test
