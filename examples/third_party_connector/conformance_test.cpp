// The memory connector under ustream's conformance suite.

#include <ustream/testing/conformance.hpp>

#include "memory_connector.hpp"

namespace memory {

class MemoryFixture final : public ustream::testing::ConformanceFixture {
 public:
  std::string name() const override { return "memory"; }
  std::unique_ptr<ustream::BaseConnector> make_connector() override {
    return memory::make_connector(store_);
  }
  void create_collection(const std::string& collection) override {
    store_->create(collection, {"name", "n", "amount", "data"});
  }
  void drop_collection(const std::string& collection) override { store_->drop(collection); }
  void foreign_write(const std::string& collection,
                     const std::vector<ustream::testing::ForeignWrite>& writes) override {
    using Kind = ustream::testing::ForeignWrite::Kind;
    for (const auto& write : writes) {
      const std::string key = std::to_string(write.id);
      if (write.kind == Kind::remove) {
        store_->remove(collection, key);
      } else {
        store_->write(collection, key, write.fields, ustream::WriteMode::merge);
      }
    }
  }

 private:
  std::shared_ptr<Store> store_ = std::make_shared<Store>();
};

}  // namespace memory

USTREAM_CONFORMANCE(Memory, memory::MemoryFixture);
