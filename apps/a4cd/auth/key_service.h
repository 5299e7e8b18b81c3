// API keys and tenants over a Database. [any thread]
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "apps/a4cd/auth/principal.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/jobs/prepared_write.h"

namespace a4cd {

struct KeyDraft {
  std::string name;
  std::string tenant;
  std::vector<std::string> scopes;
  int64_t ttl_ms = 0;  // 0: never expires
};

struct Tenant {
  std::string id;
  int64_t rev = 0;
  std::string name;
  int64_t share = 1;  // of the workers, against that of the others
  int64_t created_at = 0;
};

// What is not there stays.
struct TenantChange {
  std::optional<std::string> name = {};
  std::optional<int64_t> share = {};
};

struct ApiKey {
  std::string id;
  int64_t rev = 0;
  std::string tenant;
  std::string name;
  std::string hash;
  std::vector<std::string> scopes;
  int64_t created_at = 0;
  int64_t expires_at = 0;
  std::string created_by;
};

class KeyService {
 public:
  // cache_ms: how long a key that was found good is believed without reading it again.
  KeyService(a4c::Database& database, const a4c::Runtime& runtime, int64_t cache_ms)
      : database_(database), runtime_(runtime), cache_ms_(cache_ms) {}

  // kDenied: not a key, not known, revoked or expired: the message does not say which to a
  // stranger.
  a4c::Result<Principal> Authenticate(const a4c::Call& call, const std::string& key);

  // Reads {"name", "tenant", "scopes", "ttl"}; nobody gives scopes that they lack, nor for longer
  // than they have them.
  KeyDraft ReadDraft(const a4c::Json& request, const Principal& principal, Faults& faults) const;
  // The view of what is made lacks the key itself, which is handed out beside it, once.
  struct NewKey {
    PreparedWrite write;
    std::string key;
  };
  NewKey PrepareCreate(const KeyDraft& draft, const std::string& created_by);
  a4c::Result<ApiKey> Get(const a4c::Call& call, const std::string& tenant, const std::string& id);
  struct Page {
    std::vector<ApiKey> keys;
    std::string next;
  };
  a4c::Result<Page> List(const a4c::Call& call, const std::string& tenant, const std::string& after,
                         int limit);
  PreparedWrite PrepareRevoke(const ApiKey& key);
  // Those of the keys that are neither revoked nor expired, read anew.
  a4c::Result<std::set<std::string>> Good(const a4c::Call& call, const std::set<std::string>& ids);
  // Drops what is remembered of a key, on this instance.
  void Forget(const std::string& id);

  a4c::Result<bool> HasAny(const a4c::Call& call);
  enum class Again : uint8_t { kNo, kYes };
  // The first key, with all scopes; nothing if there is any key already, unless it is asked for
  // again, which is audited.
  a4c::Result<std::optional<std::string>> Bootstrap(const a4c::Call& call,
                                                    const std::string& tenant,
                                                    Again again = Again::kNo);

  PreparedWrite PrepareTenant(const a4c::Json& request, Faults& faults);
  // kNotFound: there is none. The first tenant has no record: rev 0.
  a4c::Result<Tenant> GetTenant(const a4c::Call& call, const std::string& id);
  // Of a tenant as it was read. kConflict: the first one, which stays as it is.
  a4c::Result<PreparedWrite> PrepareUpdate(const Tenant& tenant, const TenantChange& change);
  a4c::Result<a4c::Json> ListTenants(const a4c::Call& call);
  a4c::Result<bool> TenantExists(const a4c::Call& call, const std::string& tenant);

 private:
  struct Remembered {
    Principal principal;
    int64_t until_ms = 0;
  };
  std::optional<Principal> Recall(const std::string& hash);
  void Remember(const std::string& hash, const Principal& principal);
  bool HasExpired(int64_t expires_at) const {
    return expires_at != 0 && expires_at <= database_.NowMs();
  }

  a4c::Put AuditOfBootstrap(const std::string& tenant, const PreparedWrite& key) const;

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const int64_t cache_ms_;
  std::mutex mutex_;
  std::map<std::string, Remembered> cache_;  // by hash; guarded by mutex_
};

a4c::Json ApiKeyView(const ApiKey& key);
a4c::Json TenantView(const Tenant& tenant);
TenantChange ReadTenantChange(const a4c::Json& request, Faults& faults);
inline constexpr const char* kDefaultTenant = "default";

}  // namespace a4cd
