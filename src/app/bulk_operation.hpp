// One line of `bulk`'s input.
#pragma once

#include <string_view>

#include "ustream/connector.hpp"

namespace ustream::app {

/// Parses {"write":{"collection":C,"key":K,"data":{…},"mode":"merge|replace"}} or
/// {"delete":{"collection":C,"key":K}}. K is a string, a number, or an array (a composite key); a
/// write may leave it out where the database makes keys. Throws ValidationError.
[[nodiscard]] BulkOperation parse_bulk_operation(std::string_view line);

}  // namespace ustream::app
