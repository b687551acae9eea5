// From deliveries to the callbacks of on() and on_batch().
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ustream/events.hpp"
#include "ustream/package.hpp"

namespace ustream::package {

/// create and snapshot are `created`, update `updated`, remove `deleted`; nullopt for truncate and
/// ddl, which concern no row.
[[nodiscard]] std::optional<ChangeType> change_type(Op op) noexcept;

/// The row as a callback sees it: after the change, or before it when it was deleted. Where the
/// source sent no before-image, a delete has the fields of its key. `fields`, when not empty, names
/// what is in it.
[[nodiscard]] Document visible_row(const Change& change, ChangeType type,
                                   std::span<const std::string> fields);

/// Told of what a listener's callback threw.
using ListenerError = std::function<void(const Change& change, const char* what)>;

/// Calls `callback` for each change. What it throws is told to `on_error`, and the next change
/// comes.
[[nodiscard]] DeliveryCallback make_listener(ChangeCallback callback,
                                             std::vector<std::string> fields,
                                             ListenerError on_error);
/// Calls `callback` once for what is handed over together, if there is a change in it.
[[nodiscard]] DeliveryCallback make_batch_listener(BatchCallback callback,
                                                   std::vector<std::string> fields);

}  // namespace ustream::package
