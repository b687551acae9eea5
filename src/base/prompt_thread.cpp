#include "base/prompt_thread.hpp"

#include <cstdint>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ustream::base {
namespace {

constexpr unsigned long kTimerSlackNs = 1000;
constexpr std::uint64_t kSliceNs = 200'000;

/// struct sched_attr of sched_setattr(2), which the C library does not declare yet.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  ///< of an ordinary thread: its slice
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

}  // namespace

void make_thread_prompt() noexcept {
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0UL, 0UL, 0UL);
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
      attributes.policy != SCHED_OTHER) {
    return;  // an older kernel, or somebody chose another policy
  }
  attributes.size = sizeof attributes;
  attributes.runtime = kSliceNs;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace ustream::base
