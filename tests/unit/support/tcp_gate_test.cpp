// The gate that fault tests break connections with, against an echo on loopback.
#include "tcp_gate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_process.hpp"

namespace ustream::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Sends back what it gets, to one client after the other.
class Echo {
 public:
  Echo() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("the echo cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Echo() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void serve() const {
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      std::array<char, 4096> buffer{};
      for (ssize_t got = 0; (got = ::recv(client, buffer.data(), buffer.size(), 0)) > 0;) {
        (void)::send(client, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
      }
      ::close(client);
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) const {
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// `size` bytes, or fewer when the connection ends first or nothing comes for `patience`.
  std::string receive(std::size_t size, milliseconds patience = std::chrono::seconds(20)) {
    std::string text;
    while (text.size() < size) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) {
        break;
      }
      std::array<char, 4096> buffer{};
      const ssize_t got =
          ::recv(fd_, buffer.data(), std::min(buffer.size(), size - text.size()), 0);
      if (got <= 0) {
        ended_ = true;
        error_ = got < 0 ? errno : 0;
        break;
      }
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int fd_;
  bool ended_ = false;
  int error_ = 0;
};

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i % 26);
  }
  return text;
}

TEST(TcpGate, PassesEverythingBothWays) {
  const Echo echo;
  TcpGate gate(echo.port());
  Client client(gate.port());
  const std::string text = pattern(300'000);
  std::thread sender([&] { client.send(text); });
  EXPECT_EQ(client.receive(text.size()), text);
  sender.join();
  EXPECT_EQ(gate.passed(), text.size());
  EXPECT_EQ(gate.accepted(), 1U);
  EXPECT_EQ(gate.open(), 1U);
}

TEST(TcpGate, CutsRightBeforeTheByteItIsTold) {
  const Echo echo;
  TcpGate gate(echo.port());
  for (const auto how : {TcpGate::Cut::fin, TcpGate::Cut::reset}) {
    Client client(gate.port());
    gate.cut_after(1234, how);
    client.send(pattern(3000));
    EXPECT_EQ(client.receive(3000), pattern(1234));
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(client.error(), how == TcpGate::Cut::fin ? 0 : ECONNRESET);
  }
  Client next(gate.port());
  next.send(pattern(3000));
  EXPECT_EQ(next.receive(3000), pattern(3000));
}

TEST(TcpGate, CutsOnCommand) {
  const Echo echo;
  TcpGate gate(echo.port());
  Client client(gate.port());
  client.send("a");
  EXPECT_EQ(client.receive(1), "a");
  gate.cut();
  EXPECT_EQ(client.receive(1), "");
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(wait_until([&] { return gate.open() == 0; }, 20));
}

TEST(TcpGate, CorruptsOneBit) {
  const Echo echo;
  TcpGate gate(echo.port());
  Client client(gate.port());
  gate.corrupt_after(100);
  client.send(pattern(3000));
  std::string expected = pattern(3000);
  expected[100] = static_cast<char>(expected[100] ^ 1);
  EXPECT_EQ(client.receive(3000), expected);
}

TEST(TcpGate, HoldsWhatCameWhileStalledBackAndLosesNothing) {
  const Echo echo;
  TcpGate gate(echo.port());
  Client client(gate.port());
  client.send("a");
  EXPECT_EQ(client.receive(1), "a");
  gate.stall();
  client.send("b");
  EXPECT_EQ(client.receive(1, milliseconds(100)), "");
  EXPECT_FALSE(client.ended());
  gate.resume();
  EXPECT_EQ(client.receive(1), "b");
}

TEST(TcpGate, DelaysAndThrottlesNoLessThanTold) {
  const Echo echo;
  TcpGate gate(echo.port());
  Client client(gate.port());
  gate.delay(milliseconds(150));
  auto begin = steady_clock::now();
  client.send("a");
  EXPECT_EQ(client.receive(1), "a");
  EXPECT_GE(steady_clock::now() - begin, milliseconds(150));
  gate.delay(milliseconds(0));
  gate.throttle(10'000);
  begin = steady_clock::now();
  client.send(pattern(3000));
  EXPECT_EQ(client.receive(3000), pattern(3000));
  EXPECT_GE(steady_clock::now() - begin, milliseconds(280));
}

TEST(TcpGate, LeadsToAnotherServerOrNowhere) {
  TcpGate gate(free_port());
  {
    Client client(gate.port());
    EXPECT_EQ(client.receive(1), "");
    EXPECT_TRUE(client.ended());
  }
  const Echo echo;
  gate.lead_to(echo.port());
  {
    Client client(gate.port());
    client.send("a");
    EXPECT_EQ(client.receive(1), "a");
  }
  gate.close();
  Client client(gate.port());
  EXPECT_EQ(client.receive(1), "");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(gate.accepted(), 3U);
}

}  // namespace
}  // namespace ustream::test
