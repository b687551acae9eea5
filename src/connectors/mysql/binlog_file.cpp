#include "connectors/mysql/binlog_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "ustream/error.hpp"

#include "connectors/mysql/binlog_decoder.hpp"
#include "connectors/mysql/rows_scope.hpp"

namespace ustream::mysql {
namespace {

constexpr std::string_view kMagic(
    "\xfe"
    "bin",
    4);
/// max_allowed_packet's largest value and what an event has around its rows.
constexpr std::uint32_t kMaxEventSize = (1U << 30U) + (1U << 20U);

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

/// One file: events in order.
class File {
 public:
  explicit File(const std::string& path) : path_(path) {
    place_.file =
        std::make_shared<const std::string>(std::filesystem::path(path).filename().string());
    file_.reset(std::fopen(path.c_str(), "rbe"));
    if (!file_) {
      throw ValidationError("cannot open '" + path + "': " + std::strerror(errno), path);
    }
    std::string magic(kMagic.size(), '\0');
    if (std::fread(magic.data(), 1, magic.size(), file_.get()) != magic.size() || magic != kMagic) {
      throw ValidationError("'" + path +
                                "' is no binlog of MySQL or MariaDB (or an encrypted one): it does "
                                "not begin with the binlog's four bytes",
                            path);
    }
    place_.offset = magic.size();
  }

  /// The next event with its checksum; null at the end. Throws StreamingError when the file is cut
  /// short or no event stands there.
  std::shared_ptr<const std::string> next() {
    place_.offset += last_size_;
    last_size_ = 0;
    auto event = std::make_shared<std::string>(EventHeader::kSize, '\0');
    const std::size_t got = std::fread(event->data(), 1, event->size(), file_.get());
    if (got == 0 && std::ferror(file_.get()) == 0) {
      return nullptr;
    }
    if (got < event->size()) {
      damaged("it ends inside an event's header");
    }
    const std::uint32_t size = EventHeader::parse(*event).size;
    if (size < EventHeader::kSize || size > kMaxEventSize) {
      damaged("no event stands there (its size would be " + std::to_string(size) + " bytes)");
    }
    // Room is made as bytes come, so that a damaged size does not cost a gigabyte.
    constexpr std::size_t kStep = 1U << 20U;
    while (event->size() < size) {
      const std::size_t at = event->size();
      event->resize(std::min<std::size_t>(size, at + kStep));
      if (std::fread(event->data() + at, 1, event->size() - at, file_.get()) !=
          event->size() - at) {
        damaged("it ends inside an event of " + std::to_string(size) + " bytes");
      }
    }
    last_size_ = size;
    return event;
  }

  [[nodiscard]] const EventPlace& place() const noexcept { return place_; }

 private:
  [[noreturn]] void damaged(const std::string& why) const {
    throw StreamingError("'" + path_ + "' is damaged or cut short at offset " +
                             std::to_string(place_.offset) + ": " + why +
                             "; everything before it was read",
                         ErrorKind::corrupt, RetryAdvice::never, path_);
  }

  std::string path_;
  EventPlace place_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint32_t last_size_ = 0;
};

/// Counts what goes through.
class Host final : public DecoderHost {
 public:
  Host(const BinlogFileReader::Handler& handler, DecodeReport& report)
      : handler_(handler), report_(report) {}
  [[nodiscard]] bool deliver(ChangeBatchPtr batch) override {
    report_.changes += batch->changes.size();
    report_.quarantined += batch->notices.size();
    handler_(batch);
    return true;
  }

 private:
  const BinlogFileReader::Handler& handler_;
  DecodeReport& report_;
};

void read_event(BinlogDecoder& decoder, const std::shared_ptr<const std::string>& event,
                const EventPlace& place) {
  std::string_view content = *event;
  if (EventHeader::parse(content).type == EventType::format_description) {
    // It says itself whether there are checksums.
    (void)decoder.push(event, content, place);
    if (decoder.has_checksums() && !checksum_is_right(content)) {
      (void)decoder.push_damage("the event's checksum is wrong", content, place);
    }
    return;
  }
  if (!decoder.has_checksums()) {
    (void)decoder.push(event, content, place);
  } else if (checksum_is_right(content)) {
    content.remove_suffix(EventHeader::kChecksumSize);
    (void)decoder.push(event, content, place);
  } else {
    (void)decoder.push_damage("the event's checksum is wrong", content, place);
  }
}

}  // namespace

void BinlogFileReader::read(const std::vector<std::string>& paths) {
  Host host(handler_, report_);
  BinlogDecoder decoder(host);
  decoder.start(
      std::make_shared<const PositionOrigin>(PositionOrigin{"mysql", std::string(kFilesEpoch)}), {},
      {});
  for (const std::string& path : paths) {
    try {
      File file(path);
      while (const auto event = file.next()) {
        read_event(decoder, event, file.place());
      }
      (void)decoder.end_file();
    } catch (const Error&) {
      (void)decoder.end_file();
      report_.unnamed_columns = decoder.saw_unnamed_columns();
      throw;
    }
    report_.unnamed_columns = decoder.saw_unnamed_columns();
  }
}

}  // namespace ustream::mysql
