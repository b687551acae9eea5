#include "app/line_reader.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "ustream/error.hpp"

namespace ustream::app {

LineReader::LineReader(int fd, int stop_fd, std::size_t max_line)
    : fd_(fd), stop_fd_(stop_fd), max_line_(max_line), buffer_(64U << 10U) {}

LineReader::Result LineReader::next(std::string_view& line, Wait wait) {
  for (;;) {
    const char* const from = buffer_.data() + scanned_;
    const auto* const at = static_cast<const char*>(std::memchr(from, '\n', end_ - scanned_));
    if (at != nullptr) {
      const auto stop = static_cast<std::size_t>(at - buffer_.data());
      line = {buffer_.data() + begin_, stop - begin_};
      begin_ = scanned_ = stop + 1;
      const bool too_long = std::exchange(skipping_, false) || line.size() > max_line_;
      return too_long ? Result::too_long : Result::line;
    }
    scanned_ = end_;
    if (end_ - begin_ > max_line_) {
      skipping_ = true;
      begin_ = scanned_ = end_ = 0;
    }
    if (at_end_) {
      if (std::exchange(skipping_, false)) {
        begin_ = scanned_ = end_;
        return Result::too_long;
      }
      if (begin_ == end_) {
        return Result::end;
      }
      // The last line has no line break.
      line = {buffer_.data() + begin_, end_ - begin_};
      begin_ = scanned_ = end_;
      return Result::line;
    }
    if (const Result result = fill(wait); result != Result::line) {
      return result;
    }
  }
}

// Result::line says: something was read, or the end was.
LineReader::Result LineReader::fill(Wait wait) {
  std::array<pollfd, 2> fds{pollfd{fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
  const int ready = ::poll(fds.data(), fds.size(), wait == Wait::none ? 0 : -1);
  if (ready < 0 && errno == EINTR) {
    return Result::line;
  }
  if (fds[1].revents != 0) {
    return Result::stopped;
  }
  if (ready == 0) {
    return Result::nothing;
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(buffer_.size() * 2);
  }
  const ssize_t n = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
  if (n < 0 && errno != EINTR && errno != EAGAIN) {
    throw Error(ErrorKind::internal,
                std::string("cannot read the standard input: ") + std::strerror(errno));
  }
  if (n == 0) {
    at_end_ = true;
  } else if (n > 0) {
    end_ += static_cast<std::size_t>(n);
  }
  return Result::line;
}

}  // namespace ustream::app
