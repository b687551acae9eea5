#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "ustream/connector.hpp"

namespace ustream {
namespace {

class NamedConnector final : public BaseConnector {
 public:
  explicit NamedConnector(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  void open() override {}
  void close() noexcept override {}
  void ping() override {}
  [[nodiscard]] std::vector<DoctorCheck> doctor() override { return {}; }
  std::vector<std::string> uninstall() override { return {}; }

 private:
  std::string name_;
};

ConnectorFactory making(const std::string& name) {
  return [name](const SourceConfig&) { return std::make_unique<NamedConnector>(name); };
}

std::string made_by(const ConnectorRegistry& registry, std::string scheme) {
  SourceConfig config;
  config.scheme = std::move(scheme);
  return std::string(registry.create(config)->name());
}

TEST(ConnectorRegistry, creates_by_name_and_by_alias) {
  ConnectorRegistry registry;
  registry.add("mysql", making("mysql"), {"mariadb"});
  registry.add("sqlite", making("sqlite"));
  EXPECT_EQ(made_by(registry, "mysql"), "mysql");
  EXPECT_EQ(made_by(registry, "mariadb"), "mysql");
  EXPECT_EQ(made_by(registry, "sqlite"), "sqlite");
  EXPECT_EQ(registry.names(), (std::vector<std::string>{"mysql", "sqlite"}));
}

TEST(ConnectorRegistry, a_name_replaces_its_earlier_factory_and_goes_before_an_alias) {
  ConnectorRegistry registry;
  registry.add("mysql", making("mysql"), {"mariadb"});
  registry.add("mariadb", making("own"));
  EXPECT_EQ(made_by(registry, "mariadb"), "own");
  registry.add("mysql", making("new"));
  EXPECT_EQ(made_by(registry, "mysql"), "new");
  EXPECT_EQ(registry.names().size(), 2U);
}

TEST(ConnectorRegistry, an_unknown_scheme_lists_the_known_ones) {
  ConnectorRegistry registry;
  registry.add("mysql", making("mysql"), {"mariadb"});
  registry.add("sqlite", making("sqlite"));
  try {
    static_cast<void>(made_by(registry, "sqlit"));
    FAIL() << "no error";
  } catch (const ValidationError& error) {
    EXPECT_STREQ(error.what(),
                 "no connector for 'sqlit'; this build has mysql, sqlite; did you mean 'sqlite'?");
  }
}

TEST(ConnectorRegistry, a_connector_without_facets_offers_none) {
  NamedConnector connector("x");
  EXPECT_EQ(connector.crud(), nullptr);
  EXPECT_EQ(connector.query(), nullptr);
  EXPECT_EQ(connector.change_source(), nullptr);
}

}  // namespace
}  // namespace ustream
