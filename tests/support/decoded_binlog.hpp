// What the offline decoder makes of the binlog files that a server wrote.
#pragma once

#include <string>
#include <vector>

#include "ustream/change.hpp"

#include "connectors/mysql/binlog_file.hpp"
#include "sql_server.hpp"

namespace ustream::test {

struct DecodedBinlog {
  /// For people to read, in order: "c db.t 1 {after} <- {before} (seq, last)" for a change, with
  /// "1" as its key, and "quarantine db.t: reason".
  std::vector<std::string> lines;
  std::vector<Change> changes;
  std::string error;  ///< what the reader threw at the end
  mysql::DecodeReport report;
};

DecodedBinlog decode_binlog(const std::vector<std::string>& files);

/// Runs `statements` in a new database "d" and returns the files that hold nothing but what the
/// server logs of them.
std::vector<std::string> binlog_of(const SqlServer& server, const std::string& statements);

}  // namespace ustream::test
