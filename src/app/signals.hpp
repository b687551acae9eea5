// SIGINT and SIGTERM: both end the program cleanly, with exit code 0.
#pragma once

#include "base/unique_fd.hpp"

namespace ustream::app {

/// For commands that may end at any point: from now on SIGINT and SIGTERM end the process with exit
/// code 0, though never in the middle of a line that is being written (see WritingLine). SIGPIPE is
/// ignored, so that a reader which is gone is an error of write(2).
void end_at_once_on_signals();

/// While one lives, a signal waits until it is gone. Used around write(2).
class WritingLine {
 public:
  WritingLine() noexcept;
  ~WritingLine();
  WritingLine(const WritingLine&) = delete;
  WritingLine& operator=(const WritingLine&) = delete;
  /// A signal has come and waits.
  [[nodiscard]] static bool interrupted() noexcept;
  /// Ends the process as the signal asked for.
  [[noreturn]] static void give_up() noexcept;
};

/// For commands that have something to finish: blocks SIGINT and SIGTERM in this thread and in
/// those it starts later, and makes them readable. Restores nothing: it is for the rest of the
/// process.
class StopSignals {
 public:
  StopSignals();
  /// Readable once a signal has come.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// True once a signal has come; does not block.
  [[nodiscard]] bool received();

 private:
  base::UniqueFd fd_;
  bool received_ = false;
};

/// Ends the process with exit code 0 in `seconds`, whatever it is blocked in by then.
void end_after(unsigned seconds);

}  // namespace ustream::app
