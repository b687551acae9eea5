// What `watch` prints: deliveries as lines.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ustream/subscription.hpp"

#include "app/output.hpp"

namespace ustream::app {

struct PrinterOptions {
  std::vector<std::string> fields;     ///< empty: all
  bool batches = false;                ///< an array of changes a line
  std::optional<std::uint64_t> count;  ///< the most changes to print, snapshot rows included
};

/// Prints what a subscription is handed. One thread at a time.
class ChangePrinter {
 public:
  ChangePrinter(Output output, PrinterOptions options)
      : output_(std::move(output)), options_(std::move(options)) {}

  /// Prints all of it, or up to the count; when this returns it is written. Throws what
  /// Output::flush throws.
  void print(std::span<const Delivery> deliveries);

  /// As many changes were printed as were asked for.
  [[nodiscard]] bool complete() const noexcept {
    return options_.count && printed_ >= *options_.count;
  }
  /// The position of the newest change that is written; none while the snapshot lasts.
  [[nodiscard]] const Position& written() const noexcept { return written_; }
  /// A Resync{history_lost} was among what was printed: its message.
  [[nodiscard]] const std::optional<std::string>& history_lost() const noexcept {
    return history_lost_;
  }

 private:
  void print_change(const Delivery& delivery);
  void print_notice(const Delivery& delivery);
  void print_ready(const Ready& ready);
  void print_quarantine(const Quarantine& quarantine);
  void print_resync(const Resync& resync);
  void begin_pretty_notice(std::string_view colour, std::string_view name);
  void close_batch();
  void end_line();

  Output output_;
  const PrinterOptions options_;
  std::uint64_t printed_ = 0;
  bool ready_ = false;
  bool batch_open_ = false;
  Position last_;
  Position written_;
  std::optional<std::string> history_lost_;
};

}  // namespace ustream::app
