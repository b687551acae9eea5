// SharedText: immutable text with many holders.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ustream {

/// Text that never changes; copying shares it, so that a transaction's changes can all carry it at
/// the cost of one pointer. A regular value; distinct copies may be used from distinct threads.
class SharedText {
 public:
  SharedText() noexcept = default;  ///< empty
  // NOLINTBEGIN(google-explicit-constructor): it is that text
  SharedText(std::string text)
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}
  // NOLINTEND(google-explicit-constructor)
  /// Shares what somebody else holds; null is empty.
  explicit SharedText(std::shared_ptr<const std::string> text) noexcept : text_(std::move(text)) {}

  [[nodiscard]] const std::string& str() const noexcept {
    static const std::string kEmpty;
    return text_ ? *text_ : kEmpty;
  }
  // NOLINTBEGIN(google-explicit-constructor): it is that text
  operator const std::string&() const noexcept { return str(); }
  operator std::string_view() const noexcept { return str(); }
  // NOLINTEND(google-explicit-constructor)
  [[nodiscard]] bool empty() const noexcept { return !text_ || text_->empty(); }
  bool operator==(const SharedText& other) const noexcept {
    return text_ == other.text_ || str() == other.str();
  }
  bool operator==(std::string_view other) const noexcept { return str() == other; }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace ustream
