// The ustream program: its command line, and what an error becomes.
#pragma once

namespace ustream::app {

/// Runs the program; returns the exit code. Throws nothing.
[[nodiscard]] int run_program(int argc, char** argv) noexcept;

}  // namespace ustream::app
