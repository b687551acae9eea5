#include "connectors/mysql/gtid.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/bytes.hpp"
#include "connectors/mysql/byte_reader.hpp"
#include "connectors/mysql/statement.hpp"
#include "connectors/mysql/varint.hpp"

namespace ustream::mysql {
namespace {

constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 63U;
constexpr std::size_t kMaxTag = 32;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<Gtid::Uuid> uuid_of(std::string_view text) {
  if (text.size() != 36) {
    return std::nullopt;
  }
  Gtid::Uuid uuid{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-') {
        return std::nullopt;
      }
    }
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    uuid[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return uuid;
}

/// Cuts `text` at the next `separator`; what is before it is returned.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

Gtid::Uuid uuid_from(std::string_view bytes) {
  Gtid::Uuid uuid{};
  std::transform(bytes.begin(), bytes.end(), uuid.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return uuid;
}

/// The variable-length integer of MySQL's serialization library: as many more bytes follow as the
/// first one has ones at its low end (variable_length_integers.h).
std::uint64_t serialized_uint(ByteReader& reader) {
  const std::uint8_t first = reader.u8();
  const int extra = std::countr_one(first);
  if (extra == 8) {
    return reader.u64();
  }
  const std::uint64_t rest = reader.little_endian(static_cast<std::size_t>(extra));
  const std::uint64_t low = first >> static_cast<unsigned>(extra + 1);
  return extra == 7 ? rest : (rest << static_cast<unsigned>(7 - extra)) | low;
}

std::int64_t serialized_int(ByteReader& reader) {
  const std::uint64_t bits = serialized_uint(reader);
  const auto half = static_cast<std::int64_t>(bits >> 1U);
  return (bits & 1U) != 0 ? ~half : half;
}

void put_serialized_size(std::string& out, std::size_t size) {
  out += static_cast<char>(size << 1U);  // REQUIRES less than 128
}

}  // namespace

std::string uuid_text(const Gtid::Uuid& uuid) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    text += kHex[uuid[i] >> 4U];
    text += kHex[uuid[i] & 15U];
  }
  return text;
}

std::string Gtid::text() const {
  if (flavor == Flavor::mariadb) {
    return std::to_string(domain) + "-" + std::to_string(server) + "-" + std::to_string(number);
  }
  std::string text = uuid_text(source);
  text.reserve(text.size() + tag.size() + 24);
  if (!tag.empty()) {
    text += ':';
    text += tag;
  }
  text += ':';
  text += std::to_string(number);
  return text;
}

// --- building sets

bool GtidSet::add_interval(const Source& source, std::uint64_t first, std::uint64_t end) {
  if (first == 0 || end <= first || end > kMaxNumber) {
    return false;
  }
  Intervals& intervals = sources_[source];
  if (!intervals.empty() && intervals.back().second == first) {  // the next one, as nearly always
    intervals.back().second = end;
    count_ += end - first;
    return true;
  }
  auto at = std::lower_bound(intervals.begin(), intervals.end(), first,
                             [](const auto& each, std::uint64_t n) { return each.second < n; });
  // Everything from `at` on that touches [first, end) becomes one interval.
  std::uint64_t had = 0;
  auto last = at;
  while (last != intervals.end() && last->first <= end) {
    had += last->second - last->first;
    first = std::min(first, last->first);
    end = std::max(end, last->second);
    ++last;
  }
  if (had == end - first) {
    return false;
  }
  at = intervals.erase(at, last);
  intervals.insert(at, {first, end});
  count_ += end - first - had;
  return true;
}

void GtidSet::add_last(std::uint32_t domain, Last last) {
  Last& there = domains_[domain];
  if (last.number > there.number) {
    count_ += last.number - there.number;
    there = last;
  }
}

bool GtidSet::add(const Gtid& gtid) {
  if (flavor_ == Flavor::mysql) {
    return add_interval({gtid.source, gtid.tag}, gtid.number, gtid.number + 1);
  }
  const std::uint64_t before = count_;
  add_last(gtid.domain, {gtid.server, gtid.number});
  return count_ != before;
}

bool GtidSet::contains(const Gtid& gtid) const {
  if (flavor_ == Flavor::mariadb) {
    const auto found = domains_.find(gtid.domain);
    return found != domains_.end() && found->second.number >= gtid.number;
  }
  const auto found = sources_.find({gtid.source, gtid.tag});
  return found != sources_.end() &&
         std::any_of(found->second.begin(), found->second.end(), [&](const auto& interval) {
           return interval.first <= gtid.number && gtid.number < interval.second;
         });
}

bool GtidSet::contains(const GtidSet& other) const {
  if (flavor_ != other.flavor_) {
    return other.empty();
  }
  const bool domains =
      std::all_of(other.domains_.begin(), other.domains_.end(), [&](const auto& d) {
        const auto found = domains_.find(d.first);
        return found != domains_.end() && found->second.number >= d.second.number;
      });
  return domains && std::all_of(other.sources_.begin(), other.sources_.end(), [&](const auto& s) {
           const auto found = sources_.find(s.first);
           return std::all_of(s.second.begin(), s.second.end(), [&](const auto& wanted) {
             return found != sources_.end() &&
                    std::any_of(found->second.begin(), found->second.end(), [&](const auto& has) {
                      return has.first <= wanted.first && wanted.second <= has.second;
                    });
           });
         });
}

// --- text

std::optional<GtidSet> GtidSet::parse(Flavor flavor, std::string_view text) {
  GtidSet set(flavor);
  text = trimmed(text);
  while (!text.empty()) {
    std::string_view one = trimmed(cut(text, ','));
    if (flavor == Flavor::mariadb) {
      const auto domain = number_of(cut(one, '-'));
      const auto server = number_of(cut(one, '-'));
      const auto number = number_of(one);
      if (!domain || !server || !number || *domain > UINT32_MAX || *server > UINT32_MAX) {
        return std::nullopt;
      }
      set.add_last(static_cast<std::uint32_t>(*domain),
                   {static_cast<std::uint32_t>(*server), *number});
      continue;
    }
    const auto uuid = uuid_of(trimmed(cut(one, ':')));
    if (!uuid || one.empty()) {
      return std::nullopt;
    }
    Source source{*uuid, {}};
    while (!one.empty()) {
      std::string_view part = trimmed(cut(one, ':'));
      if (!part.empty() && (part.front() < '0' || part.front() > '9')) {
        source.second = part;  // a tag: the intervals behind it are its own
        continue;
      }
      const auto first = number_of(cut(part, '-'));
      const auto last = part.empty() ? first : number_of(part);
      if (!first || !last || *first == 0 || *last < *first || *last >= kMaxNumber) {
        return std::nullopt;
      }
      set.add_interval(source, *first, *last + 1);
    }
  }
  return set;
}

std::string GtidSet::text() const {
  std::string text;
  for (const auto& [domain, last] : domains_) {
    text += text.empty() ? "" : ",";
    text += Gtid{Flavor::mariadb, {}, {}, domain, last.server, last.number}.text();
  }
  for (const auto& [source, intervals] : sources_) {
    text += text.empty() ? "" : ",";
    text += uuid_text(source.first);
    text += source.second.empty() ? "" : ":" + source.second;
    for (const auto& [first, end] : intervals) {
      text += ':' + std::to_string(first);
      text += end - first == 1 ? "" : "-" + std::to_string(end - 1);
    }
  }
  return text;
}

// --- bytes

std::optional<GtidSet> GtidSet::parse_event(Flavor flavor, std::string_view body) {
  GtidSet set(flavor);
  ByteReader reader(body);
  if (flavor == Flavor::mariadb) {
    const std::uint32_t count = reader.u32() & 0x0fffffffU;  // the upper bits are flags
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      const std::uint32_t domain = reader.u32();
      const std::uint32_t server = reader.u32();
      set.add_last(domain, {server, reader.u64()});
    }
    return reader.ok() ? std::optional(std::move(set)) : std::nullopt;
  }
  // The top byte says whether sources have tags; then the count stands between it and the lowest.
  const std::uint64_t head = reader.u64();
  const std::uint64_t format = head >> 56U;
  const std::uint64_t count = format == 0 ? head : (head >> 8U) & 0xffffffffffffU;
  if (format > 1) {
    return std::nullopt;
  }
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view uuid = reader.take(16);
    Source source{{}, {}};
    if (format == 1) {
      source.second = reader.take(static_cast<std::size_t>(serialized_uint(reader)));
    }
    const std::uint64_t intervals = reader.u64();
    if (!reader.ok() || source.second.size() > kMaxTag) {
      return std::nullopt;
    }
    source.first = uuid_from(uuid);
    for (std::uint64_t k = 0; k < intervals && reader.ok(); ++k) {
      const std::uint64_t first = reader.u64();
      set.add_interval(source, first, reader.u64());
    }
  }
  return reader.ok() ? std::optional(std::move(set)) : std::nullopt;
}

void GtidSet::encode(std::string& out) const {
  out += flavor_ == Flavor::mysql ? 'M' : 'R';
  if (flavor_ == Flavor::mariadb) {
    for (const auto& [domain, last] : domains_) {
      put_varint(out, domain);
      put_varint(out, last.server);
      put_varint(out, last.number);
    }
    return;
  }
  for (const auto& [source, intervals] : sources_) {
    out.append(reinterpret_cast<const char*>(source.first.data()), source.first.size());
    put_varint(out, source.second.size());
    out += source.second;
    put_varint(out, intervals.size());
    std::uint64_t at = 0;
    for (const auto& [first, end] : intervals) {
      put_varint(out, first - at);
      put_varint(out, end - first);
      at = end;
    }
  }
}

std::optional<GtidSet> GtidSet::decode(std::string_view bytes) {
  if (bytes.empty() || (bytes.front() != 'M' && bytes.front() != 'R')) {
    return std::nullopt;
  }
  GtidSet set(bytes.front() == 'M' ? Flavor::mysql : Flavor::mariadb);
  ByteReader reader(bytes.substr(1));
  while (reader.ok() && !reader.at_end()) {
    if (set.flavor_ == Flavor::mariadb) {
      const std::uint64_t domain = get_varint(reader);
      const std::uint64_t server = get_varint(reader);
      const std::uint64_t number = get_varint(reader);
      if (domain > UINT32_MAX || server > UINT32_MAX) {
        return std::nullopt;
      }
      set.add_last(static_cast<std::uint32_t>(domain),
                   {static_cast<std::uint32_t>(server), number});
      continue;
    }
    const std::string_view uuid = reader.take(16);
    Source source{{}, std::string(reader.take(static_cast<std::size_t>(get_varint(reader))))};
    const std::uint64_t intervals = get_varint(reader);
    if (!reader.ok() || source.second.size() > kMaxTag) {
      return std::nullopt;
    }
    source.first = uuid_from(uuid);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < intervals; ++i) {
      const std::uint64_t first = at + get_varint(reader);
      at = first + get_varint(reader);
      if (!reader.ok() || !set.add_interval(source, first, at)) {
        return std::nullopt;
      }
    }
  }
  return reader.ok() ? std::optional(std::move(set)) : std::nullopt;
}

std::string GtidSet::dump_payload() const {
  const bool tagged = std::any_of(sources_.begin(), sources_.end(),
                                  [](const auto& each) { return !each.first.second.empty(); });
  const std::uint64_t count = sources_.size();
  std::string out;
  base::put_little_endian(out, tagged ? (std::uint64_t{1} << 56U) | (count << 8U) | 1U : count);
  for (const auto& [source, intervals] : sources_) {
    out.append(reinterpret_cast<const char*>(source.first.data()), source.first.size());
    if (tagged) {
      put_serialized_size(out, source.second.size());
      out += source.second;
    }
    base::put_little_endian(out, std::uint64_t{intervals.size()});
    for (const auto& [first, end] : intervals) {
      base::put_little_endian(out, first);
      base::put_little_endian(out, end);
    }
  }
  return out;
}

// --- events

std::optional<GtidEvent> parse_mysql_gtid(std::string_view body) {
  ByteReader reader(body);
  reader.skip(1);  // flags
  const std::string_view uuid = reader.take(16);
  GtidEvent event;
  event.gtid.number = reader.u64();
  if (!reader.ok()) {
    return std::nullopt;
  }
  event.gtid.source = uuid_from(uuid);
  if (reader.u8() == 2) {  // logical clocks, then the commit's time in microseconds (MySQL 8)
    reader.skip(16);
    // The highest bit says that the original server's time follows.
    const std::uint64_t micros = reader.little_endian(7) & ~(std::uint64_t{1} << 55U);
    event.committed_micros = reader.ok() ? micros : 0;
  }
  return event;
}

std::optional<GtidEvent> parse_tagged_gtid(std::string_view body) {
  // One message of MySQL's serialization library: version, size, the last field that may not be
  // passed over, then fields with their numbers in ascending order, those with their default left
  // out. Field numbers: Gtid_event::define_fields in control_events.h.
  ByteReader reader(body);
  const std::uint64_t version = serialized_uint(reader);
  (void)serialized_uint(reader);
  (void)serialized_uint(reader);
  if (!reader.ok() || version != 1) {
    return std::nullopt;
  }
  GtidEvent event;
  while (reader.ok() && !reader.at_end()) {
    const std::uint64_t field = serialized_uint(reader);
    if (field == 0) {
      (void)serialized_uint(reader);  // flags
    } else if (field == 1) {
      for (std::uint8_t& byte : event.gtid.source) {
        byte = static_cast<std::uint8_t>(serialized_uint(reader));
      }
    } else if (field == 2) {
      event.gtid.number = static_cast<std::uint64_t>(serialized_int(reader));
    } else if (field == 3) {
      event.gtid.tag = reader.take(static_cast<std::size_t>(serialized_uint(reader)));
    } else if (field == 4 || field == 5) {
      (void)serialized_int(reader);  // logical clocks
    } else if (field == 6) {
      event.committed_micros = serialized_uint(reader);
      break;  // nothing behind it is of use here
    } else {
      break;
    }
  }
  const bool good = reader.ok() && event.gtid.number > 0 && event.gtid.tag.size() <= kMaxTag;
  return good ? std::optional(std::move(event)) : std::nullopt;
}

std::optional<GtidEvent> parse_mariadb_gtid(std::string_view body, std::uint32_t server_id) {
  // Flags of Gtid_log_event in MariaDB's log_event.h.
  constexpr unsigned kStandalone = 0x01;
  constexpr unsigned kGroupCommit = 0x02;
  constexpr unsigned kPreparedXa = 0x40;
  ByteReader reader(body);
  GtidEvent event;
  event.gtid.flavor = Flavor::mariadb;
  event.gtid.server = server_id;
  event.gtid.number = reader.u64();
  event.gtid.domain = reader.u32();
  const std::uint8_t flags = reader.u8();
  event.is_standalone = (flags & kStandalone) != 0;
  if ((flags & kGroupCommit) != 0) {
    reader.skip(8);
  }
  if ((flags & kPreparedXa) != 0) {
    const std::uint32_t format = reader.u32();
    const std::uint8_t gtrid = reader.u8();
    const std::uint8_t bqual = reader.u8();
    const std::string_view data = reader.take(std::size_t{gtrid} + bqual);
    if (reader.ok()) {
      event.xa_id = xa_id_text(data.substr(0, gtrid), data.substr(gtrid), format);
    }
  }
  return reader.ok() ? std::optional(std::move(event)) : std::nullopt;
}

}  // namespace ustream::mysql
