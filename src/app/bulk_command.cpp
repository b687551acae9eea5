// bulk: many operations from standard input.
#include <csignal>
#include <cstdint>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "ustream/json.hpp"

#include "app/bulk_operation.hpp"
#include "app/command.hpp"
#include "app/exit_code.hpp"
#include "app/line_reader.hpp"
#include "app/signals.hpp"
#include "package/facets.hpp"

namespace ustream::app {
namespace {

constexpr std::size_t kChunkOperations = 1000;
constexpr std::size_t kChunkBytes = 8U << 20U;
constexpr std::size_t kMaxLine = 64U << 20U;

/// Runs operations in chunks and writes the report. One thread.
class Bulk {
 public:
  Bulk(Crud& crud, Output output)
      : crud_(crud), output_(std::move(output)), shows_progress_(::isatty(STDERR_FILENO) == 1) {}

  void add(std::string_view line) {
    const std::uint64_t index = next_index_++;
    try {
      operations_.push_back(parse_bulk_operation(line));
      indexes_.push_back(index);
      bytes_ += line.size();
    } catch (const Error& error) {
      failures_.push_back({index, error.kind(), error.what(), error.temporary()});
    }
  }

  void refuse(const char* why) {
    failures_.push_back({next_index_++, ErrorKind::validation, why, false});
  }

  [[nodiscard]] bool full() const noexcept {
    return operations_.size() + failures_.size() >= kChunkOperations || bytes_ >= kChunkBytes;
  }
  [[nodiscard]] bool empty() const noexcept { return operations_.empty() && failures_.empty(); }

  /// Does what was added. A failure of the whole chunk is one of each of its operations; when the
  /// database is gone it is thrown on, after it was reported.
  void run_chunk() {
    std::optional<Error> fatal;
    if (!operations_.empty()) {
      try {
        take(crud_.bulk(operations_));
      } catch (const Error& error) {
        for (const std::uint64_t index : indexes_) {
          failures_.push_back({index, error.kind(), error.what(), error.temporary()});
        }
        if (error.kind() == ErrorKind::connection || error.kind() == ErrorKind::auth) {
          fatal = error;
        }
      }
    }
    report_failures();
    operations_.clear();
    indexes_.clear();
    bytes_ = 0;
    show_progress();
    if (fatal) {
      throw Error(*fatal);
    }
  }

  /// The last line of the report.
  int finish() {
    if (shows_progress_ && progress_shown_) {
      (void)!::write(STDERR_FILENO, "\r\033[K", 4);
    }
    std::string line = "{\"ok\":" + std::to_string(ok_) + ",\"failed\":" + std::to_string(failed_);
    append_text_member(line, "position", position_ ? position_.cursor() : "");
    line += '}';
    output_.line(line);
    output_.flush();
    return failed_ > 0 ? failed : done;
  }

 private:
  struct Failure {
    std::uint64_t index;
    ErrorKind kind;
    std::string message;
    bool temporary;
  };

  void take(BulkReport report) {
    ok_ += report.ok;
    if (report.position) {
      position_ = std::move(report.position);
    }
    for (auto& failure : report.failures) {
      failures_.push_back({indexes_.at(failure.index), failure.kind, std::move(failure.message),
                           failure.temporary});
    }
  }

  void report_failures() {
    std::sort(failures_.begin(), failures_.end(),
              [](const Failure& a, const Failure& b) { return a.index < b.index; });
    for (const Failure& failure : failures_) {
      std::string line = "{\"index\":" + std::to_string(failure.index) + ",\"error\":{\"kind\":";
      write_json_string(line, to_string(failure.kind));
      append_text_member(line, "message", valid_text(failure.message));
      line += failure.temporary ? ",\"temporary\":true}}" : ",\"temporary\":false}}";
      output_.line(line);
    }
    failed_ += failures_.size();
    failures_.clear();
    output_.flush();
  }

  /// A message may repeat input that is no UTF-8.
  static std::string valid_text(const std::string& text) {
    if (is_valid_utf8(text)) {
      return text;
    }
    std::string ascii;
    for (const char c : text) {
      ascii += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
    return ascii;
  }

  void show_progress() {
    if (!shows_progress_) {
      return;
    }
    progress_shown_ = true;
    const std::string text = "\r\033[K" + std::to_string(ok_ + failed_) + " operations, " +
                             std::to_string(failed_) + " failed";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  }

  Crud& crud_;
  Output output_;
  const bool shows_progress_;
  bool progress_shown_ = false;
  std::uint64_t next_index_ = 0;
  std::vector<BulkOperation> operations_;
  std::vector<std::uint64_t> indexes_;  // of operations_
  std::size_t bytes_ = 0;
  std::vector<Failure> failures_;
  std::uint64_t ok_ = 0;
  std::uint64_t failed_ = 0;
  Position position_;
};

void read_operations(Bulk& bulk, StopSignals& signals) {
  LineReader reader(STDIN_FILENO, signals.fd(), kMaxLine);
  std::string_view line;
  for (;;) {
    // A slow writer's operations are not kept waiting for a full chunk.
    const auto wait = bulk.empty() ? LineReader::Wait::until_line : LineReader::Wait::none;
    switch (reader.next(line, wait)) {
      case LineReader::Result::line:
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
          bulk.add(line);
        }
        break;
      case LineReader::Result::too_long:
        bulk.refuse("the line has more than 64 MB");
        break;
      case LineReader::Result::nothing:
        bulk.run_chunk();
        break;
      case LineReader::Result::end:
      case LineReader::Result::stopped:
        if (!bulk.empty()) {
          bulk.run_chunk();
        }
        return;
    }
    if (bulk.full()) {
      bulk.run_chunk();
    }
  }
}

int run_bulk(const std::string& url, const Globals& globals) {
  StopSignals signals;
  std::signal(SIGPIPE, SIG_IGN);
  Source source(url, globals);
  Bulk bulk(package::require_crud(source.connector()), standard_output(globals));
  try {
    read_operations(bulk, signals);
  } catch (const OutputClosed&) {
    throw;
  } catch (const Error&) {
    (void)bulk.finish();
    throw;
  }
  return bulk.finish();
}

}  // namespace

void add_bulk_command(CLI::App& root, Action& action) {
  auto url = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("bulk", "Run many writes and deletes from stdin");
  command->add_option("URL", *url, kUrlHelp)->required();
  command->footer(
      "An operation a line:\n"
      "  {\"write\":{\"collection\":\"orders\",\"key\":\"42\",\"data\":{\"status\":\"paid\"}}}\n"
      "  {\"delete\":{\"collection\":\"orders\",\"key\":[1,\"a\"]}}\n"
      "A line that cannot be read is a failure of its own; the others go on. Exit code 1 when any\n"
      "failed.");
  command->callback([&action, url] {
    action = [url](const Globals& globals) { return run_bulk(*url, globals); };
  });
}

}  // namespace ustream::app
