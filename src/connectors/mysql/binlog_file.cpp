#include "connectors/mysql/binlog_file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "ustream/error.hpp"

#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "connectors/mysql/binlog_decoder.hpp"

namespace ustream::mysql {
namespace {

constexpr std::string_view kMagic(
    "\xfe"
    "bin",
    4);
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kFlagsAt = 17;
/// max_allowed_packet's largest value and what an event has around its rows.
constexpr std::uint32_t kMaxEventSize = (1U << 30U) + (1U << 20U);
constexpr std::size_t kBatchChanges = 4096;

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

/// One file: events in order.
class File {
 public:
  File(const std::string& path, EventPlace place) : path_(path), place_(std::move(place)) {
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

bool checksum_is_right(const std::string& event) {
  if (event.size() < EventHeader::kSize + kChecksumSize) {
    return false;
  }
  const std::string_view content(event.data(), event.size() - kChecksumSize);
  const auto stored = base::get_little_endian<std::uint32_t>(content.data() + content.size());
  if (EventHeader::parse(event).type != EventType::format_description) {
    return base::crc32(content) == stored;
  }
  // The server sets this flag while it writes to the file, and leaves the checksum as it is.
  std::string cleared(content);
  cleared[kFlagsAt] =
      static_cast<char>(static_cast<unsigned char>(cleared[kFlagsAt]) & ~EventHeader::kInUse);
  return base::crc32(cleared) == stored;
}

/// "mysql-bin.000017" is 17; a name without a number has its place among the arguments.
std::uint64_t file_number(const std::string& name, std::size_t index) {
  const std::size_t dot = name.rfind('.');
  std::uint64_t number = 0;
  if (dot != std::string::npos) {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + dot + 1, end, number);
    if (error == std::errc() && stop == end) {
      return number;
    }
  }
  return index;
}

}  // namespace

void BinlogFileReader::read(const std::vector<std::string>& paths) {
  BinlogDecoder decoder(
      std::make_shared<const PositionOrigin>(PositionOrigin{"mysql", "binlog-files"}));
  const auto hand_over = [&] {
    report_.unnamed_columns = decoder.saw_unnamed_columns();
    if (decoder.ready() == 0) {
      return;
    }
    const ChangeBatchPtr batch = decoder.take();
    report_.changes += batch->changes.size();
    report_.quarantined += batch->notices.size();
    handler_(batch);
  };
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string name = std::filesystem::path(paths[i]).filename().string();
    try {
      File file(paths[i], {std::make_shared<const std::string>(name), file_number(name, i), 0});
      while (const auto event = file.next()) {
        std::string_view content = *event;
        const bool is_format = EventHeader::parse(content).type == EventType::format_description;
        if (is_format) {
          // It says itself whether there are checksums.
          decoder.push(event, content, file.place());
        }
        if (decoder.has_checksums() && !checksum_is_right(*event)) {
          decoder.push_damage("the event's checksum is wrong", content, file.place());
        } else if (!is_format) {
          content.remove_suffix(decoder.has_checksums() ? kChecksumSize : 0);
          decoder.push(event, content, file.place());
        }
        if (decoder.ready() >= kBatchChanges) {
          hand_over();
        }
      }
      decoder.end_file();
      hand_over();
    } catch (const Error&) {
      decoder.end_file();
      hand_over();
      throw;
    }
  }
}

}  // namespace ustream::mysql
