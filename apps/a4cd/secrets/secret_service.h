// Secrets of tenants over a Database: set and replaced by name, never shown again, opened for
// workers alone. What is stored is sealed. [any thread]
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "apps/a4cd/auth/principal.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/jobs/prepared_write.h"
#include "apps/a4cd/secrets/secret_box.h"

namespace a4cd {

inline constexpr size_t kSecretBytesMax = 65'536;

struct Secret {
  std::string name;
  int64_t rev = 0;
  bool is_gone = false;
  std::string sealed = {};
  int64_t created_at = 0;
  int64_t updated_at = 0;
  std::string updated_by = {};
};

class SecretService {
 public:
  // box: null if none is configured; then all but reading what there is is kUnsupported.
  SecretService(a4c::Database& database, const a4c::Runtime& runtime,
                std::shared_ptr<const SecretBox> box)
      : database_(database), runtime_(runtime), box_(std::move(box)) {}

  // Reads {"value"}; what is wrong goes to faults, without the value.
  static std::string ReadValue(const a4c::Json& request, Faults& faults);

  a4c::Result<PreparedWrite> PrepareSet(const a4c::Call& call, const Principal& principal,
                                        const std::string& name, std::string_view value);
  a4c::Result<PreparedWrite> PrepareDelete(const a4c::Call& call, const Principal& principal,
                                           const std::string& name);
  a4c::Result<Secret> Get(const a4c::Call& call, const std::string& tenant,
                          const std::string& name);
  struct Page {
    std::vector<Secret> secrets;
    std::string next;
  };
  a4c::Result<Page> List(const a4c::Call& call, const std::string& tenant, const std::string& after,
                         int limit);

  // What stands for a value where something has to: in the identity of a request.
  a4c::Result<std::string> Fingerprint(std::string_view value) const;
  // The value. kInvalid: there is none of that name, or it cannot be opened.
  a4c::Result<std::string> Reveal(const a4c::Call& call, const std::string& tenant,
                                  const std::string& name);

 private:
  a4c::Result<void> CheckBox() const;
  // As it is stored, a tombstone too; rev 0: there never was one.
  a4c::Result<Secret> Find(const a4c::Call& call, const std::string& tenant,
                           const std::string& name);

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const std::shared_ptr<const SecretBox> box_;
};

a4c::Json SecretView(const Secret& secret);
bool IsSecretName(std::string_view name);

}  // namespace a4cd
