#include "connectors/sqlite/doctor.hpp"

#include <filesystem>

#include <unistd.h>

#include "connectors/sqlite/capture.hpp"
#include "connectors/sqlite/catalog.hpp"
#include "connectors/sqlite/file_watch.hpp"

namespace ustream::sqlite {
namespace {

using Status = DoctorCheck::Status;

void check_tables(Database& database, std::vector<DoctorCheck>& checks) {
  Catalog catalog;
  for (const std::string& name : Catalog::names(database)) {
    const TablePtr table = catalog.find(database, name);
    if (!table) {
      continue;
    }
    if (!table->schema->has_key()) {
      checks.push_back(
          {"table " + name, Status::warning, "no primary key",
           "its changes have no key and cannot be read or written by key; add a primary key"});
    }
    if (table->has_partial_unique) {
      checks.push_back(
          {"table " + name, Status::warning, "a unique index that is partial or on an expression",
           "rows that a REPLACE evicts by this index are told only when the writer has PRAGMA "
           "recursive_triggers = ON"});
    }
  }
}

void check_capture(Database& database, std::vector<DoctorCheck>& checks) {
  Catalog catalog;
  if (!catalog.has_log(database)) {
    checks.push_back({"capture", Status::ok, "not installed", "the first watch installs it"});
    return;
  }
  const LogState state = read_log_state(database);
  const std::int64_t rows = state.first == 0 ? 0 : state.last - state.first + 1;
  checks.push_back({"capture", Status::ok, "installed, " + std::to_string(rows) + " log rows", ""});
}

void check_file(const Options& options, Database& database, std::vector<DoctorCheck>& checks) {
  const std::filesystem::path directory = std::filesystem::absolute(options.path).parent_path();
  const bool writable = !database.read_only() && ::access(options.path.c_str(), W_OK) == 0 &&
                        ::access(directory.c_str(), W_OK) == 0;
  checks.push_back(
      {"writable", writable ? Status::ok : Status::failed, writable ? "yes" : "no",
       writable
           ? ""
           : "make the file and its directory writable: changes are captured inside the database"});
  const std::string mode = database.query_text("PRAGMA main.journal_mode");
  const bool wal = mode == "wal";
  checks.push_back({"journal_mode", wal ? Status::ok : Status::warning, mode,
                    wal ? ""
                        : "the first watch switches it to wal, which is lasting; `ustream "
                          "uninstall` undoes it"});
  const std::string integrity = database.query_text("PRAGMA quick_check(1)");
  checks.push_back({"integrity", integrity == "ok" ? Status::ok : Status::failed, integrity,
                    integrity == "ok"
                        ? ""
                        : "restore the file from a backup, or try .recover of the sqlite3 shell"});
  const FileWatch files(options.path);
  checks.push_back(
      {"file watch", files.watching() ? Status::ok : Status::warning,
       files.watching() ? "inotify" : "none",
       files.watching()
           ? ""
           : "raise fs.inotify.max_user_watches: without it changes are found by polling"});
}

}  // namespace

std::vector<DoctorCheck> examine(const Options& options) {
  std::vector<DoctorCheck> checks;
  const int version = sqlite3_libversion_number();
  // RETURNING came with 3.35, which writes without a key need.
  const bool recent = version >= 3'035'000;
  checks.push_back({"sqlite library", recent ? Status::ok : Status::failed, sqlite3_libversion(),
                    recent ? "" : "SQLite 3.35 or later is needed"});
  try {
    Database database(options.path, options.access, options.busy_timeout);
    (void)database.query_int64("PRAGMA main.schema_version");
    (void)database.query_int64("SELECT count(*) FROM sqlite_schema");
    checks.push_back({"reachable", Status::ok, options.path, ""});
    check_file(options, database, checks);
    check_tables(database, checks);
    check_capture(database, checks);
  } catch (const Error& error) {
    checks.push_back({"reachable", Status::failed,
                      error.detail().empty() ? options.path : error.detail(), error.what()});
  }
  return checks;
}

}  // namespace ustream::sqlite
