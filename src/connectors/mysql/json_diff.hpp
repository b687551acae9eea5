// Partial updates of JSON columns: binlog_row_value_options=PARTIAL_JSON.
#pragma once

#include <string>
#include <string_view>

namespace ustream::mysql {

/// Appends to `out` the binary JSON that `before` becomes by the diffs of an after-image, one after
/// the other. `diffs`: the column's bytes behind their length. What no diff touches is copied as it
/// stands, so the cost is that of the containers on the diffs' paths, and of the copy. False, with
/// `out` as it was, when the bytes are damaged or a diff does not fit the document it is applied
/// to. Source: MySQL's json_diff.cc (Json_diff_vector::read_binary, apply_json_diff). Pure.
[[nodiscard]] bool apply_json_diffs(std::string& out, std::string_view before,
                                    std::string_view diffs);

}  // namespace ustream::mysql
