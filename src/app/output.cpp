#include "app/output.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "ustream/error.hpp"

#include "app/signals.hpp"

namespace ustream::app {
namespace {

constexpr std::size_t kFlushBytes = 64U << 10U;
constexpr std::chrono::milliseconds kFlushAfter{20};
// How long a line that was begun may take once a signal asked for the end.
constexpr int kPatienceMs = 1000;

bool writable(int fd, int timeout_ms) {
  pollfd poll_fd{fd, POLLOUT, 0};
  return ::poll(&poll_fd, 1, timeout_ms) > 0;
}

[[noreturn]] void throw_write_error(int error) {
  if (error == EPIPE) {
    throw OutputClosed();
  }
  throw Error(ErrorKind::internal,
              std::string("cannot write to the standard output: ") + std::strerror(error));
}

}  // namespace

void write_all(int fd, std::string_view bytes) {
  const WritingLine guard;
  while (!bytes.empty()) {
    if (WritingLine::interrupted() && !writable(fd, kPatienceMs)) {
      WritingLine::give_up();
    }
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Somebody who shares the descriptor made it non-blocking.
      (void)writable(fd, kPatienceMs);
    } else if (errno != EINTR) {
      throw_write_error(errno);
    }
  }
}

void Output::line(std::string_view json, Layout layout) {
  if (format_ == Format::json) {
    buffer_ += json;
  } else {
    append_readable(buffer_, json, layout, palette_);
  }
  buffer_ += '\n';
  const auto now = Clock::now();
  if (buffer_.size() >= kFlushBytes ||
      (flushed_ == Clock::time_point() || now - flushed_ >= kFlushAfter)) {
    flush();
    flushed_ = now;
  }
}

void Output::flush() {
  if (buffer_.empty()) {
    return;
  }
  try {
    write_all(fd_, buffer_);
  } catch (...) {
    buffer_.clear();
    throw;
  }
  buffer_.clear();
  if (buffer_.capacity() > 4 * kFlushBytes) {
    buffer_.shrink_to_fit();
  }
}

}  // namespace ustream::app
