#include "connectors/mysql/change_source.hpp"

#include <algorithm>

#include "connectors/mysql/binlog_stream.hpp"
#include "connectors/mysql/server_position.hpp"
#include "connectors/mysql/table_completer.hpp"

namespace ustream::mysql {

void WatchedTables::add(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  auto more = std::make_shared<Names>(*names_);
  more->insert(names.begin(), names.end());
  if (more->size() != names_->size()) {
    names_ = std::move(more);
    version_.fetch_add(1);
  }
}

std::shared_ptr<const WatchedTables::Names> WatchedTables::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

/// Between the decoder and the sink.
class MysqlChangeSource::Host final : public DecoderHost {
 public:
  Host(MysqlChangeSource& source, ChangeSink& sink, Position until)
      : source_(source), sink_(sink), until_(std::move(until)) {}

  [[nodiscard]] bool deliver(ChangeBatchPtr batch) override {
    if (until_ && !batch->changes.empty() && batch->changes.back().position.compare(until_) > 0) {
      batch = up_to(*batch);
    }
    return sink_.deliver(std::move(batch));
  }
  [[nodiscard]] std::optional<std::string> collection(const TableName& table) const override {
    if (table.database != source_.options_.database) {
      return std::nullopt;
    }
    if (table.table.empty()) {
      return std::string();
    }
    return source_.watched_.names()->contains(table.table) ? std::optional(table.table)
                                                           : std::nullopt;
  }
  [[nodiscard]] std::uint64_t collections_version() const override {
    return source_.watched_.version();
  }
  [[nodiscard]] std::string complete(TableMap& map, std::uint32_t timestamp) override {
    const TablePtr table = source_.definition({map.database, map.table});
    if (table) {
      return complete_table(map, *table, timestamp);
    }
    return map.has_names ? std::string()
                         : "the log has no column names, and the table is not there any more: set "
                           "binlog_row_metadata=FULL";
  }
  void defined(const TableName& table) override {
    if (table.database == source_.options_.database) {
      source_.catalog_.invalidate(table.table);
    }
  }
  [[nodiscard]] bool concerns(std::string_view database,
                              std::string_view statement) const override {
    return database == source_.options_.database ||
           statement.find(source_.options_.database) != std::string_view::npos;
  }

 private:
  [[nodiscard]] ChangeBatchPtr up_to(const ChangeBatch& batch) const {
    auto part = std::make_shared<ChangeBatch>();
    const auto end =
        std::find_if(batch.changes.begin(), batch.changes.end(),
                     [&](const Change& change) { return change.position.compare(until_) > 0; });
    part->changes.assign(batch.changes.begin(), end);
    for (const Notice& notice : batch.notices) {
      if (notice.index <= part->changes.size()) {
        part->notices.push_back(notice);
      }
    }
    part->boundary = until_;
    return part;
  }

  MysqlChangeSource& source_;
  ChangeSink& sink_;
  const Position until_;
};

/// One connection's reading, from the dump's first event on.
class MysqlChangeSource::Reading {
 public:
  /// With `until`, what lies behind it is not told.
  Reading(MysqlChangeSource& source, const Position& from, ChangeSink& sink,
          const Position& until = {})
      : host_(source, sink, until),
        decoder_(host_),
        stream_(source.options_,
                until ? BinlogStream::Purpose::replay : BinlogStream::Purpose::live) {
    const BinlogPosition place = parse_position(from);
    const auto origin = server_origin(stream_.client());
    if (origin->epoch != from.origin().epoch) {
      throw StreamingError(
          "the cursor is of another history: the server's GTID mode changed, or it "
          "is another server; take a new snapshot",
          ErrorKind::history_lost, RetryAdvice::resnapshot, stream_.client().where());
    }
    end_ = boundary_position(origin, server_point(stream_.client()));
    decoder_.start(origin, place.read_from, place.key);
    stream_.open(place.read_from);
  }

  /// Where the history ended when reading began.
  [[nodiscard]] const Position& end() const noexcept { return end_; }
  [[nodiscard]] BinlogDecoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] BinlogStream& stream() noexcept { return stream_; }

  /// Reads one event. False when the sink wants no more.
  [[nodiscard]] bool step() {
    const StreamedEvent event = stream_.next();
    std::string_view bytes = *event.bytes;
    const bool is_format = event.header.type == EventType::format_description;
    if (is_format || !decoder_.has_checksums()) {
      return decoder_.push(event.bytes, bytes, event.place);
    }
    if (!checksum_is_right(bytes)) {
      return decoder_.push_damage("the event's checksum is wrong", bytes, event.place);
    }
    bytes.remove_suffix(EventHeader::kChecksumSize);
    return decoder_.push(event.bytes, bytes, event.place);
  }

 private:
  Host host_;
  BinlogDecoder decoder_;
  BinlogStream stream_;
  Position end_;
};

MysqlChangeSource::MysqlChangeSource(Options options, Catalog& catalog, const base::Logger& logger)
    : options_(std::move(options)), catalog_(catalog), logger_(logger) {}

MysqlChangeSource::~MysqlChangeSource() = default;

void MysqlChangeSource::close() noexcept {
  const std::lock_guard lock(mutex_);
  client_.reset();
}

Client& MysqlChangeSource::client() {
  if (!client_ || !client_->usable() || client_->is_stale()) {
    client_ = std::make_unique<Client>(options_);
  }
  return *client_;
}

TablePtr MysqlChangeSource::definition(const TableName& table) {
  const std::lock_guard lock(mutex_);
  return catalog_.find(client(), table.table);
}

Position MysqlChangeSource::watch(const std::vector<std::string>& collections) {
  const std::lock_guard lock(mutex_);
  Client& server = client();
  for (const std::string& collection : collections) {
    (void)catalog_.get(server, collection);
  }
  const std::string format = server.query_value("SELECT @@global.binlog_format").value_or("ROW");
  if (format != "ROW") {
    logger_.warn(server.where(), ": binlog_format is ", format,
                 "; changes that are logged as statements cannot be told: set it to ROW");
  }
  has_before_images_ =
      server.query_value("SELECT @@global.binlog_row_image").value_or("FULL") == "FULL";
  watched_.add(collections);
  return server_position(server);
}

Position MysqlChangeSource::current() {
  const std::lock_guard lock(mutex_);
  return server_position(client());
}

void MysqlChangeSource::run(const Position& from, ChangeSink& sink, const std::stop_token& stop) {
  Reading reading(*this, from, sink);
  const std::stop_callback cancel(stop, [&] { reading.stream().cancel(); });
  BinlogDecoder& decoder = reading.decoder();
  if (from.compare(reading.end()) >= 0) {
    sink.caught_up(from);
  }
  try {
    while (!stop.stop_requested()) {
      if (!reading.step()) {
        return;
      }
      if (!decoder.at_boundary() || reading.stream().has_more()) {
        continue;
      }
      if (!decoder.flush()) {
        return;
      }
      const Position boundary = decoder.boundary();
      if (boundary.compare(from) >= 0) {
        sink.caught_up(boundary);
      }
    }
  } catch (const Error&) {
    if (!stop.stop_requested()) {
      (void)decoder.flush();  // what was whole before the connection ended
      throw;
    }
  }
}

bool MysqlChangeSource::replay(const Position& from, const Position& until, ChangeSink& sink,
                               const std::stop_token& stop) {
  if (from.comparable(until) && from.compare(until) >= 0) {
    return true;
  }
  Reading reading(*this, from, sink, until);
  const std::stop_callback cancel(stop, [&] { reading.stream().cancel(); });
  BinlogDecoder& decoder = reading.decoder();
  try {
    while (!stop.stop_requested()) {
      if (!reading.step()) {
        return false;
      }
      if (decoder.at_boundary() && decoder.boundary().compare(until) >= 0) {
        return decoder.flush();
      }
    }
  } catch (const Error&) {
    if (!stop.stop_requested()) {
      throw;
    }
  }
  return false;
}

}  // namespace ustream::mysql
