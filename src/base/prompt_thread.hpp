// Threads that sleep until there is a change to hand on.
#pragma once

namespace ustream::base {

/// Asks the system to wake the calling thread promptly: timers without the default slack of 50 µs,
/// and a short time slice, with which it runs before others that compute all the time (Linux 6.12
/// and later; sched_setattr(2)). It gets no larger share of the processor by it, and needs no
/// privilege. What is refused stays as it is.
void make_thread_prompt() noexcept;

}  // namespace ustream::base
