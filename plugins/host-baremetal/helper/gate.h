// What the helper does for a request. Requests are HTTP, one after the other on standard input:
//
//   GET  any path of the Docker API         handed on
//   POST, DELETE /v1.41/containers/..., /v1.41/volumes/...
//                                           handed on under the unit's lock, after its fence
//                                           admitted it; of a container that is stopped or
//                                           removed no process is left, whether dockerd knows of
//                                           it or not
//   GET  /a4c/version                       who we are
//   GET  /a4c/units                         fences and volumes of those units of the
//                                           cluster that have a container or a volume
//   GET  /a4c/disk?path=/srv                figures of a file system
//   POST /a4c/fence                         only the fence
//   POST /a4c/volume?bytes=N                makes or grows the unit's volume
//   POST /a4c/volume?bytes=N&existing=1     the same, and makes none
//   DELETE /a4c/volume                      removes it, once its container is gone
//   POST /a4c/token?adopt=T, ?current=T&next=T
//
// Fields: a4c-cluster; for effects a4c-unit, a4c-epoch, a4c-claim (may be empty), a4c-token (where
// the server knows one).
#pragma once

#include <set>
#include <string>

#include "http.h"
#include "settings.h"

namespace a4c::helper {

class Gate {
 public:
  explicit Gate(Settings settings) : settings_(std::move(settings)) {}
  Reply Handle(const Request& request) const;

 private:
  struct Subject;  // whom an effect is about and who wants it

  Result<Reply> Judged(const Request& request) const;
  Result<Reply> Effect(const Request& request, const std::string& directory) const;
  Result<Reply> Act(const Request& request, const Subject& subject,
                    const std::string& directory) const;
  Result<void> EndUnknown(const std::string& unit, const std::string& id) const;
  Result<Reply> EnsureVolume(const Request& request, const std::string& unit,
                             const std::string& directory) const;
  Result<Reply> RemoveVolume(const std::string& unit, const std::string& directory) const;
  Result<Reply> Units(const std::string& cluster) const;
  Result<std::set<std::string>> UnitsWithContainers(const std::string& cluster) const;
  Result<Reply> ChangeToken(const Request& request, const std::string& directory) const;
  void Prune(const std::string& directory) const;
  // kUnavailable: dockerd does not say.
  Result<bool> IsThere(const std::string& unit, const std::string& directory) const;
  // What dockerd says of the unit's container; nothing if there is none.
  Result<std::optional<std::string>> Inspect(const std::string& unit) const;

  const Settings settings_;
};

// Until the end of the input.
Result<void> Serve(const Gate& gate, int in, int out);

}  // namespace a4c::helper
