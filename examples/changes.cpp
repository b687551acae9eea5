// Prints every change of a table as it commits, by whatever program. Usage: example-changes FILE
// TABLE
#include <iostream>

#include <ustream/ustream.hpp>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "Usage: example-changes FILE TABLE\n";
    return 2;
  }
  try {
    // [changes]
    ustream::RealtimeStreamPackage package;
    package.init("sqlite:" + std::string(argv[1]));

    // What happens to the stream itself: reconnects, errors in callbacks, lost history.
    package.on_event([](const ustream::StreamEvent& event) {
      std::cerr << to_string(event.type) << ": " << event.message << '\n';
    });

    // The handle ends the subscription when it goes, so it is kept.
    const ustream::Subscription changes =
        package.on(argv[2], [](const ustream::Document& row, const ustream::ChangeMeta& meta) {
          std::cout << to_string(meta.change_type) << ' ' << meta.key << ' ' << row.to_json();
          if (meta.change.before) {
            std::cout << " was " << meta.change.before.to_json();
          }
          std::cout << std::endl;
        });
    package.start();
    // [/changes]
    std::cin.get();  // until Enter is pressed
    return 0;
  } catch (const ustream::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
