#include "connectors/mysql/snapshotter.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "ustream/error.hpp"

#include "connectors/mysql/crud.hpp"
#include "connectors/mysql/pool.hpp"
#include "connectors/mysql/server_position.hpp"

namespace ustream::mysql {
namespace {

constexpr std::size_t kBatchRows = 1000;

class SnapshotInfo final : public SourceInfo {
 public:
  explicit SnapshotInfo(bool is_mariadb) : is_mariadb_(is_mariadb) {}
  void write_json(std::string& out, const Position& /*position*/) const override {
    out +=
        is_mariadb_ ? R"({"db":"mysql","server":"mariadb"})" : R"({"db":"mysql","server":"mysql"})";
  }

 private:
  bool is_mariadb_;
};

void begin(Client& client) {
  client.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
}

/// The GTIDs at the snapshot's place in the binlog. The server's own search reads a binlog file, so
/// it is asked only when the log goes on growing.
GtidSet mariadb_gtids(Client& client, const std::string& file, const std::string& offset) {
  const std::string now =
      client.query_value("SELECT @@global.gtid_binlog_pos").value_or(std::string());
  const ReadPoint end = server_file_point(client);
  const std::string text =
      end.file == file && std::to_string(end.offset) == offset
          ? now  // nothing was committed between the snapshot and here
          : client.query_value("SELECT BINLOG_GTID_POS(" + quote_literal(file) + "," + offset + ")")
                .value_or(std::string());
  const auto set = GtidSet::parse(Flavor::mariadb, text);
  if (!set) {
    throw StreamingError("the server cannot tell the position of a snapshot", ErrorKind::streaming,
                         RetryAdvice::retry, client.where(), text);
  }
  return *set;
}

Position begin_mariadb(Client& client) {
  begin(client);
  std::string file;
  std::string offset;
  for (const TextRow& row : client.query("SHOW STATUS LIKE 'binlog_snapshot_%'")) {
    const std::string& name = *row[0];
    (name.ends_with("file") || name.ends_with("FILE") ? file : offset) =
        row[1].value_or(std::string());
  }
  if (file.empty() || offset.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorKind::unsupported,
                "the server writes no binlog; start it with log_bin and binlog_format=ROW",
                RetryAdvice::never, client.where());
  }
  ReadPoint point;
  point.executed = mariadb_gtids(client, file, offset);
  return boundary_position(server_origin(client), point);
}

Position begin_mysql(Client& client, const Options& options, std::string_view collection) {
  Client locker(options);
  locker.execute("LOCK TABLES " + quote_identifier(collection) + " READ");
  begin(client);
  Position position = server_position(locker);
  locker.execute("UNLOCK TABLES");
  return position;
}

}  // namespace

Position MysqlSnapshotter::snapshot(std::string_view collection, const Filter& filter,
                                    const SnapshotCallback& rows) {
  Connection connection(options_, catalog_);
  Client& client = connection.client;
  const SchemaPtr schema = catalog_.get(client, collection)->schema;
  client.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  const Position position = client.server().is_mariadb ? begin_mariadb(client)
                                                       : begin_mysql(client, options_, collection);
  const auto source = std::make_shared<const SnapshotInfo>(client.server().is_mariadb);
  auto batch = std::make_shared<ChangeBatch>();
  std::uint64_t count = 0;
  bool more = true;
  const auto hand_over = [&] {
    more = rows(std::exchange(batch, std::make_shared<ChangeBatch>()));
    batch->changes.reserve(kBatchRows);
  };
  QueryOptions options;
  options.filter = filter;
  RowAccess(connection).query(collection, options, [&](const Document& row) {
    Change& change = batch->changes.emplace_back();
    change.op = Op::snapshot;
    change.schema = schema;
    change.after = row;
    change.position = position;
    change.transaction.seq = ++count;
    change.source = source;
    if (batch->changes.size() >= kBatchRows) {
      hand_over();
    }
    return more;
  });
  if (more && !batch->changes.empty()) {
    hand_over();
  }
  return more ? position : Position();
}

}  // namespace ustream::mysql
