// What a RealtimeStreamPackage has between init() and destroy().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "ustream/package.hpp"

#include "package/heartbeat.hpp"
#include "stream/engine.hpp"

namespace ustream::package {

/// An open connector, its stream and its heartbeat. Any thread, except that start(), stop() and
/// close() are called by one thread at a time.
class Session {
 public:
  /// Opens `connector`. Throws what BaseConnector::open and StreamEngine throw.
  Session(std::unique_ptr<BaseConnector> connector, const SourceConfig& config,
          const PackageOptions& options, EventCallback on_event);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  void start();
  void stop();

  [[nodiscard]] BaseConnector& connector() noexcept { return *connector_; }
  /// Throws Error{unsupported} when the connector cannot stream.
  [[nodiscard]] stream::StreamEngine& engine();
  /// nullptr when the connector cannot stream.
  [[nodiscard]] const stream::StreamEngine* engine_or_null() const noexcept {
    return engine_.get();
  }
  [[nodiscard]] const PackageOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  /// After a commit of our own: the stream may look at once.
  void nudge() noexcept;

 private:
  const std::unique_ptr<BaseConnector> connector_;
  const PackageOptions options_;
  std::atomic<bool> lost_{false};  // by the heartbeat
  std::unique_ptr<stream::StreamEngine> engine_;
  std::unique_ptr<HeartbeatSystem> heartbeat_;
};

/// Holds the session and lets destroy() wait for calls that are under way. Any thread.
class SessionSlot {
 public:
  /// Keeps the session open. Movable, empty after that.
  class Lease {
   public:
    Lease(SessionSlot& slot, Session& session) noexcept : slot_(&slot), session_(&session) {}
    Lease(Lease&& other) noexcept
        : slot_(std::exchange(other.slot_, nullptr)), session_(other.session_) {}
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Session* operator->() const noexcept { return session_; }
    Session& operator*() const noexcept { return *session_; }

   private:
    SessionSlot* slot_;
    Session* session_;
  };

  /// Throws ValidationError before init().
  [[nodiscard]] Lease lease();
  /// The same, or nothing.
  [[nodiscard]] std::optional<Lease> try_lease();
  void put(std::unique_ptr<Session> session);
  /// No further lease is given; waits until those given are back.
  [[nodiscard]] std::unique_ptr<Session> take();

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::unique_ptr<Session> session_;
  bool closing_ = false;
  std::size_t leases_ = 0;
};

}  // namespace ustream::package
