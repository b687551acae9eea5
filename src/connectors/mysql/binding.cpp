#include "connectors/mysql/binding.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "ustream/config.hpp"
#include "ustream/error.hpp"
#include "ustream/json.hpp"

#include "model/number.hpp"
#include "model/temporal.hpp"
#include "query/number.hpp"

namespace ustream::mysql {
namespace {

[[noreturn]] void refuse(const TableColumn& column, const std::string& why) {
  throw ValidationError("column '" + column.name + "' (" + column.column_type +
                        ") cannot hold the value: " + why);
}

template <class Part>
std::string text_of(const Part& part) {
  std::string text;
  model::append_text(text, part);
  return text;
}

/// As the server reads it: "2026-01-31 10:00:00.123456".
std::string sql_text(DateTime value) {
  std::string text = text_of(value);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string sql_text(Timestamp value) {
  return sql_text(DateTime{value.micros, 6});
}

/// A number's digits, exact; of a double the shortest that read back as it.
std::string digits_of(const ValueView& number) {
  std::string text;
  switch (number.type()) {
    case ValueType::int64:
      model::append_int(text, number.int64());
      break;
    case ValueType::uint64:
      model::append_uint(text, number.uint64());
      break;
    case ValueType::float32:
      model::append_float(text, number.float32());
      break;
    case ValueType::float64:
      model::append_double(text, number.float64());
      break;
    default:
      text = number.text();
  }
  return text;
}

bool is_finite(const ValueView& number) {
  if (number.type() == ValueType::float32 || number.type() == ValueType::float64) {
    return std::isfinite(number.float64());
  }
  return number.type() != ValueType::decimal ||
         query::parse_decimal(number.text()).kind == query::DecimalParts::Kind::finite;
}

/// The integer that a number is, where it is one.
std::optional<query::Int128> integer_of(const ValueView& number) {
  if (query::is_integer(number.type())) {
    return query::to_int128(number);
  }
  if (!is_finite(number)) {
    return std::nullopt;
  }
  const std::string digits = digits_of(number);
  const auto floor = query::decimal_floor(digits);
  const auto parts = query::parse_decimal(digits);
  // All digits stand before the point: the last of them is not 0.
  const auto count = static_cast<std::int64_t>(parts.digits.size()) -
                     (parts.digits.find('.') != std::string_view::npos ? 1 : 0);
  return floor && (parts.zero() || parts.magnitude >= count - 1) ? floor : std::nullopt;
}

constexpr query::Int128 kMinInt64 = std::numeric_limits<std::int64_t>::min();
constexpr query::Int128 kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr query::Int128 kMaxUint64 = std::numeric_limits<std::uint64_t>::max();

bool add_integer(Parameters& parameters, query::Int128 integer) {
  if (integer < kMinInt64 || integer > kMaxUint64) {
    return false;
  }
  if (integer > kMaxInt64) {
    parameters.add(static_cast<std::uint64_t>(integer));
  } else {
    parameters.add(static_cast<std::int64_t>(integer));
  }
  return true;
}

void bind_integer(Parameters& parameters, const TableColumn& column, const ValueView& number) {
  const auto integer = integer_of(number);
  if (!integer) {
    refuse(column, "it holds whole numbers only");
  }
  if (!add_integer(parameters, *integer)) {
    refuse(column, "the number is out of its range");
  }
}

void bind_decimal(Parameters& parameters, const TableColumn& column, const ValueView& number) {
  const std::string digits = digits_of(number);
  const auto parts = query::parse_decimal(digits);
  if (parts.kind != query::DecimalParts::Kind::finite) {
    refuse(column, "it holds digits only, no NaN or infinity");
  }
  const auto count = static_cast<std::int64_t>(parts.digits.size()) -
                     (parts.digits.find('.') != std::string_view::npos ? 1 : 0);
  if (!parts.zero() && count - 1 - parts.magnitude > column.digits) {
    refuse(column, "it would be rounded to " + std::to_string(column.digits) + " decimal places");
  }
  parameters.add_decimal(digits);
}

void bind_double(Parameters& parameters, const TableColumn& column, const ValueView& number) {
  const double nearest = query::to_double(number);
  if (!std::isfinite(nearest)) {
    refuse(column, "MySQL has no NaN and no infinity");
  }
  parameters.add(nearest);
}

void bind_number(Parameters& parameters, const TableColumn& column, const ValueView& number) {
  switch (column.kind) {
    case ColumnKind::integer:
    case ColumnKind::year:
    case ColumnKind::bit:
      return bind_integer(parameters, column, number);
    case ColumnKind::decimal:
      return bind_decimal(parameters, column, number);
    case ColumnKind::float32:
    case ColumnKind::float64:
      return bind_double(parameters, column, number);
    case ColumnKind::enumeration:
    case ColumnKind::set:
      refuse(column, "give its labels as text, not their numbers");
    case ColumnKind::json:
      if (!is_finite(number)) {
        refuse(column, "JSON has no NaN and no infinity");
      }
      return parameters.add_text(digits_of(number));
    default:
      return parameters.add_text(digits_of(number));
  }
}

/// A text of digits would be taken as the number of a label.
void bind_label(Parameters& parameters, const TableColumn& column, std::string_view text) {
  const bool looks_like_number =
      !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (looks_like_number &&
      std::find(column.labels.begin(), column.labels.end(), text) == column.labels.end()) {
    refuse(column, "'" + std::string(text) + "' is none of its labels");
  }
  parameters.add_text(text);
}

void bind_string(Parameters& parameters, const TableColumn& column, std::string_view text) {
  if (!is_valid_utf8(text)) {
    refuse(column, "the text is not valid UTF-8");
  }
  switch (column.kind) {
    case ColumnKind::enumeration:
    case ColumnKind::set:
      return bind_label(parameters, column, text);
    case ColumnKind::bit: {
      // The server would take the text's bytes for the bits.
      const auto bits = model::parse_exactly<std::uint64_t>(text);
      if (!bits) {
        refuse(column, "give its bits as a whole number");
      }
      return parameters.add(*bits);
    }
    case ColumnKind::integer:
    case ColumnKind::year:
    case ColumnKind::decimal:
      if (model::is_decimal_text(text)) {
        return bind_number(parameters, column, ValueView::of_text(ValueType::decimal, text));
      }
      return parameters.add_text(text);
    case ColumnKind::timestamp:
      if (const auto instant = model::parse_timestamp(text)) {
        return parameters.add_text(sql_text(*instant));
      }
      return parameters.add_text(text);
    case ColumnKind::json: {
      std::string json;
      write_json_string(json, text);
      return parameters.add_text(json);
    }
    default:
      return parameters.add_text(text);
  }
}

void bind_labels(Parameters& parameters, const TableColumn& column, const Value::Array& labels) {
  std::string joined;
  for (const Value& label : labels) {
    const auto* text = label.get_if<std::string>();
    if (text == nullptr || text->find(',') != std::string::npos) {
      refuse(column, "a set takes an array of its labels");
    }
    joined += (joined.empty() ? "" : ",") + *text;
  }
  bind_label(parameters, column, joined);
}

/// MariaDB would tell it as a constraint that failed.
void check_json(const TableColumn& column, std::string_view text) {
  try {
    (void)parse_json(text);
  } catch (const ValidationError& error) {
    refuse(column, error.what());
  }
}

}  // namespace

void bind_value(Parameters& parameters, const TableColumn& column, const ValueView& value) {
  const bool is_json = column.kind == ColumnKind::json;
  switch (value.type()) {
    case ValueType::null:
      return parameters.add_null();
    case ValueType::boolean:
      if (is_json) {
        return parameters.add_text(value.boolean() ? "true" : "false");
      }
      return bind_number(parameters, column, ValueView::of(std::int64_t{value.boolean() ? 1 : 0}));
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float32:
    case ValueType::float64:
    case ValueType::decimal:
      return bind_number(parameters, column, value);
    case ValueType::string:
      return bind_string(parameters, column, value.text());
    case ValueType::bytes:
      return parameters.add_binary(value.text());
    case ValueType::timestamp:
      if (column.kind == ColumnKind::timestamp || column.kind == ColumnKind::datetime) {
        return parameters.add_text(sql_text(Timestamp{value.micros()}));
      }
      break;
    case ValueType::datetime:
      if (column.kind == ColumnKind::timestamp || column.kind == ColumnKind::datetime) {
        return parameters.add_text(sql_text(DateTime{value.micros(), value.digits()}));
      }
      break;
    case ValueType::json:
      if (is_json) {
        check_json(column, value.text());
      }
      return parameters.add_text(value.text());
    case ValueType::array:
      if (column.kind == ColumnKind::set) {
        return bind_labels(parameters, column, value.array());
      }
      return parameters.add_text(to_json(value));
    case ValueType::object:
      return parameters.add_text(to_json(value));
    case ValueType::extended:
      if (value.extended().type != column.data_type) {
        refuse(column, "type '" + value.extended().type + "' is another");
      }
      return parameters.add_text(value.extended().text);
    default:
      break;
  }
  // Dates, times, UUIDs and ObjectIds are stored as the text that JSON shows, in JSON with its
  // quotes.
  const std::string quoted = to_json(value);
  parameters.add_text(is_json ? std::string_view(quoted)
                              : std::string_view(quoted).substr(1, quoted.size() - 2));
}

bool bind_key_part(Parameters& parameters, const TableColumn& column, const ValueView& value) {
  const ValueType type = value.type();
  switch (column.kind) {
    case ColumnKind::integer:
    case ColumnKind::bit:
    case ColumnKind::year: {
      if (!query::is_number(type)) {
        return false;
      }
      const auto integer = integer_of(value);
      // The server reads a year below 100 as one of this century or the last.
      if (!integer || (column.kind == ColumnKind::year && *integer > 0 && *integer < 100)) {
        return false;
      }
      return add_integer(parameters, *integer);
    }
    case ColumnKind::float32:
    case ColumnKind::float64:
      if (!query::is_number(type) || !is_finite(value)) {
        return false;
      }
      parameters.add(query::to_double(value));
      return true;
    case ColumnKind::decimal: {
      const bool is_digits = type == ValueType::string && model::is_decimal_text(value.text());
      if (!is_digits && !query::is_number(type)) {
        return false;
      }
      const ValueView number =
          is_digits ? ValueView::of_text(ValueType::decimal, value.text()) : value;
      if (!is_finite(number)) {
        return false;
      }
      parameters.add_decimal(digits_of(number));
      return true;
    }
    case ColumnKind::bytes:
      if (type != ValueType::bytes) {
        return false;
      }
      parameters.add_binary(value.text());
      return true;
    case ColumnKind::text:
    case ColumnKind::enumeration:
      if (type != ValueType::string || !is_valid_utf8(value.text())) {
        return false;
      }
      parameters.add_text(value.text());
      return true;
    default:
      if (type == ValueType::null || type == ValueType::bytes || query::is_number(type)) {
        return false;
      }
      bind_value(parameters, column, value);
      return true;
  }
}

void bind_plain(Parameters& parameters, const Value& value) {
  if (const auto* integer = value.get_if<std::int64_t>()) {
    parameters.add(*integer);
  } else if (const auto* whole = value.get_if<std::uint64_t>()) {
    parameters.add(*whole);
  } else if (const auto* real = value.get_if<double>()) {
    parameters.add(*real);
  } else if (const auto* decimal = value.get_if<Decimal>()) {
    parameters.add_decimal(decimal->digits);
  } else if (const auto* text = value.get_if<std::string>()) {
    parameters.add_text(*text);
  } else if (const auto* bytes = value.get_if<Bytes>()) {
    parameters.add_binary(bytes->data);
  } else {
    throw Error(ErrorKind::internal, "a filter's parameter has no type that MySQL knows");
  }
}

}  // namespace ustream::mysql
