// The binlog decoder: any bytes give changes and quarantine notices, never a crash; and every
// change it gives can be written as JSON.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "ustream/json.hpp"

#include "connectors/mysql/binlog_decoder.hpp"
#include "connectors/mysql/rows_scope.hpp"

using namespace ustream;
using mysql::BinlogDecoder;
using mysql::EventHeader;

namespace {

class Host final : public mysql::DecoderHost {
 public:
  [[nodiscard]] bool deliver(ChangeBatchPtr batch) override {
    std::string json;
    for (const Change& change : batch->changes) {
      json.clear();
      change.write_json(json);
      if (json.empty()) {
        std::abort();
      }
    }
    for (const Notice& notice : batch->notices) {
      if (const auto* quarantine = std::get_if<Quarantine>(&notice.what);
          quarantine != nullptr &&
          (!is_valid_utf8(quarantine->collection) || !is_valid_utf8(quarantine->reason))) {
        std::abort();
      }
    }
    return true;
  }
};

}  // namespace

// The input is a binlog file. Checksums are not looked at, or no mutated event gets past them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::make_shared<const std::string>(reinterpret_cast<const char*>(data), size);
  const auto name = std::make_shared<const std::string>("bin.000001");
  Host host;
  BinlogDecoder decoder(host);
  decoder.start(std::make_shared<const PositionOrigin>(
                    PositionOrigin{"mysql", std::string(mysql::kFilesEpoch)}),
                {}, {});
  std::string_view rest = *file;
  rest.remove_prefix(std::min<std::size_t>(rest.size(), 4));
  while (rest.size() >= EventHeader::kSize) {
    const EventHeader header = EventHeader::parse(rest);
    std::string_view event = rest.substr(0, std::max<std::size_t>(header.size, EventHeader::kSize));
    rest.remove_prefix(event.size());
    if (decoder.has_checksums() && header.type != mysql::EventType::format_description) {
      event.remove_suffix(std::min<std::size_t>(event.size() - EventHeader::kSize, 4));
    }
    (void)decoder.push(file, event,
                       {name, static_cast<std::uint64_t>(event.data() - file->data())});
    (void)decoder.boundary();
  }
  (void)decoder.end_file();
  return 0;
}
