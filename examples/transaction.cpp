// Moves an amount from one account to another: both rows change, or none does.
// FILE has a table accounts (name TEXT PRIMARY KEY, balance INTEGER). Usage: example-transaction
// FILE
#include <cstdint>
#include <iostream>
#include <string>

#include <ustream/ustream.hpp>

namespace {

// [transfer]
void transfer(ustream::RealtimeStreamPackage& package, const std::string& from,
              const std::string& to, std::int64_t amount) {
  package.transaction([&](ustream::Transaction& transaction) {
    const auto balance = [&](const std::string& account) {
      const auto row = transaction.read("accounts", account);
      const auto value = row ? row->get("balance") : std::nullopt;
      if (!value) {
        throw ustream::Error(ustream::ErrorKind::not_found, "no account " + account);
      }
      return value->as_int64();
    };
    const std::int64_t left = balance(from) - amount;
    if (left < 0) {
      throw ustream::ValidationError(from + " has not enough");  // rolls back
    }
    const std::int64_t right = balance(to) + amount;
    using ustream::WriteMode;
    transaction.write("accounts", from, {{"balance", left}}, WriteMode::merge);
    transaction.write("accounts", to, {{"balance", right}}, WriteMode::merge);
  });
}
// [/transfer]

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "Usage: example-transaction FILE, with a table\n"
                 "accounts (name TEXT PRIMARY KEY, balance INTEGER)\n";
    return 2;
  }
  try {
    ustream::RealtimeStreamPackage package;
    package.init("sqlite:" + std::string(argv[1]));
    package.write("accounts", "ada", {{"balance", 100}});
    package.write("accounts", "bob", {{"balance", 0}});

    transfer(package, "ada", "bob", 30);
    try {
      transfer(package, "ada", "bob", 1000);
    } catch (const ustream::ValidationError& error) {
      std::cout << "refused: " << error.what() << '\n';
    }
    for (const auto& account : package.query("accounts")) {
      std::cout << account.to_json() << '\n';
    }
    return 0;
  } catch (const ustream::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
