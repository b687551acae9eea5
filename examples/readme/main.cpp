#include <iostream>

#include <ustream/package.hpp>

int main() {
  ustream::RealtimeStreamPackage shop;
  shop.init("sqlite:shop.db");
  const auto orders = shop.on("orders", [](const auto& row, const auto& meta) {
    std::cout << to_string(meta.change_type) << ' ' << meta.key << ' ' << row.to_json() << '\n';
  });
  shop.start();
  std::cin.get();  // until Enter is pressed
}
