// The durable position of a stream: a small checked file, and the thread that keeps it up to date.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "ustream/position.hpp"

#include "stream/context.hpp"

namespace ustream::stream {

/// The file's content, one line: {"ustream_offset":1,"cursor":"<cursor>","crc32":"<8 hex digits>"}
/// and a newline. The checksum is over the cursor's text. docs/delivery.md, "The offset file".
[[nodiscard]] std::string format_offset(const Position& position);
/// Its inverse; pure. Throws ValidationError when the text is anything else, to the byte.
[[nodiscard]] Position parse_offset(std::string_view text);

/// One file. Not thread-safe.
class OffsetStore {
 public:
  explicit OffsetStore(std::filesystem::path path) : path_(std::move(path)) {}
  /// nullopt when there is no such file. Throws ValidationError, which says what to do, when the
  /// file is damaged or cannot be read: a stream never starts over in silence.
  [[nodiscard]] std::optional<Position> load() const;
  /// Durable when it returns. Throws Error.
  void store(const Position& position) const;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Stores StreamContext::durable_boundary() on a thread of its own: soon after it moved, but at
/// most once per `interval`, and when it stops. A disk that fails is told as an error event, and
/// tried again.
class OffsetKeeper {
 public:
  OffsetKeeper(StreamContext& context, OffsetStore store, std::chrono::milliseconds interval);
  OffsetKeeper(const OffsetKeeper&) = delete;
  OffsetKeeper& operator=(const OffsetKeeper&) = delete;
  ~OffsetKeeper();
  /// The boundary may have moved. Any thread; never blocks for the disk.
  void notify();
  /// Stores what there is and ends the thread. Idempotent.
  void stop();

 private:
  void run();
  /// True when there is nothing left to store.
  bool store_now();

  StreamContext& context_;
  const OffsetStore store_;
  const std::chrono::milliseconds interval_;
  Position stored_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ustream::stream
