#include "core/dump/code_graph.h"

#include <charconv>

namespace pgbackup {

void CodeGraph::Add(std::string_view from, std::string_view to) {
  const auto found = users_.find(to);
  if (found != users_.end())
    found->second.emplace_back(from);
  else
    users_.emplace(to, std::vector{std::string(from)});
}

std::set<uint32_t> CodeGraph::Users(char kind, std::string_view code) const {
  std::set<std::string_view> seen = {code};
  std::vector<std::string_view> open = {code};
  std::set<uint32_t> oids;
  while (!open.empty()) {
    const std::string_view node = open.back();
    open.pop_back();
    if (node.front() == kind) {
      uint32_t oid = 0;
      std::from_chars(node.data() + 1, node.data() + node.size(), oid);
      oids.insert(oid);
    }
    const auto users = users_.find(node);
    if (users == users_.end()) continue;
    for (const std::string& user : users->second)
      if (seen.insert(user).second) open.push_back(user);
  }
  return oids;
}

}  // namespace pgbackup
