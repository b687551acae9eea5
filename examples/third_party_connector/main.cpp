// An application that brings a connector of its own.

#include <cstdio>
#include <future>
#include <memory>
#include <string>

#include <ustream/ustream.hpp>

#include "memory_connector.hpp"

int main() {
  const auto store = std::make_shared<memory::Store>();
  store->create("orders", {"status"});

  // [register]
  ustream::ConnectorRegistry registry = ustream::builtin_connectors();
  registry.add("memory",
               [store](const ustream::SourceConfig&) { return memory::make_connector(store); });
  ustream::RealtimeStreamPackage package(std::move(registry));

  ustream::SourceConfig config;
  config.scheme = "memory";
  package.init(config);
  // [/register]

  std::promise<std::string> seen;
  const auto orders =
      package.on("orders", [&seen](const ustream::Document& row, const ustream::ChangeMeta& meta) {
        if (meta.change_type == ustream::ChangeType::updated) {
          seen.set_value(row.to_json());
        }
      });
  package.start();
  package.write("orders", "1", {{"status", "placed"}});
  store->write("orders", "1", {{"status", "paid"}}, ustream::WriteMode::merge);  // from outside

  auto change = seen.get_future();
  if (change.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
    std::fprintf(stderr, "the change did not come\n");
    return 1;
  }
  std::printf("%s\n", change.get().c_str());
  return 0;
}
