#include "connectors/mysql/prepared.hpp"

#include <algorithm>
#include <bit>

#include "ustream/error.hpp"

namespace ustream::mysql {

void Parameters::add(double number) {
  cells_.push_back({MYSQL_TYPE_DOUBLE, false, std::bit_cast<std::int64_t>(number)});
}

void Parameters::add_bytes(enum_field_types type, std::string_view bytes) {
  cells_.push_back({type, false, 0, bytes_.size(), bytes.size()});
  bytes_ += bytes;
}

void Parameters::append(const Parameters& others, std::size_t count) {
  const std::size_t offset = bytes_.size();
  bytes_ += others.bytes_;
  for (std::size_t i = 0; i < std::min(count, others.cells_.size()); ++i) {
    cells_.push_back(others.cells_[i]);
    cells_.back().offset += offset;
  }
}

Statement::Statement(Client& client, std::string_view sql)
    : client_(&client), handle_(mysql_stmt_init(client.handle())) {
  if (!handle_) {
    client_->fail();
  }
  if (mysql_stmt_prepare(handle_.get(), sql.data(), sql.size()) != 0) {
    fail();
  }
}

void Statement::fail() {
  client_->fail({mysql_stmt_errno(handle_.get()), mysql_stmt_sqlstate(handle_.get()),
                 mysql_stmt_error(handle_.get())});
}

void Statement::execute(const Parameters& parameters) {
  const std::size_t count = parameters.cells_.size();
  if (count != handle_->param_count) {
    throw Error(ErrorKind::internal, "a statement takes " + std::to_string(handle_->param_count) +
                                         " parameters, not " + std::to_string(count));
  }
  binds_.assign(count, MYSQL_BIND{});
  for (std::size_t i = 0; i < count; ++i) {
    const Parameters::Cell& cell = parameters.cells_[i];
    MYSQL_BIND& bind = binds_[i];
    bind.buffer_type = cell.type;
    bind.is_unsigned = cell.is_unsigned ? 1 : 0;
    // The library reads these buffers only; its types are from before const.
    // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast)
    if (cell.type == MYSQL_TYPE_LONGLONG || cell.type == MYSQL_TYPE_DOUBLE) {
      bind.buffer = const_cast<std::int64_t*>(&cell.number);
    } else if (cell.type != MYSQL_TYPE_NULL) {
      bind.buffer = const_cast<char*>(parameters.bytes_.data() + cell.offset);
      bind.buffer_length = cell.size;
      bind.length_value = cell.size;
      bind.length = &bind.length_value;
    }
    // NOLINTEND(cppcoreguidelines-pro-type-const-cast)
  }
  if (count > 0 && mysql_stmt_bind_param(handle_.get(), binds_.data()) != 0) {
    fail();
  }
  if (mysql_stmt_execute(handle_.get()) != 0) {
    fail();
  }
}

std::uint64_t Statement::run(const Parameters& parameters) {
  execute(parameters);
  const std::uint64_t rows = mysql_stmt_affected_rows(handle_.get());
  if (handle_->field_count > 0) {
    mysql_stmt_free_result(handle_.get());
  }
  return rows;
}

void Statement::open(const Parameters& parameters) {
  execute(parameters);
  has_rows_ = true;
}

std::string_view Statement::fetch() {
  // Without bound results this leaves the row where the library read it.
  const int result = mysql_stmt_fetch(handle_.get());
  if (result == MYSQL_NO_DATA) {
    has_rows_ = false;
    mysql_stmt_free_result(handle_.get());
    return {};
  }
  if (result == 1) {
    has_rows_ = false;
    fail();
  }
  const NET& net = client_->handle()->net;
  return {reinterpret_cast<const char*>(net.read_pos) + 1,
          static_cast<std::size_t>(net.buff_end - net.read_pos) - 1};
}

void Statement::close_rows() noexcept {
  if (!has_rows_) {
    return;
  }
  has_rows_ = false;
  constexpr int kWorthReading = 1000;
  for (int i = 0; i < kWorthReading; ++i) {
    if (const int result = mysql_stmt_fetch(handle_.get()); result != 0) {
      mysql_stmt_free_result(handle_.get());
      return;
    }
  }
  client_->abandon();
}

Statement& StatementCache::get(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    return found->second;
  }
  // Filters of any shape come through here, so the cache is bounded; a plain flush is enough for a
  // bound seldom met.
  constexpr std::size_t kMaxStatements = 100;
  if (statements_.size() >= kMaxStatements) {
    statements_.clear();
  }
  return statements_.emplace(std::string(sql), Statement(client_, sql)).first->second;
}

}  // namespace ustream::mysql
