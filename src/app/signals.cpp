#include "app/signals.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <sys/signalfd.h>
#include <unistd.h>

#include "ustream/error.hpp"

namespace ustream::app {
namespace {

// What a signal handler may touch has to be static; nothing else in the program is.
volatile std::sig_atomic_t writing_line = 0;  // NOLINT(*-avoid-non-const-global-variables)
volatile std::sig_atomic_t signal_waits = 0;  // NOLINT(*-avoid-non-const-global-variables)

void end_or_wait(int /*signal*/) {
  if (writing_line == 0) {
    _exit(0);
  }
  signal_waits = 1;
}

void end_now(int /*signal*/) {
  _exit(0);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART: a blocked write(2) returns, and its caller looks at what came.
  sigaction(signal, &action, nullptr);
}

}  // namespace

void end_at_once_on_signals() {
  handle(SIGINT, end_or_wait);
  handle(SIGTERM, end_or_wait);
  handle(SIGPIPE, SIG_IGN);
}

WritingLine::WritingLine() noexcept {
  writing_line = 1;
}

WritingLine::~WritingLine() {
  writing_line = 0;
  if (signal_waits != 0) {
    give_up();
  }
}

bool WritingLine::interrupted() noexcept {
  return signal_waits != 0;
}

void WritingLine::give_up() noexcept {
  _exit(0);
}

StopSignals::StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  fd_.reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) {
    throw Error(ErrorKind::internal, std::string("signalfd: ") + std::strerror(errno));
  }
}

bool StopSignals::received() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    received_ = true;
  }
  return received_;
}

void end_after(unsigned seconds) {
  handle(SIGALRM, end_now);
  alarm(seconds);
}

}  // namespace ustream::app
