#include "app/json_text.hpp"

#include <algorithm>
#include <cstddef>

namespace ustream::app {
namespace {

void append_escape(std::string& out, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u00";
  out += kDigits[c >> 4U];
  out += kDigits[c & 15U];
}

/// The character at `i` as a terminal may see it; returns how many bytes it took.
std::size_t append_character(std::string& out, std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20 || c == 0x7f) {
    append_escape(out, c);
    return 1;
  }
  // U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
  if (c == 0xc2 && i + 1 < text.size()) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (next >= 0x80 && next <= 0x9f) {
      append_escape(out, next);
      return 2;
    }
  }
  out += text[i];
  return 1;
}

class Writer {
 public:
  Writer(std::string& out, std::string_view json, Layout layout, const Palette& palette)
      : out_(out), json_(json), layout_(layout), palette_(palette) {}

  void write() {
    while (next_ < json_.size()) {
      token(json_[next_]);
    }
  }

 private:
  void token(char c) {
    switch (c) {
      case '{':
      case '[':
        open(c);
        break;
      case '}':
      case ']':
        close(c);
        break;
      case ',':
        ++next_;
        out_ += ',';
        separate();
        break;
      case ':':
        ++next_;
        out_ += ": ";
        break;
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        ++next_;
        break;
      case '"':
        string();
        break;
      default:
        scalar();
    }
  }

  void open(char c) {
    out_ += c;
    ++next_;
    if (next_ < json_.size() && (json_[next_] == '}' || json_[next_] == ']')) {
      out_ += json_[next_++];
      return;
    }
    ++depth_;
    if (layout_ == Layout::indented) {
      break_line();
    }
  }

  void close(char c) {
    depth_ -= depth_ > 0 ? 1 : 0;
    if (layout_ == Layout::indented) {
      break_line();
    }
    out_ += c;
    ++next_;
  }

  void separate() {
    if (layout_ == Layout::indented) {
      break_line();
    } else {
      out_ += ' ';
    }
  }

  void break_line() {
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  void string() {
    std::size_t end = next_ + 1;
    while (end < json_.size() && json_[end] != '"') {
      end += json_[end] == '\\' ? 2 : 1;
    }
    end = end < json_.size() ? end + 1 : json_.size();
    const bool is_name = end < json_.size() && json_[end] == ':';
    out_ += is_name ? palette_.blue() : palette_.green();
    while (next_ < end) {
      next_ += append_character(out_, json_, next_);
    }
    out_ += palette_.reset();
  }

  void scalar() {
    const std::size_t end = std::min(json_.find_first_of(",:]} \t\r\n", next_ + 1), json_.size());
    const char first = json_[next_];
    out_ += first == 't' || first == 'f' ? palette_.yellow()
            : first == 'n'               ? palette_.dim()
                                         : palette_.cyan();
    while (next_ < end) {
      next_ += append_character(out_, json_, next_);
    }
    out_ += palette_.reset();
  }

  std::string& out_;
  const std::string_view json_;
  const Layout layout_;
  const Palette& palette_;
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

void append_readable(std::string& out, std::string_view json, Layout layout,
                     const Palette& palette) {
  Writer(out, json, layout, palette).write();
}

void append_safe(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    i += append_character(out, text, i);
  }
}

}  // namespace ustream::app
