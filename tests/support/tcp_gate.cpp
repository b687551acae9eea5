#include "tcp_gate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ustream::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long a thread sleeps at most before it looks at the orders again.
constexpr int kTickMs = 5;
constexpr std::size_t kPiece = 16U << 10U;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int tcp_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    throw std::runtime_error("no socket");
  }
  return fd;
}

void set_option(int fd, int level, int name, int value) {
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

/// One client and its server, on a thread of its own.
class TcpGate::Connection {
 public:
  Connection(TcpGate& gate, int client, int server)
      : gate_(gate), client_(client), server_(server), thread_([this] { pass(); }) {}
  ~Connection() {
    end(Cut::fin);
    thread_.join();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool ended() const noexcept { return ended_.load(); }
  void end(Cut how) noexcept {
    if (how == Cut::reset) {
      reset_ = true;
    }
    ending_ = true;
  }

 private:
  void pass() {
    const auto goes_on = [&] { return !ending_ && pass_some(); };
    while (goes_on()) {
    }
    if (reset_) {
      const linger at_once{1, 0};
      (void)::setsockopt(client_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(client_);
    ::close(server_);
    ended_ = true;
  }

  /// False when the connection is over.
  bool pass_some() {
    if (gate_.stalled_) {
      std::this_thread::sleep_for(milliseconds(kTickMs));
      return true;
    }
    std::array<pollfd, 2> ready{{{client_, POLLIN, 0}, {server_, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), kTickMs) <= 0) {
      return true;
    }
    return (ready[0].revents == 0 || pass_up()) && (ready[1].revents == 0 || pass_down());
  }

  bool pass_up() {
    std::array<char, kPiece> piece{};
    const ssize_t got = ::recv(client_, piece.data(), piece.size(), 0);
    return got > 0 && send_all(server_, std::span(piece).first(static_cast<std::size_t>(got)));
  }

  bool pass_down() {
    std::array<char, kPiece> buffer{};
    const std::uint64_t rate = gate_.rate_;
    // A tenth of a second's worth at once.
    const std::size_t limit =
        rate == 0 ? kPiece
                  : std::clamp<std::size_t>(static_cast<std::size_t>(rate / 10), 1, kPiece);
    const ssize_t got = ::recv(server_, buffer.data(), limit, 0);
    if (got <= 0) {
      return false;
    }
    auto piece = std::span(buffer).first(static_cast<std::size_t>(got));
    const std::optional<Cut> cut = carry_out_orders(piece);
    if (!wait(gate_.delay_.load()) ||
        (rate != 0 && !wait(milliseconds(piece.size() * 1000 / rate))) ||
        !send_all(client_, piece)) {
      return false;
    }
    if (cut) {
      end(*cut);
    }
    return true;
  }

  /// Counts the piece as passed, turns over the bit, and shortens the piece where it is cut.
  std::optional<Cut> carry_out_orders(std::span<char>& piece) {
    const std::lock_guard lock(gate_.mutex_);
    const std::uint64_t begin = gate_.passed_;
    const auto concerns = [&](const std::optional<Order>& order) {
      return order && order->at >= begin && order->at < begin + piece.size();
    };
    std::optional<Cut> cut;
    if (concerns(gate_.cut_)) {
      piece = piece.first(static_cast<std::size_t>(gate_.cut_->at - begin));
      cut = gate_.cut_->how;
      gate_.cut_.reset();
    }
    if (concerns(gate_.corrupt_)) {
      char& byte = piece[static_cast<std::size_t>(gate_.corrupt_->at - begin)];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 1U);
      gate_.corrupt_.reset();
    }
    gate_.passed_ += piece.size();
    return cut;
  }

  /// False when the connection was ended meanwhile.
  bool wait(milliseconds time) const {
    const auto until = steady_clock::now() + time;
    while (!ending_ && steady_clock::now() < until) {
      std::this_thread::sleep_for(std::min(time, milliseconds(kTickMs)));
    }
    return !ending_;
  }

  /// Also while the other side does not read: until the connection is ended.
  bool send_all(int fd, std::span<const char> bytes) const {
    while (!bytes.empty() && !ending_) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
        continue;
      }
      if (errno != EAGAIN) {
        return false;
      }
      pollfd room{fd, POLLOUT, 0};
      (void)::poll(&room, 1, kTickMs);
    }
    return bytes.empty();
  }

  TcpGate& gate_;
  int client_;
  int server_;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> reset_ = false;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

TcpGate::TcpGate(std::uint16_t target) : target_(target), listener_(tcp_socket()) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    ::close(listener_);
    throw std::runtime_error("the gate cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

TcpGate::~TcpGate() {
  ending_ = true;
  acceptor_.join();
  ::close(listener_);
  std::list<std::unique_ptr<Connection>> connections;
  {
    const std::lock_guard lock(mutex_);
    connections.swap(connections_);
  }
}

std::size_t TcpGate::open() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& connection) { return !connection->ended(); }));
}

void TcpGate::cut(Cut how) {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) {
    connection->end(how);
  }
}

void TcpGate::cut_after(std::uint64_t bytes, Cut how) {
  const std::lock_guard lock(mutex_);
  cut_ = Order{passed_ + bytes, how};
}

void TcpGate::corrupt_after(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  corrupt_ = Order{passed_ + bytes, {}};
}

void TcpGate::accept_all() {
  while (!ending_) {
    remove_ended();
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, kTickMs) <= 0) {
      continue;
    }
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      continue;
    }
    ++accepted_;
    const int server = tcp_socket();
    const sockaddr_in address = loopback(target_);
    if (closed_ ||
        ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(client);
      ::close(server);
      continue;
    }
    set_option(client, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(server, IPPROTO_TCP, TCP_NODELAY, 1);
    const std::lock_guard lock(mutex_);
    connections_.push_back(std::make_unique<Connection>(*this, client, server));
  }
}

void TcpGate::remove_ended() {
  const std::lock_guard lock(mutex_);
  connections_.remove_if([](const auto& connection) { return connection->ended(); });
}

}  // namespace ustream::test
