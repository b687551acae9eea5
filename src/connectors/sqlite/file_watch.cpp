#include "connectors/sqlite/file_watch.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "ustream/error.hpp"

namespace ustream::sqlite {

FileWatch::FileWatch(const std::string& database_path)
    : path_(database_path),
      log_path_(database_path + "-wal"),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!event_) {
    throw Error(ErrorKind::internal,
                "the system has no file descriptors left; raise the limit (ulimit -n)",
                RetryAdvice::retry, "sqlite:" + database_path, std::strerror(errno));
  }
  rebind();
}

void FileWatch::rebind() {
  file_ = FileIdentity::of(path_);
  if (inotify_) {
    // For a file that is watched already this gives the same watch.
    database_watch_ = ::inotify_add_watch(inotify_.get(), path_.c_str(),
                                          IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
    if (log_watch_ >= 0) {
      ::inotify_rm_watch(inotify_.get(), log_watch_);
      log_watch_ = -1;
    }
    watch_log();
  }
}

void FileWatch::watch_log() {
  if (inotify_ && log_watch_ < 0) {
    log_watch_ = ::inotify_add_watch(inotify_.get(), log_path_.c_str(), IN_MODIFY | IN_DELETE_SELF);
  }
}

void FileWatch::nudge() noexcept {
  const std::uint64_t one = 1;
  // A full counter means that a wake-up is due already.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

FileWatch::Wake FileWatch::drain() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event_.get(), &count, sizeof count);
  Wake wake = Wake::activity;
  alignas(inotify_event) std::array<char, 4096> buffer{};
  while (inotify_) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) {
      break;
    }
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      // A file that is open lives on without its name, so its end shows as a change of its link
      // count.
      if (event.wd == database_watch_ && (event.mask & ~std::uint32_t{IN_MODIFY}) != 0 &&
          FileIdentity::of(path_) != file_) {
        wake = Wake::replaced;
      }
      if (event.wd == log_watch_ && (event.mask & (IN_DELETE_SELF | IN_IGNORED)) != 0) {
        log_watch_ = -1;
      }
    }
  }
  return wake;
}

FileWatch::Wake FileWatch::wait(std::chrono::nanoseconds timeout) {
  watch_log();
  std::array<pollfd, 2> fds{{{event_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       static_cast<long>((timeout - seconds).count())};
  // A negative descriptor (no inotify) is ignored by poll.
  const int ready = ::ppoll(fds.data(), fds.size(), &limit, nullptr);
  if (ready > 0) {
    return drain();
  }
  // Short waits are re-checks right after activity; the slow poll is for what nobody tells.
  return timeout < std::chrono::milliseconds(100) || FileIdentity::of(path_) == file_
             ? Wake::timeout
             : Wake::replaced;
}

}  // namespace ustream::sqlite
