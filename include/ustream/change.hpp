// Change: one row created, updated or deleted, as the source committed it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ustream/document.hpp"
#include "ustream/position.hpp"
#include "ustream/schema.hpp"
#include "ustream/shared_text.hpp"

namespace ustream {

enum class Op : std::uint8_t { create, update, remove, snapshot, truncate, ddl };

/// "c", "u", "d", "r", "t", "ddl".
[[nodiscard]] std::string_view to_string(Op op) noexcept;

/// Where in its transaction a change stands.
struct TransactionInfo {
  SharedText id;  ///< empty where the source has none (SQLite)
  std::uint64_t seq =
      0;              ///< counts the source's changes of this transaction from 1, before any filter
  bool last = false;  ///< the transaction's last change
};

/// What a connector adds under "source" of a change's JSON, written on demand. Immutable, any
/// thread.
class SourceInfo {
 public:
  SourceInfo() = default;
  SourceInfo(const SourceInfo&) = delete;
  SourceInfo& operator=(const SourceInfo&) = delete;
  virtual ~SourceInfo() = default;
  /// Appends the JSON object, e.g. {"db":"sqlite","seq":17}.
  virtual void write_json(std::string& out, const Position& position) const = 0;
};

/// One change. Cheap to copy: documents, schema and origin are shared. Read-only for callbacks; any
/// thread.
struct Change {
  Op op = Op::create;
  SchemaPtr schema;                    ///< of the collection at this position; never null
  Document after;                      ///< c, u, r
  Document before;                     ///< u, d, where the source sends it
  Document key_fields;                 ///< only where the key is in neither image
  std::optional<Timestamp> timestamp;  ///< of the change at the source, where it tells
  Position position;
  TransactionInfo transaction;
  std::shared_ptr<const SourceInfo> source;
  SharedText statement;  ///< ddl: what happened, e.g. the SQL text

  [[nodiscard]] const std::string& collection() const noexcept { return schema->collection(); }
  /// The row's key; nullopt without a primary key, and for t and ddl.
  [[nodiscard]] std::optional<Key> key() const;
  [[nodiscard]] std::optional<std::string> key_text() const;
  /// Appends the change object of the client protocol. `fields` as in Document::write_json. Throws
  /// ValidationError, with `out` as it was, when a text in it is not valid UTF-8.
  void write_json(std::string& out, std::span<const std::string> fields = {}) const;
  [[nodiscard]] std::string to_json() const;
};

/// A row or event that could not be decoded: told, never skipped.
struct Quarantine {
  std::string collection;
  std::string reason;
  std::string raw;  ///< bytes as read
  Position position;
};

enum class ResyncReason : std::uint8_t { history_lost, slow_consumer, source_lost, schema };
[[nodiscard]] std::string_view to_string(ResyncReason reason) noexcept;

/// Changes may be missing before this point: take a new snapshot.
struct Resync {
  ResyncReason reason = ResyncReason::history_lost;
  std::string collection;  ///< empty: every collection of the source
  std::string message;     ///< for people
  Position position;
};

/// Something other than a change which stands at a place in a batch.
struct Notice {
  std::size_t index = 0;  ///< it stands before changes[index]
  std::variant<Quarantine, Resync> what;
};

/// What a source hands over at once: changes of one transaction, or a part of it.
struct ChangeBatch {
  std::vector<Change> changes;
  std::vector<Notice> notices;  ///< ascending by index
  Position boundary;  ///< set when the batch ends on a transaction boundary: all up to here is in
};
using ChangeBatchPtr = std::shared_ptr<const ChangeBatch>;

}  // namespace ustream
