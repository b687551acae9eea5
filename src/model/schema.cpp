#include "ustream/schema.hpp"

#include <algorithm>
#include <utility>

#include "ustream/error.hpp"

namespace ustream {

Schema::Schema(std::string collection, std::vector<Column> columns,
               std::vector<std::size_t> key_columns, std::uint64_t version)
    : collection_(std::move(collection)),
      columns_(std::move(columns)),
      key_columns_(std::move(key_columns)),
      version_(version) {
  for (const std::size_t index : key_columns_) {
    if (index >= columns_.size()) {
      throw Error(ErrorKind::internal, "a key column of '" + collection_ + "' does not exist",
                  RetryAdvice::never, collection_);
    }
  }
}

bool Schema::is_key_column(std::size_t index) const noexcept {
  return std::find(key_columns_.begin(), key_columns_.end(), index) != key_columns_.end();
}

std::optional<std::size_t> Schema::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace ustream
