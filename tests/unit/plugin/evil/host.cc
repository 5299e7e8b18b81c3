#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "a4c/plugin.h"
#include "tests/unit/plugin/evil/mode.h"

namespace {

class EvilLogs final : public a4c::HostLogs {
 public:
  explicit EvilLogs(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::LogPage> Read(const a4c::Call&, const std::string&, const std::string&,
                                 const std::string&, int64_t bytes_max) override {
    mode_.Act("Logs.Read");
    const int64_t extra = mode_.Is("too_many", "Logs.Read") ? 1 : 0;
    return a4c::LogPage{std::string(static_cast<size_t>(bytes_max + extra), 'x'), "next"};
  }

 private:
  const evil::Mode& mode_;
};

class EvilLogTimes final : public a4c::HostLogTimes {
 public:
  explicit EvilLogTimes(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::string> PositionAt(const a4c::Call&, const std::string&, const std::string&,
                                      int64_t) override {
    mode_.Act("LogTimes.PositionAt");
    return std::string("here");
  }

 private:
  const evil::Mode& mode_;
};

class EvilExec final : public a4c::HostExec {
 public:
  explicit EvilExec(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<int> Run(const a4c::Call&, const a4c::ExecRequest&,
                       const std::function<void(std::string_view)>& output) override {
    output("before");
    mode_.Act("Exec.Run");
    return 0;
  }

 private:
  const evil::Mode& mode_;
};

class EvilImages final : public a4c::HostImages {
 public:
  explicit EvilImages(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::ImageInfo> Build(const a4c::Call&, const a4c::ImageBuild& build,
                                    const a4c::ByteSource&, const a4c::Progress&) override {
    mode_.Act("Images.Build");
    return a4c::ImageInfo{build.tag, "sha256:0", 1};
  }
  a4c::Result<std::vector<a4c::ImageInfo>> List(const a4c::Call&, const std::string&) override {
    mode_.Act("Images.List");
    return std::vector<a4c::ImageInfo>{};
  }

 private:
  const evil::Mode& mode_;
};

class EvilImageSupply final : public a4c::HostImageSupply {
 public:
  explicit EvilImageSupply(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::optional<a4c::ImageInfo>> Find(const a4c::Call&, const std::string&,
                                                  const std::string&) override {
    mode_.Act("ImageSupply.Find");
    return std::optional<a4c::ImageInfo>();
  }
  a4c::Result<a4c::ImageInfo> Pull(const a4c::Call&, const std::string&,
                                   const std::string& reference, const a4c::Progress&) override {
    mode_.Act("ImageSupply.Pull");
    return a4c::ImageInfo{reference, "sha256:0", 1};
  }
  a4c::Result<a4c::ImageInfo> Send(const a4c::Call&, const std::string&, const std::string&,
                                   const std::string& reference, const a4c::Progress&) override {
    mode_.Act("ImageSupply.Send");
    return a4c::ImageInfo{reference, "sha256:0", 1};
  }

 private:
  const evil::Mode& mode_;
};

class EvilCleanup final : public a4c::HostCleanup {
 public:
  explicit EvilCleanup(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::HostUse> Survey(const a4c::Call&, const std::string&) override {
    mode_.Act("Cleanup.Survey");
    return a4c::HostUse{};
  }
  a4c::Result<void> DiscardImage(const a4c::Call&, const std::string&,
                                 const std::string&) override {
    mode_.Act("Cleanup.DiscardImage");
    return {};
  }

 private:
  const evil::Mode& mode_;
};

class EvilEnrolment final : public a4c::HostEnrolment {
 public:
  explicit EvilEnrolment(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::HostProbe> Probe(const a4c::Call&, const std::string& address) override {
    mode_.Act("Enrolment.Probe");
    const bool is_nameless = mode_.Is("too_few", "Enrolment.Probe");
    return a4c::HostProbe{address, is_nameless ? "" : "SHA256:evil", ""};
  }
  a4c::Result<void> Prepare(const a4c::Call&, const a4c::HostSpec&) override {
    mode_.Act("Enrolment.Prepare");
    return {};
  }
  a4c::Result<void> Add(const a4c::Call&, const a4c::HostSpec&) override {
    mode_.Act("Enrolment.Add");
    return {};
  }
  a4c::Result<void> Remove(const a4c::Call&, const std::string&) override {
    mode_.Act("Enrolment.Remove");
    return {};
  }

 private:
  const evil::Mode& mode_;
};

class EvilActivity final : public a4c::HostActivity {
 public:
  explicit EvilActivity(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::vector<a4c::UnitActivity>> Read(const a4c::Call&, const std::string&,
                                                   const std::vector<std::string>& units) override {
    mode_.Act("Activity.Read");
    const size_t extra = mode_.Is("too_many", "Activity.Read") ? 1 : 0;
    return std::vector<a4c::UnitActivity>(units.size() + extra);
  }

 private:
  const evil::Mode& mode_;
};

class EvilVolumes final : public a4c::HostVolumes {
 public:
  explicit EvilVolumes(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<int64_t> Copy(const a4c::Call&, const a4c::VolumeCopy&) override {
    mode_.Act("Volumes.Copy");
    return int64_t{0};
  }

 private:
  const evil::Mode& mode_;
};

class EvilUpdate final : public a4c::HostUpdate {
 public:
  explicit EvilUpdate(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::UnitStatus> Update(const a4c::Call&, const a4c::Unit& unit) override {
    mode_.Act("Update.Update");
    a4c::UnitStatus status;
    if (!mode_.Is("other_unit", "Update.Update")) status.name = unit.name;
    return status;
  }

 private:
  const evil::Mode& mode_;
};

class EvilDescription final : public a4c::HostDescription {
 public:
  explicit EvilDescription(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::Unit> Describe(const a4c::Call&, const std::string&,
                                  const std::string& name) override {
    mode_.Act("Description.Describe");
    a4c::Unit unit;
    if (!mode_.Is("other_unit", "Description.Describe")) unit.name = name;
    return unit;
  }

 private:
  const evil::Mode& mode_;
};

class EvilLook final : public a4c::HostLook {
 public:
  explicit EvilLook(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::vector<std::string>> Names(const a4c::Call&) override {
    mode_.Act("Look.Names");
    return std::vector<std::string>{"one"};
  }
  a4c::Result<a4c::Host> Look(const a4c::Call&, const std::string& name) override {
    mode_.Act("Look.Look");
    a4c::Host host;
    if (!mode_.Is("other_host", "Look.Look")) host.id = name;
    if (mode_.Is("too_many", "Look.Look")) host.warnings.assign(17, "again");
    return host;
  }

 private:
  const evil::Mode& mode_;
};

class EvilHost final : public a4c::HostProvider {
 public:
  EvilHost(const a4c::Config& config, const a4c::Runtime& runtime) : mode_(config, runtime) {}
  a4c::Result<std::vector<a4c::Host>> Hosts(const a4c::Call&) override {
    mode_.Act("Hosts");
    std::vector<a4c::Host> hosts{{.id = "one"}};
    if (mode_.Is("too_many", "Hosts")) hosts[0].warnings.assign(17, "again");
    return hosts;
  }
  a4c::Result<a4c::UnitStatus> Ensure(const a4c::Call&, const a4c::Unit& unit) override {
    mode_.Act("Ensure");
    a4c::UnitStatus status;
    if (!mode_.Is("other_unit", "Ensure")) status.name = unit.name;
    return status;
  }
  a4c::Result<void> Remove(const a4c::Call&, const std::string&, const std::string&,
                           const a4c::Fence&) override {
    mode_.Act("Remove");
    return {};
  }
  a4c::Result<std::vector<a4c::UnitStatus>> List(const a4c::Call&, const std::string&) override {
    mode_.Act("List");
    return std::vector<a4c::UnitStatus>{};
  }

 private:
  void* Extension(std::string_view name) override {
    if (name == a4c::HostLogs::kExtension) return static_cast<a4c::HostLogs*>(&logs_);
    if (name == a4c::HostLogTimes::kExtension) {
      return static_cast<a4c::HostLogTimes*>(&log_times_);
    }
    if (name == a4c::HostExec::kExtension) return static_cast<a4c::HostExec*>(&exec_);
    if (name == a4c::HostImages::kExtension) return static_cast<a4c::HostImages*>(&images_);
    if (name == a4c::HostImageSupply::kExtension) {
      return static_cast<a4c::HostImageSupply*>(&image_supply_);
    }
    if (name == a4c::HostCleanup::kExtension) return static_cast<a4c::HostCleanup*>(&cleanup_);
    if (name == a4c::HostEnrolment::kExtension) {
      return static_cast<a4c::HostEnrolment*>(&enrolment_);
    }
    if (name == a4c::HostActivity::kExtension) return static_cast<a4c::HostActivity*>(&activity_);
    if (name == a4c::HostUpdate::kExtension) return static_cast<a4c::HostUpdate*>(&update_);
    if (name == a4c::HostLook::kExtension) return static_cast<a4c::HostLook*>(&look_);
    if (name == a4c::HostVolumes::kExtension) return static_cast<a4c::HostVolumes*>(&volumes_);
    if (name == a4c::HostDescription::kExtension) {
      return static_cast<a4c::HostDescription*>(&description_);
    }
    return nullptr;
  }

  evil::Mode mode_;
  EvilLogs logs_{mode_};
  EvilLogTimes log_times_{mode_};
  EvilExec exec_{mode_};
  EvilImages images_{mode_};
  EvilCleanup cleanup_{mode_};
  EvilImageSupply image_supply_{mode_};
  EvilEnrolment enrolment_{mode_};
  EvilActivity activity_{mode_};
  EvilVolumes volumes_{mode_};
  EvilUpdate update_{mode_};
  EvilDescription description_{mode_};
  EvilLook look_{mode_};
};

a4c::Result<std::unique_ptr<a4c::HostProvider>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  return std::unique_ptr<a4c::HostProvider>(new EvilHost(config, runtime));
}

}  // namespace

A4C_PLUGIN(HostProvider, EVIL_NAME, "a host provider for tests of the host", evil::kKeys,
           a4c::kNothingAbsent, Make);
