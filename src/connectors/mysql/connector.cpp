#include "connectors/mysql/connector.hpp"

#include "base/log.hpp"
#include "connectors/mysql/change_source.hpp"
#include "connectors/mysql/data_facets.hpp"
#include "connectors/mysql/doctor.hpp"
#include "connectors/mysql/options.hpp"
#include "connectors/mysql/pool.hpp"
#include "connectors/mysql/snapshotter.hpp"

namespace ustream::mysql {
namespace {

class MysqlConnector final : public BaseConnector {
 public:
  explicit MysqlConnector(const SourceConfig& config)
      : options_(Options::from(config)), logger_(options_.log_level) {}
  ~MysqlConnector() override { MysqlConnector::close(); }

  [[nodiscard]] std::string_view name() const noexcept override { return "mysql"; }

  void open() override {
    close();
    pool_ = std::make_unique<ConnectionPool>(options_);
    facets_ = std::make_unique<DataFacets>(*pool_);
    source_ = std::make_unique<MysqlChangeSource>(options_, pool_->catalog(), logger_);
    snapshotter_ = std::make_unique<MysqlSnapshotter>(options_, pool_->catalog());
    const auto connection = pool_->lease();
    logger_.info(options_.display(), " is ", connection->client.server().version_text);
  }

  void close() noexcept override {
    if (source_) {
      source_->close();
    }
    if (pool_) {
      pool_->close();
    }
  }

  void ping() override { pool_->lease()->client.ping(); }

  std::vector<DoctorCheck> doctor() override { return examine(options_); }

  /// The server's own binlog tells the changes: nothing was put into the database.
  std::vector<std::string> uninstall() override { return {}; }

  Crud* crud() noexcept override { return facets_.get(); }
  Query* query() noexcept override { return facets_.get(); }
  Aggregator* aggregator() noexcept override { return facets_.get(); }
  Transactor* transactor() noexcept override { return facets_.get(); }
  Snapshotter* snapshotter() noexcept override { return snapshotter_.get(); }
  ChangeSource* change_source() noexcept override { return source_.get(); }

 private:
  Options options_;
  base::Logger logger_;
  std::unique_ptr<ConnectionPool> pool_;
  std::unique_ptr<DataFacets> facets_;
  std::unique_ptr<MysqlChangeSource> source_;
  std::unique_ptr<MysqlSnapshotter> snapshotter_;
};

}  // namespace

std::unique_ptr<BaseConnector> make_mysql_connector(const SourceConfig& config) {
  return std::make_unique<MysqlConnector>(config);
}

}  // namespace ustream::mysql
