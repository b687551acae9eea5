#include "query/like.hpp"

#include <optional>

namespace ustream::query {
namespace {

std::size_t character_size(std::string_view text) noexcept {
  std::size_t size = 1;
  if (static_cast<unsigned char>(text.front()) >= 0xC0U) {
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
      ++size;
    }
  }
  return size;
}

/// How much of `text` the token takes at its front; nullopt when it does not match there.
std::optional<std::size_t> consume(const LikePattern::Token& token,
                                   std::string_view text) noexcept {
  if (token.kind == LikePattern::Kind::one) {
    return text.empty() ? std::nullopt : std::optional(character_size(text));
  }
  return text.starts_with(token.text) ? std::optional(token.text.size()) : std::nullopt;
}

}  // namespace

LikePattern::LikePattern(std::string_view pattern) {
  const auto literal = [this](char c) {
    if (tokens_.empty() || tokens_.back().kind != Kind::literal) {
      tokens_.push_back({});
    }
    tokens_.back().text.push_back(c);
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      literal(pattern[++i]);
    } else if (c == '%') {
      if (tokens_.empty() || tokens_.back().kind != Kind::any) {
        tokens_.push_back({Kind::any, {}});
      }
    } else if (c == '_') {
      tokens_.push_back({Kind::one, {}});
    } else {
      literal(c);
    }
  }
}

bool LikePattern::matches(std::string_view text) const noexcept {
  // Only the last % is ever taken back: what an earlier one skipped can be skipped by it as well.
  std::size_t token = 0;
  std::size_t at = 0;
  std::optional<std::size_t> retry_token;
  std::size_t retry_at = 0;
  while (true) {
    if (token == tokens_.size()) {
      if (at == text.size()) {
        return true;
      }
    } else if (tokens_[token].kind == Kind::any) {
      retry_token = ++token;
      retry_at = at;
      if (token == tokens_.size()) {
        return true;
      }
      continue;
    } else if (const auto taken = consume(tokens_[token], text.substr(at))) {
      at += *taken;
      ++token;
      continue;
    }
    if (!retry_token || retry_at >= text.size()) {
      return false;
    }
    token = *retry_token;
    // By whole characters, so that a _ never starts within one.
    retry_at += character_size(text.substr(retry_at));
    at = retry_at;
  }
}

}  // namespace ustream::query
