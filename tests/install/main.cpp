// Watches one table, writes to it and waits for the change: all layers are linked and run.

#include <chrono>
#include <cstdio>
#include <future>
#include <string>

#include <ustream/ustream.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: consumer DATABASE\n");
    return 2;
  }
  std::promise<std::string> seen;
  ustream::RealtimeStreamPackage package;
  package.init("sqlite:" + std::string(argv[1]));
  const auto orders =
      package.on("orders", [&seen](const ustream::Document& row, const ustream::ChangeMeta&) {
        seen.set_value(row.to_json());
      });
  package.start();
  package.write("orders", "1", {{"status", "placed"}});

  auto change = seen.get_future();
  if (change.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    std::fprintf(stderr, "the change did not come\n");
    return 1;
  }
  std::printf("ustream %s: %s\n", ustream::version(), change.get().c_str());
  return 0;
}
