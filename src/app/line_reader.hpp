// Lines of a descriptor, until its end or until another descriptor says stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ustream::app {

/// Reads lines as they come. One thread.
class LineReader {
 public:
  /// Lines longer than `max_line` bytes are told as too_long and skipped. Does not own either
  /// descriptor.
  LineReader(int fd, int stop_fd, std::size_t max_line);

  enum class Result : std::uint8_t {
    line,
    too_long,  ///< the line is passed over
    nothing,   ///< no whole line is there now; only when asked not to wait
    end,
    stopped  ///< the other descriptor became readable
  };
  enum class Wait : std::uint8_t { until_line, none };

  /// `line` is valid until the next call. Throws Error when reading fails.
  Result next(std::string_view& line, Wait wait);

 private:
  Result fill(Wait wait);

  int fd_;
  int stop_fd_;
  std::size_t max_line_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of the line that is next
  std::size_t scanned_ = 0;  // there is no line break before this
  std::size_t end_ = 0;
  bool skipping_ = false;
  bool at_end_ = false;
};

}  // namespace ustream::app
