// Row images of a binlog: where one ends, whether it can be read, a column of it, all, as JSON.
#include <ctime>
#include <stdexcept>

#include "bench.hpp"
#include "connectors/mysql/binlog_file.hpp"
#include "connectors/mysql/row_codec.hpp"

namespace ustream::bench {
namespace {

using mysql::BinlogRowCodec;

/// Images one after the other, as in a rows event, and documents over them.
struct Images {
  std::vector<Document> documents;
  std::size_t bytes = 0;
};

/// orders(id bigint unsigned, customer_id int, status enum, amount decimal(12,2), note
/// varchar(120), qty smallint unsigned, created datetime(3), updated timestamp(6)).
mysql::TableMapPtr orders_map() {
  using mysql::ColumnType;
  auto table = std::make_shared<mysql::TableMap>();
  table->database = "shop";
  table->table = "orders";
  const auto add = [&](const char* name, ColumnType type, std::uint16_t meta, bool is_unsigned) {
    mysql::BinlogColumn column;
    column.name = name;
    column.type = type;
    column.meta = meta;
    column.is_unsigned = is_unsigned;
    table->columns.push_back(std::move(column));
  };
  add("id", ColumnType::big, 0, true);
  add("customer_id", ColumnType::integer, 0, false);
  add("status", ColumnType::enumeration, 1, false);
  table->columns.back().labels = {"new", "paid", "shipped", "returned"};
  add("amount", ColumnType::decimal, 12U << 8U | 2U, false);
  add("note", ColumnType::varchar, 480, false);
  add("qty", ColumnType::small, 0, true);
  add("created", ColumnType::datetime2, 3, false);
  add("updated", ColumnType::timestamp2, 6, false);
  table->schema = mysql::schema_of(*table, {0});
  return table;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> 8 * i & 0xffU);
  }
}
void put_high_first(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;) {
    out += static_cast<char>(value >> 8 * i & 0xffU);
  }
}

void put_order(std::string& out, std::uint64_t id) {
  const std::string note = "leave it with the neighbour, no. " + std::to_string(id % 100);
  put(out, 0, 1);  // nothing is null
  put(out, id, 8);
  put(out, id % 1000, 4);
  put(out, 1 + id % 4, 1);
  put_high_first(out, 0x80, 1);  // ten digits before the point: one, and nine
  put_high_first(out, 12'345 + id, 4);
  put_high_first(out, id % 100, 1);
  put(out, note.size(), 2);
  out += note;
  put(out, 1 + id % 9, 2);
  const std::uint64_t day = (2026 * 13 + 1 + id % 12) << 5U | (1 + id % 28);
  put_high_first(out, 0x80'0000'0000U | day << 17U | 10U << 12U | 20U << 6U | id % 60, 5);
  put_high_first(out, id % 1000 * 10, 2);
  put_high_first(out, 1'790'000'000 + id, 4);
  put_high_first(out, id % 1'000'000, 3);
}

Images made(std::size_t count) {
  const auto codec = std::make_shared<const BinlogRowCodec>(orders_map(), std::string_view("\xff"));
  auto bytes = std::make_shared<std::string>();
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < count; ++i) {
    starts.push_back(bytes->size());
    put_order(*bytes, 1'000'000 + i);
  }
  struct Owner {
    std::shared_ptr<const BinlogRowCodec> codec;
    std::shared_ptr<const std::string> bytes;
  };
  const auto owner = std::make_shared<const Owner>(Owner{codec, bytes});
  Images images;
  images.bytes = bytes->size();
  for (const std::size_t start : starts) {
    const auto checked = codec->image_and_check(std::string_view(*bytes).substr(start));
    if (!checked || checked->reason != nullptr) {
      throw std::logic_error("a row image could not be made");
    }
    images.documents.emplace_back(owner, codec.get(),
                                  std::as_bytes(std::span<const char>(checked->bytes)));
  }
  return images;
}

Images read(const std::string& file) {
  Images images;
  mysql::BinlogFileReader reader([&](const ChangeBatchPtr& batch) {
    for (const Change& change : batch->changes) {
      for (const Document& document : {change.before, change.after}) {
        if (document) {
          images.bytes += document.raw().size();
          images.documents.push_back(document);
        }
      }
    }
  });
  reader.read({file});
  if (images.documents.empty()) {
    throw std::runtime_error(file + " holds no rows");
  }
  return images;
}

const BinlogRowCodec& codec_of(const Document& document) {
  return *static_cast<const BinlogRowCodec*>(document.codec());
}
std::string_view text_of(const Document& document) {
  return {reinterpret_cast<const char*>(document.raw().data()), document.raw().size()};
}

/// Adds up something of each value, so that none is left out.
class Sum final : public FieldVisitor {
 public:
  explicit Sum(Scratch& scratch) : scratch_(scratch) {}
  [[nodiscard]] bool wants(std::size_t /*index*/, std::string_view /*name*/) override {
    return true;
  }
  void visit(std::size_t /*index*/, std::string_view /*name*/, const ValueView& value) override {
    sum_ += static_cast<std::uint64_t>(value.type());
    scratch_.clear();
  }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  Scratch& scratch_;
  std::uint64_t sum_ = 0;
};

/// Of this thread: nothing here waits for anything.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// `work` gives a number, so that it is not optimised away.
template <class Work>
void measure(const Settings& settings, Report& report, const Images& images,
             const std::string& what, double limit_ns, const Work& work) {
  const std::size_t rounds =
      settings.amount(std::max<std::size_t>(1, 4'000'000 / images.documents.size()), 1);
  std::vector<double> times;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < settings.repetitions; ++i) {
    const double start = processor_seconds();
    for (std::size_t round = 0; round < rounds; ++round) {
      for (const Document& document : images.documents) {
        sum += work(document);
      }
    }
    times.push_back(processor_seconds() - start);
  }
  const double images_per_run = static_cast<double>(rounds * images.documents.size());
  const double time = median(times);
  if (sum == 0) {
    throw std::logic_error("the work was not done");
  }
  const Result each{what, time / images_per_run * 1e9, "ns/image"};
  report.add(limit_ns > 0 ? below(limit_ns, each) : each);
  report.add({what + ", a second", images_per_run / time / 1e6, "M images"});
}

}  // namespace

void bench_binlog(const Settings& settings, Report& report) {
  const bool is_made = settings.binlog.empty();
  const Images images = is_made ? made(settings.amount(1000, 100)) : read(settings.binlog);
  const double size =
      static_cast<double>(images.bytes) / static_cast<double>(images.documents.size());
  report.section("binlog rows",
                 (is_made ? "orders of eight columns (key, INT, ENUM, DECIMAL, VARCHAR, SMALLINT, "
                            "DATETIME(3), TIMESTAMP(6))"
                          : settings.binlog) +
                     ", " + std::to_string(static_cast<int>(size)) + " bytes on average");
  Scratch scratch;
  std::string json;
  const auto limit = [&](double ns) { return is_made ? ns : 0; };
  measure(settings, report, images, "find the end", limit(25), [](const Document& document) {
    return codec_of(document).image(text_of(document))->size();
  });
  measure(settings, report, images, "find the end and check", limit(50),
          [](const Document& document) {
            return codec_of(document).image_and_check(text_of(document))->bytes.size();
          });
  measure(settings, report, images, "one column of fixed place", limit(15),
          [&](const Document& document) {
            const auto value = document.field(1, scratch);
            return static_cast<std::uint64_t>(value ? value->type() : ValueType::null) + 1;
          });
  const std::size_t last = images.documents.front().field_count() - 1;
  measure(settings, report, images, "one column behind a text", limit(25),
          [&](const Document& document) {
            const auto value = document.field(std::min(last, document.field_count() - 1), scratch);
            const auto type = value ? value->type() : ValueType::null;
            scratch.clear();
            return static_cast<std::uint64_t>(type) + 1;
          });
  measure(settings, report, images, "all columns", limit(150), [&](const Document& document) {
    Sum sum(scratch);
    document.codec()->visit_fields(document.raw(), scratch, sum);
    return sum.sum() + 1;
  });
  measure(settings, report, images, "to JSON", limit(400), [&](const Document& document) {
    json.clear();
    document.write_json(json);
    return json.size();
  });
}

}  // namespace ustream::bench
