#include "stream/offset_store.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include "ustream/error.hpp"

#include "base/atomic_file.hpp"
#include "base/crc32.hpp"

namespace ustream::stream {

namespace {

constexpr std::string_view kHead = R"({"ustream_offset":1,"cursor":")";
constexpr std::string_view kMiddle = R"(","crc32":")";
constexpr std::string_view kTail = "\"}\n";
constexpr std::size_t kCrcDigits = 8;
constexpr std::size_t kMaxFile = 1u << 20u;

std::string hex8(std::uint32_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kCrcDigits, '0');
  for (std::size_t i = kCrcDigits; i-- > 0; number >>= 4u) {
    text[i] = kDigits[number & 0xfu];
  }
  return text;
}

/// Takes `prefix` off the front of `text`.
void expect(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    throw ValidationError("not an offset file of this version of ustream");
  }
  text.remove_prefix(prefix.size());
}

}  // namespace

std::string format_offset(const Position& position) {
  const std::string cursor = position.cursor();
  std::string text(kHead);
  text += cursor;
  text += kMiddle;
  text += hex8(base::crc32(cursor));
  text += kTail;
  return text;
}

Position parse_offset(std::string_view text) {
  expect(text, kHead);
  const auto end = text.find('"');
  if (end == std::string_view::npos) {
    throw ValidationError("the offset file is cut short");
  }
  const std::string_view cursor = text.substr(0, end);
  text.remove_prefix(end);
  expect(text, kMiddle);
  if (text.size() != kCrcDigits + kTail.size() ||
      text.substr(0, kCrcDigits) != hex8(base::crc32(cursor))) {
    throw ValidationError("the offset file's checksum does not fit its content");
  }
  text.remove_prefix(kCrcDigits);
  expect(text, kTail);
  return Position::parse(cursor);
}

std::optional<Position> OffsetStore::load() const {
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) {
    return std::nullopt;
  }
  try {
    return parse_offset(base::read_file(path_, kMaxFile));
  } catch (const ValidationError& cause) {
    throw ValidationError("offset file " + path_.string() + ": " + cause.what() +
                              "; restore it from a backup, or remove it and take a new snapshot",
                          path_.string(), cause.detail());
  }
}

void OffsetStore::store(const Position& position) const {
  base::write_file_durably(path_, format_offset(position));
}

OffsetKeeper::OffsetKeeper(StreamContext& context, OffsetStore store,
                           std::chrono::milliseconds interval)
    : context_(context),
      store_(std::move(store)),
      interval_(interval),
      thread_([this] { run(); }) {}

OffsetKeeper::~OffsetKeeper() {
  stop();
}

void OffsetKeeper::notify() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(dirty_, true)) {
      return;  // the thread knows
    }
  }
  changed_.notify_one();
}

void OffsetKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return dirty_ || stopping_; });
    if (stopping_) {
      break;
    }
    dirty_ = false;
    lock.unlock();
    const bool stored = store_now();
    lock.lock();
    dirty_ = dirty_ || !stored;
    changed_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

bool OffsetKeeper::store_now() {
  const Position position = context_.durable_boundary();
  if (!position || position == stored_) {
    return true;
  }
  try {
    store_.store(position);
    stored_ = position;
    return true;
  } catch (const std::exception& error) {
    StreamEvent event;
    event.type = StreamEvent::Type::error;
    event.message = std::string("the position could not be stored: ") + error.what();
    event.error = ErrorKind::streaming;
    event.position = position;
    context_.emit(event);
    return false;
  }
}

void OffsetKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
    store_now();
  }
}

}  // namespace ustream::stream
