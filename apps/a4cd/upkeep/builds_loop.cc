#include "apps/a4cd/upkeep/builds_loop.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "apps/a4cd/hosts/image_references.h"
#include "apps/a4cd/upkeep/passed_over.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Record;
using a4c::Result;

class BuildsLoop final : public a4c::Loop {
 public:
  BuildsLoop(a4c::Database& database, a4c::HostImageSupply& images, DiskService& disks,
             const a4c::Runtime& runtime, const BuildsLoopOptions& options)
      : database_(database), images_(images), disks_(disks), runtime_(runtime), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<Server> servers, disks_.Servers(call));
    if (servers.empty() || !std::ranges::all_of(servers, &Server::reachable)) {
      return options_.period_ms;
    }
    A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, {.kind = "built_image",
                                                              .index = "by_built",
                                                              .after = after_,
                                                              .limit = options_.builds_max}));
    PassedOver passed_over(runtime_, name_);
    for (const Record& build : page.records) {
      const Result<Use> use = UseOf(call, servers, build);
      if (!use) A4C_CHECK(passed_over.Note(call, build.ref, use.error()));
      if (use && *use == Use::kUnknown) return options_.period_ms;
      if (!use || *use == Use::kSome) continue;
      A4C_CHECK(passed_over.Note(call, build.ref, Forget(call, build)));
    }
    after_ = page.next;
    return after_.empty() ? options_.period_ms : options_.pause_ms;
  }

 private:
  enum class Use : uint8_t { kNone, kSome, kUnknown };

  Result<Use> UseOf(const Call& call, const std::vector<Server>& servers, const Record& build) {
    A4C_TRY(const a4c::Json body, a4c::ParseJson(build.body));
    const std::string& digest = body["digest"].Text();
    A4C_TRY(const bool is_used, IsMadeOf(call, database_, digest));
    if (is_used) return Use::kSome;
    for (const std::string& server : InOrder(servers, body["host"].Text())) {
      a4c::Call ask = call;
      ask.deadline_ms =
          std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
      const auto found = images_.Find(ask, server, digest);
      if (!found) return Use::kUnknown;
      if (*found) return Use::kSome;
    }
    return Use::kNone;
  }

  // The server that built it first: most likely it is there.
  static std::vector<std::string> InOrder(const std::vector<Server>& servers,
                                          const std::string& builder) {
    std::vector<std::string> ids;
    for (const Server& server : servers) {
      ids.insert(server.id == builder ? ids.begin() : ids.end(), server.id);
    }
    return ids;
  }

  // A tag that is built anew meanwhile stays.
  Result<void> Forget(const Call& call, const Record& build) {
    A4C_CHECK(database_.Write(
        call, {.also = {a4c::Delete{.ref = build.ref, .expect = a4c::Expect::Rev(build.rev)}}}));
    return {};
  }

  const std::string name_ = "builds";
  a4c::Database& database_;
  a4c::HostImageSupply& images_;
  DiskService& disks_;
  const a4c::Runtime runtime_;
  const BuildsLoopOptions options_;
  std::string after_;  // in the round that goes on
};

}  // namespace

std::unique_ptr<a4c::Loop> NewBuildsLoop(a4c::Database& database, a4c::HostImageSupply& images,
                                         DiskService& disks, const a4c::Runtime& runtime,
                                         const BuildsLoopOptions& options) {
  return std::make_unique<BuildsLoop>(database, images, disks, runtime, options);
}

}  // namespace a4cd
