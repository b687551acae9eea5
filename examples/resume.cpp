// Goes on where it ended: changes made while it did not run come when it starts again.
// Usage: example-resume FILE TABLE OFFSET_FILE
#include <iostream>
#include <string>

#include <ustream/ustream.hpp>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "Usage: example-resume FILE TABLE OFFSET_FILE\n";
    return 2;
  }
  try {
    // [resume]
    ustream::PackageOptions options;
    options.offset_file = argv[3];  // where the position is kept, through crashes, too
    // The default is a `resync` event and to go on from now; this one wants to know.
    options.on_history_lost = ustream::HistoryLostPolicy::fail;

    ustream::RealtimeStreamPackage package;
    package.init("sqlite:" + std::string(argv[1]), options);

    ustream::ListenOptions listen;
    listen.snapshot = true;  // only the first time: with a stored position there is no need
    const auto changes = package.on(
        argv[2],
        [](const ustream::Document& row, const ustream::ChangeMeta& meta) {
          // When this returns the change counts as done, and its position will be stored. After a
          // crash the last changes may come again, with the same positions: do what can be done
          // twice, or remember the position together with the result.
          std::cout << to_string(meta.change_type) << ' ' << meta.key << ' ' << row.to_json()
                    << std::endl;
        },
        listen);
    package.start();
    // [/resume]
    std::cin.get();  // until Enter is pressed
    package.stop();  // hands over what waits and stores the position
    return 0;
  } catch (const ustream::Error& error) {
    std::cerr << error.what() << '\n';
    return error.kind() == ustream::ErrorKind::history_lost ? 5 : 1;
  }
}
