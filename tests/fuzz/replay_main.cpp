// Runs a fuzz target over the files of the directories given, without libFuzzer: what
// fuzzing once found stays a test in every build. A directory that does not exist counts as empty;
// the empty input is always run.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void replay(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream),
                                std::istreambuf_iterator<char>()};
  // Copied to an allocation of the exact size, so that AddressSanitizer sees a read past the end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::size_t replay_directory(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory)) {
    return 0;
  }
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      // Said before it runs: after a crash, the last line names the file.
      std::printf("%s\n", entry.path().filename().c_str());
      std::fflush(stdout);
      replay(entry.path());
      ++count;
    }
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    LLVMFuzzerTestOneInput(nullptr, 0);
    std::size_t count = 1;
    for (int i = 1; i < argc; ++i) {
      count += replay_directory(argv[i]);
    }
    std::printf("%zu inputs replayed\n", count);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "an input was answered with an exception: %s\n", error.what());
    return 1;
  }
}
