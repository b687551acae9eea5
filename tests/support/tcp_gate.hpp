// A gate on loopback between a client and a server, through which a test breaks the connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace ustream::test {

/// Listens on a port of its own and passes bytes on to 127.0.0.1:`target` and back, until told
/// otherwise. "Down" is from the server to the client; what breaks a stream breaks it there. The
/// orders hold for the connections there are and those to come. Any thread; the destructor ends
/// all connections.
class TcpGate {
 public:
  explicit TcpGate(std::uint16_t target);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Connections that came in so far, and those that are open.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.load(); }
  [[nodiscard]] std::size_t open() const;
  /// Bytes passed down so far, over all connections.
  [[nodiscard]] std::uint64_t passed() const noexcept { return passed_.load(); }

  /// New connections go to another server: as after a failover.
  void lead_to(std::uint16_t target) noexcept { target_ = target; }
  /// Closed, new connections are accepted and ended at once; those there are stay.
  void close() noexcept { closed_ = true; }
  void reopen() noexcept { closed_ = false; }

  enum class Cut : std::uint8_t {
    fin,    ///< in good order, as when the server ends
    reset,  ///< as when the server's machine was restarted
  };
  /// Ends all connections.
  void cut(Cut how = Cut::reset);
  /// Ends the connection that passes the byte number passed() + `bytes`, right before it. Once.
  void cut_after(std::uint64_t bytes, Cut how = Cut::reset);
  /// Turns over a bit of the byte number passed() + `bytes`. Once.
  void corrupt_after(std::uint64_t bytes);
  /// Passes nothing on in either direction, and ends nothing: as when a middlebox has forgotten
  /// the connection. resume() passes on what has waited.
  void stall() noexcept { stalled_ = true; }
  void resume() noexcept { stalled_ = false; }
  /// Holds each piece down back for as long. 0: not.
  void delay(std::chrono::milliseconds time) noexcept { delay_ = time; }
  /// Passes down at most so many bytes a second for each connection. 0: no limit.
  void throttle(std::uint64_t bytes_per_second) noexcept { rate_ = bytes_per_second; }

 private:
  class Connection;

  struct Order {
    std::uint64_t at = 0;  ///< the number of the byte, counted as passed() is
    Cut how = Cut::reset;
  };

  void accept_all();
  void remove_ended();

  std::atomic<std::uint16_t> target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> closed_ = false;
  std::atomic<bool> stalled_ = false;
  std::atomic<std::chrono::milliseconds> delay_ = std::chrono::milliseconds(0);
  std::atomic<std::uint64_t> rate_ = 0;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> passed_ = 0;

  mutable std::mutex mutex_;  ///< guards what follows
  std::optional<Order> cut_;
  std::optional<Order> corrupt_;
  std::list<std::unique_ptr<Connection>> connections_;

  std::thread acceptor_;
};

}  // namespace ustream::test
