#include "connectors/mysql/payload_reader.hpp"

#include <algorithm>

#include <zstd.h>

#include "connectors/mysql/binlog_event.hpp"
#include "connectors/mysql/byte_reader.hpp"

namespace ustream::mysql {
namespace {

/// Transaction_payload_event::Field_types.
enum class Field : std::uint8_t { end = 0, size = 1, compression = 2, uncompressed_size = 3 };
/// mysql::binlog::event::compression::type.
constexpr std::uint64_t kZstd = 0;
constexpr std::uint64_t kNone = 255;
/// The largest event that a server writes: max_allowed_packet's limit and what is around the rows.
constexpr std::uint32_t kMaxEvent = (1U << 30U) + (1U << 20U);

}  // namespace

struct PayloadReader::Stream {
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { ZSTD_freeDCtx(context); }

  ZSTD_DCtx* context = nullptr;  // null: what is in the payload is not compressed
  ZSTD_inBuffer in{};
  bool ended = false;
};

PayloadReader::PayloadReader(std::string_view body) : stream_(std::make_unique<Stream>()) {
  ByteReader reader(body);
  std::uint64_t compression = kZstd;
  std::uint64_t size = 0;
  for (;;) {
    const auto field = static_cast<Field>(reader.packed());
    if (!reader.ok() || field == Field::end) {
      break;
    }
    ByteReader value(reader.packed_text());
    if (field == Field::size) {
      size = value.packed();
    } else if (field == Field::compression) {
      compression = value.packed();
    }
    if (!value.ok()) {
      refuse("a compressed transaction whose header is damaged");
      return;
    }
  }
  const std::string_view rest = reader.rest();
  if (!reader.ok() || rest.size() < size) {
    refuse("a compressed transaction that is cut short");
    return;
  }
  if (compression != kZstd && compression != kNone) {
    refuse("a transaction that is compressed in a way that is not known here");
    return;
  }
  const std::string_view payload = rest.substr(0, static_cast<std::size_t>(size));
  stream_->in = {payload.data(), payload.size(), 0};
  if (compression == kZstd) {
    stream_->context = ZSTD_createDCtx();
    if (stream_->context == nullptr) {
      refuse("no memory to decompress a transaction");
    }
  }
}

PayloadReader::~PayloadReader() = default;

bool PayloadReader::refuse(const char* why) {
  error_ = why;
  return false;
}

bool PayloadReader::fill(std::string& event, std::size_t size) {
  Stream& stream = *stream_;
  // Room is made as bytes come, so that a damaged size does not cost a gigabyte.
  constexpr std::size_t kStep = 1U << 20U;
  while (event.size() < size) {
    const std::size_t at = event.size();
    event.resize(std::min(size, at + kStep));
    if (stream.context == nullptr) {
      const std::size_t count = std::min(event.size() - at, stream.in.size - stream.in.pos);
      std::copy_n(static_cast<const char*>(stream.in.src) + stream.in.pos, count,
                  event.data() + at);
      stream.in.pos += count;
      event.resize(at + count);
      if (count == 0) {
        return false;
      }
      continue;
    }
    ZSTD_outBuffer out{event.data(), event.size(), at};
    const std::size_t in_before = stream.in.pos;
    const std::size_t result = ZSTD_decompressStream(stream.context, &out, &stream.in);
    if (ZSTD_isError(result) != 0U) {
      return refuse("a compressed transaction that cannot be decompressed");
    }
    event.resize(out.pos);
    if (out.pos == at && stream.in.pos == in_before) {
      return false;  // nothing goes in and nothing comes out: the end
    }
  }
  return true;
}

std::shared_ptr<const std::string> PayloadReader::next() {
  if (!error_.empty() || stream_->ended) {
    return nullptr;
  }
  auto event = std::make_shared<std::string>();
  if (!fill(*event, EventHeader::kSize)) {
    stream_->ended = true;
    if (!event->empty() && error_.empty()) {
      refuse("a compressed transaction that ends inside an event");
    }
    return nullptr;
  }
  const std::uint32_t size = EventHeader::parse(*event).size;
  if (size < EventHeader::kSize || size > kMaxEvent) {
    refuse("a compressed transaction in which no event stands where one should");
    return nullptr;
  }
  if (!fill(*event, size)) {
    if (error_.empty()) {
      refuse("a compressed transaction that ends inside an event");
    }
    return nullptr;
  }
  return event;
}

}  // namespace ustream::mysql
