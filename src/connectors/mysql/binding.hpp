// Values on their way into the database: what a column takes, and how.
#pragma once

#include <string_view>

#include "ustream/schema.hpp"
#include "ustream/value.hpp"

#include "connectors/mysql/catalog.hpp"
#include "connectors/mysql/prepared.hpp"

namespace ustream::mysql {

/// Adds `value` as a column takes it when it is written. Throws ValidationError which names the
/// column when the column cannot hold this very value: the server would round it, or read a number
/// as something else. What else it refuses, it says itself.
void bind_value(Parameters& parameters, const TableColumn& column, const ValueView& value);

/// Adds a key's part for `column = ?`. False, with nothing added, when no row can have it: its type
/// is another than the column's.
[[nodiscard]] bool bind_key_part(Parameters& parameters, const TableColumn& column,
                                 const ValueView& value);

/// Adds the parameters of a translated filter: they are bound by their own types.
void bind_plain(Parameters& parameters, const Value& value);

}  // namespace ustream::mysql
