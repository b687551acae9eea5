// A binlog file, read offline.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ustream/change.hpp"

namespace ustream::mysql {

struct DecodeReport {
  std::uint64_t changes = 0;
  std::uint64_t quarantined = 0;
  bool unnamed_columns = false;  ///< some tables came without column names: they are @1, @2, …
};

/// Decodes binlog files one after the other, in the order given, and hands over batches of at most
/// some thousand changes. Blocks on the disk only. After all that could be read it throws
/// ValidationError for a file that is no binlog or cannot be opened, and StreamingError (corrupt)
/// for one that is cut short or damaged: both name the file and the offset. What is whole but
/// cannot be decoded is a quarantine notice in its batch, a wrong checksum too.
class BinlogFileReader {
 public:
  using Handler = std::function<void(const ChangeBatchPtr&)>;

  explicit BinlogFileReader(Handler handler) : handler_(std::move(handler)) {}

  void read(const std::vector<std::string>& paths);
  [[nodiscard]] const DecodeReport& report() const noexcept { return report_; }

 private:
  Handler handler_;
  DecodeReport report_;
};

}  // namespace ustream::mysql
