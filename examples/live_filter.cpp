// Keeps a live picture of the rows that match a filter: first those there are, then what changes.
// Usage: example-live-filter FILE TABLE FILTER, as '{"status":"paid"}'
#include <iostream>
#include <map>
#include <string>

#include <ustream/ustream.hpp>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "Usage: example-live-filter FILE TABLE FILTER\n";
    return 2;
  }
  try {
    // [live_filter]
    ustream::ListenOptions options;
    options.filter = ustream::Filter::parse(std::string_view(argv[3]));
    options.snapshot = true;  // no gap and no overlap between the rows and the changes

    // Declared before the package: callbacks use it until the package is gone.
    std::map<std::string, std::string> picture;

    ustream::RealtimeStreamPackage package;
    package.init("sqlite:" + std::string(argv[1]));
    const auto rows = package.on(
        argv[2],
        [&picture](const ustream::Document& row, const ustream::ChangeMeta& meta) {
          // A row that leaves the filter is told as deleted, one that enters as created.
          if (meta.change_type == ustream::ChangeType::deleted) {
            picture.erase(meta.key);
          } else {
            picture[meta.key] = row.to_json();
          }
          std::cout << picture.size() << " rows match" << std::endl;
        },
        options);
    package.start();
    // [/live_filter]
    std::cin.get();  // until Enter is pressed
    package.stop();  // no callback runs after this, so the picture can be read
    for (const auto& [key, row] : picture) {
      std::cout << row << '\n';
    }
    return 0;
  } catch (const ustream::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
