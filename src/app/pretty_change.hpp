// A change as people read it.
#pragma once

#include <span>
#include <string>

#include "ustream/subscription.hpp"

#include "app/json_text.hpp"

namespace ustream::app {

/// Appends one line, without its line break: time, what happened, collection, key, and the row; of
/// an update whose row is known as it was before, only the fields that changed. `fields`, when not
/// empty, names what is shown. REQUIRES delivery.change.
void append_pretty_change(std::string& out, const Delivery& delivery,
                          std::span<const std::string> fields, const Palette& palette);

}  // namespace ustream::app
