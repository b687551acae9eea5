// Files that are either as they were or as they should be, also after a power cut.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ustream::base {

/// Replaces the file's content. When this returns, the content is on the disk; when it throws, or
/// the machine stops in the middle, the file holds what it held before. A symbolic link is
/// followed. A new file gets mode 0666 less the umask, an existing one keeps its mode.
///
/// Blocks for the disk. Any thread; of two writers of one path, the last to finish wins. Throws
/// ValidationError when the path is not usable, Error with RetryAdvice::retry when the disk is full
/// or failing; the message names the path and what to do.
void write_file_durably(const std::filesystem::path& path, std::string_view content);

/// The whole content. Throws ValidationError when the file cannot be read or has more than
/// `max_bytes` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t max_bytes = 64u << 20u);

}  // namespace ustream::base
