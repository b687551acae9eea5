// The MySQL connector under the conformance suite, on a real MariaDB server. The foreign writer is
// a connection of its own, without ustream's session settings.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <mysql.h>

#include "ustream/testing/conformance.hpp"

#include "mariadb_database.hpp"

namespace ustream::test {
namespace {

using testing::ConformanceFixture;
using testing::ForeignWrite;

/// Stands where no server can be started: it offers nothing, so the suite skips its tests and says
/// whose facets are missing.
class MissingServer final : public BaseConnector {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return reason_; }
  void open() override {}
  void close() noexcept override {}
  void ping() override {}
  [[nodiscard]] std::vector<DoctorCheck> doctor() override { return {}; }
  std::vector<std::string> uninstall() override { return {}; }

 private:
  std::string reason_ = "mysql (" + MariadbServer::missing() + ")";
};

class MariadbFixture final : public ConformanceFixture {
 public:
  MariadbFixture() {
    if (!MariadbServer::missing().empty()) {
      return;
    }
    database_.emplace();
    const MariadbServer& server = MariadbDatabase::server();
    connection_.reset(mysql_init(nullptr));
    mysql_optionsv(connection_.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection_.get(), "127.0.0.1", MariadbServer::kUser,
                           MariadbServer::kPassword, database_->name().c_str(), server.port(),
                           nullptr, 0) == nullptr) {
      throw std::runtime_error(mysql_error(connection_.get()));
    }
    // The suite writes a row with the key 0.
    execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')");
  }

  [[nodiscard]] std::string name() const override { return "mysql"; }
  [[nodiscard]] std::unique_ptr<BaseConnector> make_connector() override {
    if (!database_) {
      return std::make_unique<MissingServer>();
    }
    return builtin_connectors().create(SourceConfig::from_url(database_->url()));
  }
  void create_collection(const std::string& collection) override {
    execute("CREATE TABLE " + collection +
            "(id BIGINT PRIMARY KEY AUTO_INCREMENT, name LONGTEXT, n BIGINT, amount DOUBLE, data "
            "LONGBLOB)");
  }
  void drop_collection(const std::string& collection) override {
    execute("DROP TABLE IF EXISTS " + collection);
  }
  void foreign_write(const std::string& collection,
                     const std::vector<ForeignWrite>& writes) override {
    if (!connection_) {
      return;
    }
    execute("START TRANSACTION");
    for (const ForeignWrite& write : writes) {
      execute(statement(collection, write));
    }
    execute("COMMIT");
  }

 private:
  struct Close {
    void operator()(MYSQL* connection) const noexcept { mysql_close(connection); }
  };

  [[nodiscard]] std::string statement(const std::string& collection, const ForeignWrite& write) {
    const std::string id = std::to_string(write.id);
    if (write.kind == ForeignWrite::Kind::remove) {
      return "DELETE FROM " + collection + " WHERE id=" + id;
    }
    std::string set;
    for (const Member& field : write.fields) {
      set += (set.empty() ? "" : ",") + field.name + "=" + literal(field.value);
    }
    if (write.kind == ForeignWrite::Kind::update) {
      return "UPDATE " + collection + " SET " + set + " WHERE id=" + id;
    }
    return "INSERT INTO " + collection + " SET id=" + id + (set.empty() ? "" : "," + set);
  }

  [[nodiscard]] std::string literal(const Value& value) {
    const auto quoted = [&](const std::string& bytes) {
      std::string text(bytes.size() * 2 + 1, '\0');
      text.resize(
          mysql_real_escape_string(connection_.get(), text.data(), bytes.data(), bytes.size()));
      return "'" + text + "'";
    };
    if (const auto* text = value.get_if<std::string>()) {
      return quoted(*text);
    }
    if (const auto* bytes = value.get_if<Bytes>()) {
      return "_binary" + quoted(bytes->data);
    }
    return value.is_null() ? "NULL" : to_json(value);
  }

  void execute(const std::string& sql) {
    if (connection_ && mysql_real_query(connection_.get(), sql.data(), sql.size()) != 0) {
      throw std::runtime_error(sql.substr(0, 200) + ": " + mysql_error(connection_.get()));
    }
  }

  std::optional<MariadbDatabase> database_;
  std::unique_ptr<MYSQL, Close> connection_;
};

}  // namespace
}  // namespace ustream::test

USTREAM_CONFORMANCE(MariaDb, ustream::test::MariadbFixture);
