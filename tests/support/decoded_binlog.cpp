#include "decoded_binlog.hpp"

#include <cstddef>
#include <variant>

#include "ustream/error.hpp"

namespace ustream::test {
namespace {

std::string line_of(const Change& change) {
  std::string text(to_string(change.op));
  text += " " + change.collection();
  if (const auto key = change.key_text()) {
    text += " " + *key;
  }
  text += change.after ? " " + change.after.to_json() : "";
  text += change.before ? " <- " + change.before.to_json() : "";
  return text + " (" + std::to_string(change.transaction.seq) +
         (change.transaction.last ? ", last)" : ")");
}

}  // namespace

DecodedBinlog decode_binlog(const std::vector<std::string>& files) {
  DecodedBinlog decoded;
  mysql::BinlogFileReader reader([&](const ChangeBatchPtr& batch) {
    auto notice = batch->notices.begin();
    for (std::size_t i = 0; i <= batch->changes.size(); ++i) {
      for (; notice != batch->notices.end() && notice->index == i; ++notice) {
        const auto& quarantine = std::get<Quarantine>(notice->what);
        decoded.lines.push_back("quarantine " + quarantine.collection + ": " + quarantine.reason);
      }
      if (i < batch->changes.size()) {
        decoded.lines.push_back(line_of(batch->changes[i]));
        decoded.changes.push_back(batch->changes[i]);
      }
    }
  });
  try {
    reader.read(files);
  } catch (const Error& error) {
    decoded.error = error.what();
  }
  decoded.report = reader.report();
  return decoded;
}

std::vector<std::string> binlog_of(const SqlServer& server, const std::string& statements) {
  server.sql("CREATE DATABASE d");
  const std::size_t before = server.close_binlog().size();
  server.sql("USE d; " + statements);
  std::vector<std::string> files = server.close_binlog();
  files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(before));
  return files;
}

}  // namespace ustream::test
