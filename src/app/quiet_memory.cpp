#include "app/quiet_memory.hpp"

#include <cstdint>

#include <malloc.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ustream/error.hpp"

namespace ustream::app {
namespace {

constexpr std::chrono::seconds kQuiet{1};

}  // namespace

QuietMemory::QuietMemory() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) {
    throw Error(ErrorKind::internal, "eventfd is not available");
  }
}

void QuietMemory::noticed() noexcept {
  busy_.store(true, std::memory_order_relaxed);
  if (!awake_.load(std::memory_order_relaxed) && !awake_.exchange(true)) {
    const std::uint64_t one = 1;
    (void)!::write(fd_.get(), &one, sizeof one);
  }
}

void QuietMemory::tick() {
  std::uint64_t ignored = 0;
  (void)!::read(fd_.get(), &ignored, sizeof ignored);
  if (next_ && Clock::now() < *next_) {
    return;
  }
  if (!next_ || busy_.exchange(false, std::memory_order_relaxed)) {
    next_ = Clock::now() + kQuiet;
    return;
  }
  ::malloc_trim(0);
  next_.reset();
  // What comes from here on wakes the waiting thread again; what came in between is in busy_.
  awake_.store(false);
  if (busy_.load(std::memory_order_relaxed)) {
    noticed();
  }
}

}  // namespace ustream::app
