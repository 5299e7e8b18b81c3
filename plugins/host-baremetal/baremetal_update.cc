// HostUpdate: another container with the same volume.
//
// What is sure to fail is found out before the old container is touched. Then it is stopped, its
// own file system grows if it is to, the container goes and the new one comes: between these two
// steps there is only the volume, and every later call of Update or Ensure makes a container of it.
#include "a4c/host_update.h"
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "images/image_names.h"
#include "units/unit_effects.h"
#include "units/unit_ensuring.h"

namespace a4c::baremetal {
namespace {

class BaremetalUpdate final : public HostUpdate {
 public:
  BaremetalUpdate(BaremetalServers& servers, HostImageSupply& supply)
      : servers_(servers), supply_(supply) {}

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    A4C_CHECK(CheckUnit(unit));
    return WithImage(servers_, supply_, call, unit, [&] { return UpdateOnce(call, unit); });
  }

 private:
  Result<UnitStatus> UpdateOnce(const Call& call, const Unit& unit) {
    A4C_TRY(const auto effects,
            UnitEffects::Begin(servers_, call, unit.host, unit.name, {unit.epoch, unit.claim}));
    const Result<void> cleared = MakeRoom(unit, *effects);
    if (!cleared) return Judged(*effects, cleared.error());
    Result<UnitStatus> status = EnsureBy(servers_, call, unit, *effects);
    if (!status) return Judged(*effects, status.error());
    return status;
  }

  // An image that goes between two steps leaves nothing as it was.
  static Error Judged(const UnitEffects& effects, const Error& error) {
    if (!effects.any() || error.code() != Code::kNotFound) return effects.Judge(error);
    return Error(Code::kUnknownOutcome, error.message(), error.hint());
  }

  // The old container goes, if there is one.
  static Result<void> MakeRoom(const Unit& unit, UnitEffects& effects) {
    A4C_TRY(const auto found, effects.Find());
    // A name that is another's is refused by Ensure.
    if (found && !effects.IsOurs(found)) return {};
    A4C_CHECK(effects.Admit(found));
    A4C_CHECK(effects.CheckImage(unit.spec.image));
    if (!found) return {};
    A4C_CHECK(effects.CheckKept(*found));
    A4C_CHECK(effects.Remember());
    if (found->running) A4C_CHECK(effects.Stop(*found));
    A4C_CHECK(effects.RefreshVolume(*found, unit.spec.disk_bytes));
    return effects.Delete(*found);
  }

  BaremetalServers& servers_;
  HostImageSupply& supply_;
};

}  // namespace

std::unique_ptr<HostUpdate> NewBaremetalUpdate(BaremetalServers& servers, HostImageSupply& supply) {
  return std::make_unique<BaremetalUpdate>(servers, supply);
}

}  // namespace a4c::baremetal
