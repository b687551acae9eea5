#include <algorithm>
#include <utility>

#include "ustream/connector.hpp"

namespace ustream {

void ConnectorRegistry::add(std::string name, ConnectorFactory factory,
                            std::vector<std::string> aliases) {
  if (name.empty() || !factory) {
    throw Error(ErrorKind::internal, "a connector needs a name and a factory");
  }
  const auto same = std::find_if(entries_.begin(), entries_.end(),
                                 [&name](const Entry& entry) { return entry.name == name; });
  Entry entry{std::move(name), std::move(factory), std::move(aliases)};
  if (same != entries_.end()) {
    *same = std::move(entry);
  } else {
    entries_.push_back(std::move(entry));
  }
}

std::unique_ptr<BaseConnector> ConnectorRegistry::create(const SourceConfig& config) const {
  const std::string& scheme = config.scheme;
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.name == scheme) {
      found = &entry;  // a name goes before another's alias
      break;
    }
    if (found == nullptr &&
        std::find(entry.aliases.begin(), entry.aliases.end(), scheme) != entry.aliases.end()) {
      found = &entry;
    }
  }
  if (found != nullptr) {
    return found->factory(config);
  }
  std::string known;
  std::vector<std::string> schemes;
  for (const Entry& entry : entries_) {
    known += (known.empty() ? "" : ", ") + entry.name;
    schemes.push_back(entry.name);
    schemes.insert(schemes.end(), entry.aliases.begin(), entry.aliases.end());
  }
  std::string message = "no connector for '" + scheme.substr(0, 60) + "'; this build has " +
                        (known.empty() ? "none" : known);
  const std::string nearest = nearest_name(scheme, schemes);
  if (!nearest.empty()) {
    message += "; did you mean '" + nearest + "'?";
  }
  throw ValidationError(message, scheme);
}

std::vector<std::string> ConnectorRegistry::names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    names.push_back(entry.name);
  }
  return names;
}

}  // namespace ustream
