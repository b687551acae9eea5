#include "query/path.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace ustream::query {
namespace {

/// "0", "17", but not "017".
std::optional<std::size_t> parse_index(std::string_view text) noexcept {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::size_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() ? std::optional(value)
                                                                             : std::nullopt;
}

}  // namespace

Path::Path(std::string text) : text_(std::move(text)) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(text_.find('.', begin), text_.size());
    segments_.push_back(
        {begin, end - begin, parse_index(std::string_view(text_).substr(begin, end - begin))});
    if (end == text_.size()) {
      return;
    }
    begin = end + 1;
  }
}

std::size_t Path::index_count() const noexcept {
  return static_cast<std::size_t>(std::count_if(segments_.begin(), segments_.end(),
                                                [](const Segment& each) { return each.index; }));
}

}  // namespace ustream::query
