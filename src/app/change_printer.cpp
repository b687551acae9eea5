#include "app/change_printer.hpp"

#include <string_view>
#include <variant>

#include "ustream/json.hpp"

#include "app/pretty_change.hpp"

namespace ustream::app {
namespace {

// A span of large rows goes out in pieces, so that memory stays bounded.
constexpr std::size_t kFlushBytes = 256U << 10U;

void append_cursor_member(std::string& out, const Position& position) {
  out += "\"cursor\":\"";
  if (position) {
    position.append_cursor(out);
  }
  out += '"';
}

}  // namespace

void ChangePrinter::print(std::span<const Delivery> deliveries) {
  for (const Delivery& delivery : deliveries) {
    if (complete()) {
      break;
    }
    if (delivery.change != nullptr) {
      print_change(delivery);
    } else {
      close_batch();
      print_notice(delivery);
    }
  }
  close_batch();
  output_.flush();
  written_ = last_;
}

void ChangePrinter::print_change(const Delivery& delivery) {
  std::string& out = output_.buffer();
  if (output_.format() == Format::pretty) {
    append_pretty_change(out, delivery, options_.fields, output_.palette());
    end_line();
  } else if (options_.batches) {
    out += batch_open_ ? ',' : '[';
    batch_open_ = true;
    delivery.write_json(out, options_.fields);
  } else {
    delivery.write_json(out, options_.fields);
    end_line();
  }
  ++printed_;
  if (ready_) {
    last_ = delivery.change->position;
  }
}

void ChangePrinter::print_notice(const Delivery& delivery) {
  if (const auto* ready = std::get_if<Ready>(&delivery.notice)) {
    print_ready(*ready);
  } else if (const auto* quarantine = std::get_if<Quarantine>(&delivery.notice)) {
    print_quarantine(*quarantine);
  } else if (const auto* resync = std::get_if<Resync>(&delivery.notice)) {
    print_resync(*resync);
  }
}

void ChangePrinter::print_ready(const Ready& ready) {
  ready_ = true;
  last_ = ready.position;
  if (output_.format() == Format::pretty) {
    begin_pretty_notice(output_.palette().dim(), "ready");
    if (ready.position) {
      ready.position.append_cursor(output_.buffer());
    }
    output_.buffer() += output_.palette().reset();
  } else {
    output_.buffer() += "{\"ready\":{";
    append_cursor_member(output_.buffer(), ready.position);
    output_.buffer() += "}}";
  }
  end_line();
}

void ChangePrinter::print_quarantine(const Quarantine& quarantine) {
  std::string& out = output_.buffer();
  if (output_.format() == Format::pretty) {
    begin_pretty_notice(output_.palette().red(), "quarantine");
    append_safe(out, quarantine.collection);
    out += ": ";
    append_safe(out, quarantine.reason);
    out += output_.palette().reset();
  } else {
    out += "{\"quarantine\":{\"collection\":";
    write_json_string(out, quarantine.collection);
    out += ',';
    append_cursor_member(out, quarantine.position);
    out += ",\"reason\":";
    write_json_string(out, quarantine.reason);
    out += ",\"raw\":\"";
    append_base64(out, quarantine.raw);
    out += "\"}}";
  }
  end_line();
}

void ChangePrinter::print_resync(const Resync& resync) {
  if (resync.reason == ResyncReason::history_lost) {
    history_lost_ = resync.message;
  }
  std::string& out = output_.buffer();
  if (output_.format() == Format::pretty) {
    begin_pretty_notice(output_.palette().yellow(), "resync");
    out += to_string(resync.reason);
    out += ": ";
    append_safe(out, resync.message);
    out += output_.palette().reset();
  } else {
    out += "{\"resync\":{\"reason\":\"";
    out += to_string(resync.reason);
    out += "\",";
    append_cursor_member(out, resync.position);
    out += "}}";
  }
  end_line();
}

void ChangePrinter::begin_pretty_notice(std::string_view colour, std::string_view name) {
  output_.buffer() += colour;
  output_.buffer() += name;
  output_.buffer() += ' ';
}

void ChangePrinter::close_batch() {
  if (batch_open_) {
    batch_open_ = false;
    output_.buffer() += ']';
    end_line();
  }
}

void ChangePrinter::end_line() {
  output_.buffer() += '\n';
  if (output_.buffer().size() >= kFlushBytes) {
    output_.flush();
  }
}

}  // namespace ustream::app
