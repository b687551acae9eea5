// Standard output, for data only: one JSON object a line, or the same for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "app/json_text.hpp"

namespace ustream::app {

enum class Format : std::uint8_t { json, pretty };

/// Whoever read standard output is gone.
class OutputClosed : public std::runtime_error {
 public:
  OutputClosed() : std::runtime_error("nobody reads the output any more") {}
};

/// Writes all of `bytes` to a descriptor, in one write(2) where the system lets it. Throws
/// OutputClosed when the reader is gone, Error when it cannot be written (a full disk).
void write_all(int fd, std::string_view bytes);

/// Collects lines and writes them to a descriptor. One thread at a time.
class Output {
 public:
  Output(int fd, Format format, Palette palette) : fd_(fd), format_(format), palette_(palette) {}

  [[nodiscard]] Format format() const noexcept { return format_; }
  [[nodiscard]] const Palette& palette() const noexcept { return palette_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }

  /// Appends a line that is the JSON text `json`; `layout` is how people see it. Rows go out when
  /// enough of them wait, and when the last ones are older than a moment.
  void line(std::string_view json, Layout layout = Layout::one_line);
  /// Where text may be appended by hand; flush() writes it.
  [[nodiscard]] std::string& buffer() noexcept { return buffer_; }
  /// Writes what waits. On an exception what waited is gone.
  void flush();

 private:
  using Clock = std::chrono::steady_clock;

  int fd_;
  Format format_;
  Palette palette_;
  std::string buffer_;
  Clock::time_point flushed_{};  // never yet when it is the epoch
};

}  // namespace ustream::app
