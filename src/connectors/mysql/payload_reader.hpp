// TRANSACTION_PAYLOAD_EVENT: a transaction's events, compressed together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ustream::mysql {

/// Decompresses a payload event by event: of what it decompresses it holds one event and a window,
/// never the whole. Source: MySQL's Transaction_payload_event (libbinlogevents). Not thread-safe.
class PayloadReader {
 public:
  /// `body`: the event after its header; borrowed.
  explicit PayloadReader(std::string_view body);
  ~PayloadReader();
  PayloadReader(const PayloadReader&) = delete;
  PayloadReader& operator=(const PayloadReader&) = delete;

  /// The next event with its header (events in a payload have no checksum), or null at the end and
  /// when error() says something.
  [[nodiscard]] std::shared_ptr<const std::string> next();
  /// Why the payload cannot be read; empty while it can.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  struct Stream;
  /// Appends what it takes to have `size` bytes; false at the end.
  bool fill(std::string& event, std::size_t size);
  bool refuse(const char* why);

  std::unique_ptr<Stream> stream_;
  std::string error_;
};

}  // namespace ustream::mysql
