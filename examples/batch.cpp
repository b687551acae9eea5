// Takes changes in batches: at most 100 at once, at the latest after half a second.
// Usage: example-batch FILE TABLE
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <ustream/ustream.hpp>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "Usage: example-batch FILE TABLE\n";
    return 2;
  }
  try {
    // [batch]
    ustream::BatchOptions options;
    options.batch_size = 100;
    options.batch_timeout = std::chrono::milliseconds(500);
    // A slow consumer keeps the newest change of each key instead of losing its place.
    options.listen.slow_policy = ustream::SlowPolicy::coalesce;

    ustream::RealtimeStreamPackage package;
    package.init("sqlite:" + std::string(argv[1]));
    const auto batches = package.on_batch(
        argv[2],
        [](const std::vector<ustream::BatchItem>& items) {
          std::cout << items.size() << " changes, the last of " << items.back().key << std::endl;
        },
        options);
    package.start();
    // [/batch]
    std::cin.get();  // until Enter is pressed
    return 0;
  } catch (const ustream::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
