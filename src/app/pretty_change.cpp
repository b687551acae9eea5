#include "app/pretty_change.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "ustream/json.hpp"

#include "base/clock.hpp"

namespace ustream::app {
namespace {

struct Word {
  std::string_view text;
  std::string_view colour;
};

Word word_of(Op op, const Palette& palette) {
  switch (op) {
    case Op::create:
      return {"created ", palette.green()};
    case Op::update:
      return {"updated ", palette.yellow()};
    case Op::remove:
      return {"deleted ", palette.red()};
    case Op::snapshot:
      return {"row     ", palette.cyan()};
    case Op::truncate:
      return {"emptied ", palette.red()};
    case Op::ddl:
      break;
  }
  return {"ddl     ", palette.blue()};
}

void append_time(std::string& out, std::int64_t micros) {
  const std::time_t seconds = micros / 1'000'000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[40];
  const int length =
      std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min,
                    parts.tm_sec, static_cast<int>(micros / 1000 % 1000));
  out.append(text, static_cast<std::size_t>(length));
}

std::string field_json(const Document& row, std::string_view name) {
  Scratch scratch;
  const auto value = row.view(name, scratch);
  return value ? to_json(*value) : std::string();
}

bool is_shown(std::string_view name, std::span<const std::string> fields) {
  return fields.empty() || std::find(fields.begin(), fields.end(), name) != fields.end();
}

/// "status: "placed" → "paid"" for every field that differs; false when none does.
bool append_differences(std::string& out, const Change& change, std::span<const std::string> fields,
                        const Palette& palette) {
  bool any = false;
  for (std::size_t i = 0; i < change.after.field_count(); ++i) {
    const std::string name(change.after.field_name(i));
    const std::string after = field_json(change.after, name);
    const std::string before = field_json(change.before, name);
    if (after.empty() || after == before || !is_shown(name, fields)) {
      continue;
    }
    out += any ? ", " : "";
    any = true;
    out += palette.blue();
    append_safe(out, name);
    out += palette.reset();
    out += ": ";
    if (!before.empty()) {
      append_readable(out, before, Layout::one_line, palette);
      out += " → ";
    }
    append_readable(out, after, Layout::one_line, palette);
  }
  return any;
}

void append_row(std::string& out, const Document& row, std::span<const std::string> fields,
                const Palette& palette) {
  if (row) {
    std::string json;
    row.write_json(json, fields);
    append_readable(out, json, Layout::one_line, palette);
  }
}

}  // namespace

void append_pretty_change(std::string& out, const Delivery& delivery,
                          std::span<const std::string> fields, const Palette& palette) {
  const Change& change = *delivery.change;
  out += palette.dim();
  append_time(out, change.timestamp ? change.timestamp->micros : base::now_micros());
  out += palette.reset();
  out += ' ';
  const Word word = word_of(delivery.op, palette);
  out += word.colour;
  out += word.text;
  out += palette.reset();
  out += ' ';
  append_safe(out, change.collection());
  if (const auto key = change.key_text()) {
    out += ' ';
    out += palette.bold();
    append_safe(out, *key);
    out += palette.reset();
  }
  out += "  ";
  if (delivery.op == Op::ddl) {
    append_safe(out, change.statement);
  } else if (delivery.op == Op::remove) {
    append_row(out, change.before, fields, palette);
  } else if (delivery.op != Op::update || !change.before ||
             !append_differences(out, change, fields, palette)) {
    append_row(out, change.after, fields, palette);
  }
}

}  // namespace ustream::app
