// Who is asking: from an API key, and from nothing else.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace a4cd {

struct Principal {
  std::string tenant;  // the scope of all that it reads and writes
  std::string key_id;
  std::set<std::string, std::less<>> scopes;  // "*": all
  int64_t expires_at = 0;                     // of the key; 0: never

  bool Allows(std::string_view scope) const {
    return scope.empty() || scopes.contains("*") || scopes.contains(scope);
  }
};

// What a key can be allowed, each with its meaning.
struct KnownScope {
  const char* name;
  const char* meaning;
};
inline constexpr KnownScope kKnownScopes[] = {
    {"*", "everything"},
    {"jobs:read", "read jobs, their logs and events"},
    {"jobs:write", "create, cancel and retry jobs"},
    {"workspaces:read", "read workspaces and their logs"},
    {"workspaces:write", "create, start, stop and delete workspaces"},
    {"secrets:read", "list the names of secrets"},
    {"secrets:write", "set, replace and delete secrets"},
    {"hosts:read", "read servers and explain placement"},
    {"hosts:admin", "add, label, cordon, drain, clean up and remove servers"},
    {"keys:admin", "create, list and revoke API keys of the own tenant"},
    {"tenants:admin", "create, change and list tenants, and create keys for them"},
    {"audit:read", "read the audit log of the own tenant"},
    {"sync:admin", "see, verify, repair and rebuild the search index of the installation"},
    {"status:read", "read the state of the installation"}};

}  // namespace a4cd
