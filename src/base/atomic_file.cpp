#include "base/atomic_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

#include "ustream/error.hpp"

#include "base/unique_fd.hpp"

namespace ustream::base {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view doing, int error) {
  std::string message = "cannot ";
  message += doing;
  message += " '" + path.string() + "': " + std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      throw Error(ErrorKind::busy, message + "; free some space on this disk", RetryAdvice::retry,
                  path.string());
    case EIO:
    case EINTR:
    case EMFILE:
    case ENFILE:
      throw Error(ErrorKind::busy, message, RetryAdvice::retry, path.string());
    case ENOENT:
    case ENOTDIR:
      message += "; check that the folder exists";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      message += "; allow this user to do that, or choose another path";
      break;
    default:
      break;
  }
  throw ValidationError(message, path.string());
}

/// Removes the temporary file unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) {
    const std::string stem = target.string() + ".tmp-" + std::to_string(::getpid()) + "-";
    constexpr int kAttempts = 1000;  // names left by crashes or used by other threads
    for (int i = 0; i < kAttempts; ++i) {
      path_ = stem + std::to_string(i);
      fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (fd_) {
        return;
      }
      if (errno != EEXIST) {
        break;
      }
    }
    fail(target, "write", errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) {
      ::unlink(path_.c_str());
    }
  }

  void write(const std::filesystem::path& target, std::string_view content) {
    struct stat existing{};
    if (::stat(target.c_str(), &existing) == 0) {
      // Refused only where the file belongs to somebody else; the content matters more.
      static_cast<void>(::fchmod(fd_.get(), existing.st_mode & 07777u));
    }
    while (!content.empty()) {
      const ssize_t written = ::write(fd_.get(), content.data(), content.size());
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        fail(target, "write", errno);
      }
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd_.get()) != 0) {
      fail(target, "write", errno);
    }
  }

  void rename_to(const std::filesystem::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      fail(target, "replace", errno);
    }
    renamed_ = true;
  }

 private:
  std::string path_;
  UniqueFd fd_;
  bool renamed_ = false;
};

}  // namespace

void write_file_durably(const std::filesystem::path& path, std::string_view content) {
  std::error_code ignored;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(path, ignored)) {
    target = std::filesystem::weakly_canonical(path, ignored);
    if (ignored) {
      fail(path, "follow", ignored.value());
    }
  }
  TemporaryFile file(target);
  file.write(target, content);
  file.rename_to(target);
  // The rename itself is durable only once the folder is.
  const std::filesystem::path folder =
      target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    fail(folder, "sync", errno);
  }
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    fail(path, "read", errno);
  }
  std::string content;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      fail(path, "read", errno);
    }
    if (count == 0) {
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > max_bytes) {
      throw ValidationError(
          "cannot read '" + path.string() + "': more than " + std::to_string(max_bytes) + " bytes",
          path.string());
    }
  }
}

}  // namespace ustream::base
