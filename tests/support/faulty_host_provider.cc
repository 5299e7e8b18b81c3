#include "tests/support/faulty_host_provider.h"

#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"

namespace a4c::testing {

Result<std::vector<Host>> FaultyHostProvider::Hosts(const Call& call) {
  return faults_.Read(call, "HostProvider.Hosts", [&] { return inner_.Hosts(call); });
}

Result<UnitStatus> FaultyHostProvider::Ensure(const Call& call, const Unit& unit) {
  return faults_.Effect(call, "HostProvider.Ensure", [&] { return inner_.Ensure(call, unit); });
}

Result<void> FaultyHostProvider::Remove(const Call& call, const std::string& host,
                                        const std::string& name, const Fence& fence) {
  return faults_.Effect(call, "HostProvider.Remove",
                        [&] { return inner_.Remove(call, host, name, fence); });
}

Result<std::vector<UnitStatus>> FaultyHostProvider::List(const Call& call,
                                                         const std::string& host) {
  return faults_.Read(call, "HostProvider.List", [&] { return inner_.List(call, host); });
}

void* FaultyHostProvider::Extension(std::string_view name) {
  if (name == HostLogs::kExtension) return inner_.As<HostLogs>();
  if (name == HostLogTimes::kExtension) return inner_.As<HostLogTimes>();
  if (name == HostExec::kExtension) return inner_.As<HostExec>();
  if (name == HostImages::kExtension) return inner_.As<HostImages>();
  if (name == HostImageSupply::kExtension) return inner_.As<HostImageSupply>();
  if (name == HostCleanup::kExtension) return inner_.As<HostCleanup>();
  if (name == HostEnrolment::kExtension) return inner_.As<HostEnrolment>();
  if (name == HostIncarnation::kExtension) return inner_.As<HostIncarnation>();
  if (name == HostActivity::kExtension) return inner_.As<HostActivity>();
  if (name == HostVolumes::kExtension) return inner_.As<HostVolumes>();
  if (name == HostDescription::kExtension) return inner_.As<HostDescription>();
  if (name == HostLook::kExtension) return inner_.As<HostLook>();
  if (name == HostUpdate::kExtension) return inner_.As<HostUpdate>();
  return nullptr;
}

}  // namespace a4c::testing
