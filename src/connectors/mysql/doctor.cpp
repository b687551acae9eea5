#include "connectors/mysql/doctor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "ustream/error.hpp"

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/client.hpp"

namespace ustream::mysql {
namespace {

using Status = DoctorCheck::Status;

/// One examination: its connection, and what it found so far.
class Examination {
 public:
  explicit Examination(const Options& options) : options_(options) {}

  std::vector<DoctorCheck> run() {
    try {
      client_.emplace(options_);
    } catch (const Error& error) {
      add("reachable", Status::failed, error.detail().empty() ? options_.display() : error.detail(),
          error.what());
      return std::move(checks_);
    }
    add("reachable", Status::ok, options_.display());
    step("version", &Examination::check_version);
    step("log_bin", &Examination::check_binlog);
    step("gtid", &Examination::check_gtid);
    step("privileges", &Examination::check_privileges);
    step("server_id", &Examination::check_server_id);
    step("retention", &Examination::check_retention);
    step("binlog filters", &Examination::check_filters);
    step("clock", &Examination::check_clock);
    step("tables", &Examination::check_tables);
    return std::move(checks_);
  }

 private:
  void add(std::string check, Status status, std::string found, std::string fix = {}) {
    checks_.push_back({std::move(check), status, std::move(found), std::move(fix)});
  }
  void verdict(const char* check, bool good, Status otherwise, std::string found, const char* fix) {
    add(check, good ? Status::ok : otherwise, std::move(found), good ? "" : fix);
  }
  /// What a check may not ask is a finding, too.
  void step(const char* name, void (Examination::*check)()) {
    try {
      (this->*check)();
    } catch (const Error& error) {
      add(name, Status::warning, error.detail().empty() ? error.what() : error.detail(),
          "the check could not be made: " + std::string(error.what()));
    }
  }
  /// A global variable; empty when this server has none of that name.
  std::string variable(const char* name) {
    const TextRows rows = client_->query("SHOW GLOBAL VARIABLES LIKE " + quote_literal(name));
    return rows.empty() ? std::string() : rows.front().at(1).value_or(std::string());
  }
  [[nodiscard]] bool is_mariadb() const { return client_->server().is_mariadb; }

  void check_version() {
    const ServerInfo& server = client_->server();
    // MariaDB tells its numbers with 10.0 and later as 100000, MySQL 5.7 as 50700.
    const std::uint32_t oldest = server.is_mariadb ? 100'500U : 50'700U;
    verdict("version", server.version >= oldest, Status::failed,
            (server.is_mariadb ? "MariaDB " : "MySQL ") + server.version_text,
            "MariaDB 10.5 or MySQL 5.7 and later are supported; upgrade the server");
    add("tls", Status::ok,
        mysql_get_ssl_cipher(client_->handle()) == nullptr
            ? "not encrypted"
            : std::string("encrypted: ") + mysql_get_ssl_cipher(client_->handle()));
  }

  void check_binlog() {
    const std::string log = variable("log_bin");
    verdict("log_bin", log == "ON", Status::failed, log,
            "without a binlog no change is told; set log_bin in the server's configuration and "
            "restart it");
    if (log != "ON") {
      return;
    }
    const std::string format = variable("binlog_format");
    verdict("binlog_format", format == "ROW" || format.empty(), Status::failed,
            format.empty() ? "ROW" : format,
            "rows are logged with ROW only; SET GLOBAL binlog_format=ROW and in the configuration, "
            "then have the applications reconnect");
    const std::string image = variable("binlog_row_image");
    verdict("binlog_row_image", image == "FULL" || image.empty(), Status::warning,
            image.empty() ? "FULL" : image,
            "changes lack the columns that a statement did not touch; SET GLOBAL "
            "binlog_row_image=FULL and in the configuration");
    const std::string metadata = variable("binlog_row_metadata");
    verdict("binlog_row_metadata", metadata == "FULL", Status::warning,
            metadata.empty() ? "not known to this server" : metadata,
            "columns are named by the table as it is now, which is wrong for changes of before an "
            "ALTER TABLE; SET GLOBAL binlog_row_metadata=FULL and in the configuration (MySQL 8, "
            "MariaDB 10.5)");
  }

  void check_gtid() {
    if (is_mariadb()) {
      const auto position = client_->query_value("SELECT @@GLOBAL.gtid_binlog_pos");
      add("gtid", Status::ok, position.value_or(std::string()));
      return;
    }
    const std::string mode = variable("gtid_mode");
    verdict("gtid", mode == "ON", Status::warning, mode,
            "positions are file names and offsets, which end with a failover; set "
            "enforce_gtid_consistency=ON and gtid_mode=ON");
  }

  /// Whether the account has one of these, by its own grants on everything, or (where that is
  /// enough) on the database.
  [[nodiscard]] bool is_granted(std::initializer_list<std::string_view> names,
                                bool on_database) const {
    const std::string database = " ON " + quote_identifier(options_.database) + ".*";
    return std::any_of(grants_.begin(), grants_.end(), [&](const std::string& grant) {
      const std::size_t on = grant.find(" ON ");
      if (on == std::string::npos) {
        return false;
      }
      const std::string_view place = std::string_view(grant).substr(on);
      if (!place.starts_with(" ON *.*") && !(on_database && place.starts_with(database))) {
        return false;
      }
      // "GRANT SELECT, REPLICATION SLAVE ADMIN": a name ends with a comma or the list.
      const std::string what = grant.substr(0, on) + ",";
      return what.find("ALL PRIVILEGES") != std::string::npos ||
             std::any_of(names.begin(), names.end(), [&](std::string_view name) {
               return what.find(" " + std::string(name) + ",") != std::string::npos;
             });
    });
  }

  void check_privileges() {
    for (const TextRow& row : client_->query("SHOW GRANTS")) {
      grants_.push_back(row.at(0).value_or(std::string()));
    }
    struct Need {
      const char* name;
      std::initializer_list<std::string_view> any_of;
      bool on_database;
      Status otherwise;
      const char* why;
    };
    const std::array<Need, 5> needs{
        Need{"REPLICATION SLAVE",
             {"REPLICATION SLAVE", "REPLICATION REPLICA"},
             false,
             Status::failed,
             "to read the binlog: GRANT REPLICATION SLAVE ON *.* TO the user"},
        Need{is_mariadb() ? "BINLOG MONITOR" : "REPLICATION CLIENT",
             {"BINLOG MONITOR", "REPLICATION CLIENT"},
             false,
             Status::failed,
             is_mariadb()
                 ? "to ask where the binlog stands: GRANT BINLOG MONITOR ON *.* TO the user"
                 : "to ask where the binlog stands: GRANT REPLICATION CLIENT ON *.* TO "
                   "the user"},
        Need{"SELECT",
             {"SELECT"},
             true,
             Status::warning,
             "to read rows and snapshots: GRANT SELECT on the database to the user"},
        Need{"LOCK TABLES",
             {"LOCK TABLES"},
             true,
             Status::warning,
             "for snapshots where FLUSH TABLES is not allowed: GRANT LOCK TABLES on the database "
             "to the user"},
        Need{"INSERT, UPDATE, DELETE",
             {"INSERT", "UPDATE", "DELETE"},
             true,
             Status::warning,
             "to write: GRANT INSERT, UPDATE, DELETE on the database to the user"}};
    for (const Need& need : needs) {
      const bool granted = is_granted(need.any_of, need.on_database);
      add(std::string("privilege ") + need.name, granted ? Status::ok : need.otherwise,
          granted ? "granted" : "not found among the account's own grants",
          granted ? "" : need.why);
    }
  }

  void check_server_id() {
    const std::string id = variable("server_id");
    verdict("server_id", id != "0" && !id.empty(), Status::failed, id,
            "a server without a number sends no binlog; set server_id in its configuration");
    if (options_.server_id != 0 && id == std::to_string(options_.server_id)) {
      add("own server_id", Status::failed, id,
          "it is the server's own; choose another with ?server_id=");
    }
  }

  void check_retention() {
    std::string seconds = variable("binlog_expire_logs_seconds");
    if (seconds.empty() || seconds == "0") {
      const std::string days = variable("expire_logs_days");
      const double kept = std::strtod(days.c_str(), nullptr) * 86'400;
      seconds = std::to_string(static_cast<long long>(kept));
    }
    const long long kept = std::strtoll(seconds.c_str(), nullptr, 10);
    constexpr long long kDay = 86'400;
    verdict("retention", kept == 0 || kept >= kDay, Status::warning,
            kept == 0 ? "for ever" : seconds + " s",
            "who is away for longer must take a new snapshot; raise "
            "binlog_expire_logs_seconds");
  }

  void check_filters() {
    const TextRows rows = client_->query(is_mariadb() || client_->server().version < 80'400
                                             ? "SHOW MASTER STATUS"
                                             : "SHOW BINARY LOG STATUS");
    if (rows.empty()) {
      return;
    }
    const std::string only = rows.front().at(2).value_or(std::string());
    const std::string never = rows.front().at(3).value_or(std::string());
    const auto lists = [&](const std::string& names) {
      return ("," + names + ",").find("," + options_.database + ",") != std::string::npos;
    };
    const bool logged = (only.empty() || lists(only)) && !lists(never);
    const std::string found = only.empty() && never.empty()
                                  ? "none"
                                  : "binlog_do_db=" + only + " binlog_ignore_db=" + never;
    verdict("binlog filters", logged, Status::failed, found,
            "the server does not log this database; mend binlog_do_db and binlog_ignore_db");
  }

  void check_clock() {
    using std::chrono::microseconds;
    const auto now = [] {
      return std::chrono::duration_cast<microseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
          .count();
    };
    const long long before = now();
    const auto told =
        client_->query_value("SELECT CAST(UNIX_TIMESTAMP(NOW(6))*1000000 AS DECIMAL(20,0))");
    const long long here = (before + now()) / 2;
    const long long there = std::strtoll(told.value_or("0").c_str(), nullptr, 10);
    const long long apart = (there - here) / 1000;
    constexpr long long kTolerated = 1000;
    verdict("clock", apart <= kTolerated && apart >= -kTolerated, Status::warning,
            std::to_string(apart) + " ms ahead of this machine",
            "times of changes and measured delays are off by this; let NTP set both clocks");
  }

  void check_tables() {
    for (const TextRow& row : client_->query(
             "SELECT TABLE_NAME FROM information_schema.TABLES AS t WHERE "
             "TABLE_SCHEMA=DATABASE() AND TABLE_TYPE IN ('BASE TABLE','SYSTEM VERSIONED') AND NOT "
             "EXISTS (SELECT 1 FROM information_schema.STATISTICS AS s WHERE "
             "s.TABLE_SCHEMA=t.TABLE_SCHEMA AND s.TABLE_NAME=t.TABLE_NAME AND "
             "s.INDEX_NAME='PRIMARY') ORDER BY TABLE_NAME")) {
      add("table " + row.at(0).value_or(std::string()), Status::warning, "no primary key",
          "its changes have no key and cannot be read or written by key; add a primary key");
    }
  }

  const Options& options_;
  std::optional<Client> client_;
  std::vector<DoctorCheck> checks_;
  std::vector<std::string> grants_;
};

}  // namespace

std::vector<DoctorCheck> examine(const Options& options) {
  return Examination(options).run();
}

}  // namespace ustream::mysql
