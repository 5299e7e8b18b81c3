// The extensions of a host provider, but for its streams, guarded. While a callback of the caller
// runs, the call that it serves is still the one in flight.
#pragma once

#include <string>
#include <vector>

#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "plugin/guard.h"

namespace a4c::plugin {

class GuardedHostLogs final : public HostLogs {
 public:
  GuardedHostLogs(HostLogs& inner, PluginRecord& plugin)
      : inner_(inner), read_(plugin.Site("Logs.Read")) {}

  Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                       const std::string& after, int64_t bytes_max) override {
    return Guarded(read_, call, [&] {
      auto page = inner_.Read(call, host, name, after, bytes_max);
      if (page && static_cast<int64_t>(page->bytes.size()) > bytes_max) {
        page = Malformed(read_, "a limit of " + std::to_string(bytes_max) + " bytes",
                         Counted(page->bytes.size(), "byte"));
      }
      return page;
    });
  }

 private:
  HostLogs& inner_;
  const CallSite& read_;
};

class GuardedHostLogTimes final : public HostLogTimes {
 public:
  GuardedHostLogTimes(HostLogTimes& inner, PluginRecord& plugin)
      : inner_(inner), position_at_(plugin.Site("LogTimes.PositionAt")) {}

  Result<std::string> PositionAt(const Call& call, const std::string& host, const std::string& name,
                                 int64_t time_ms) override {
    return Guarded(position_at_, call,
                   [&] { return inner_.PositionAt(call, host, name, time_ms); });
  }

 private:
  HostLogTimes& inner_;
  const CallSite& position_at_;
};

class GuardedHostExec final : public HostExec {
 public:
  GuardedHostExec(HostExec& inner, PluginRecord& plugin)
      : inner_(inner), run_(plugin.Site("Exec.Run", Code::kUnknownOutcome)) {}

  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override {
    return Guarded(run_, call, [&] { return inner_.Run(call, request, output); });
  }

 private:
  HostExec& inner_;
  const CallSite& run_;
};

class GuardedHostImages final : public HostImages {
 public:
  GuardedHostImages(HostImages& inner, PluginRecord& plugin)
      : inner_(inner),
        build_(plugin.Site("Images.Build", Code::kUnknownOutcome)),
        list_(plugin.Site("Images.List")) {}

  Result<ImageInfo> Build(const Call& call, const ImageBuild& build, const ByteSource& tar,
                          const Progress& progress) override {
    return Guarded(build_, call, [&] { return inner_.Build(call, build, tar, progress); });
  }
  Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) override {
    return Guarded(list_, call, [&] { return inner_.List(call, host); });
  }

 private:
  HostImages& inner_;
  const CallSite& build_;
  const CallSite& list_;
};

class GuardedHostImageSupply final : public HostImageSupply {
 public:
  GuardedHostImageSupply(HostImageSupply& inner, PluginRecord& plugin)
      : inner_(inner),
        find_(plugin.Site("ImageSupply.Find")),
        pull_(plugin.Site("ImageSupply.Pull", Code::kUnknownOutcome)),
        send_(plugin.Site("ImageSupply.Send", Code::kUnknownOutcome)) {}

  Result<std::optional<ImageInfo>> Find(const Call& call, const std::string& host,
                                        const std::string& reference) override {
    return Guarded(find_, call, [&] { return inner_.Find(call, host, reference); });
  }
  Result<ImageInfo> Pull(const Call& call, const std::string& host, const std::string& reference,
                         const Progress& progress) override {
    return Guarded(pull_, call, [&] { return inner_.Pull(call, host, reference, progress); });
  }
  Result<ImageInfo> Send(const Call& call, const std::string& from, const std::string& to,
                         const std::string& reference, const Progress& progress) override {
    return Guarded(send_, call, [&] { return inner_.Send(call, from, to, reference, progress); });
  }

 private:
  HostImageSupply& inner_;
  const CallSite& find_;
  const CallSite& pull_;
  const CallSite& send_;
};

class GuardedHostCleanup final : public HostCleanup {
 public:
  GuardedHostCleanup(HostCleanup& inner, PluginRecord& plugin)
      : inner_(inner),
        survey_(plugin.Site("Cleanup.Survey")),
        discard_(plugin.Site("Cleanup.DiscardImage", Code::kUnknownOutcome)) {}

  Result<HostUse> Survey(const Call& call, const std::string& host) override {
    return Guarded(survey_, call, [&] { return inner_.Survey(call, host); });
  }
  Result<void> DiscardImage(const Call& call, const std::string& host,
                            const std::string& id) override {
    return Guarded(discard_, call, [&] { return inner_.DiscardImage(call, host, id); });
  }

 private:
  HostCleanup& inner_;
  const CallSite& survey_;
  const CallSite& discard_;
};

class GuardedHostEnrolment final : public HostEnrolment {
 public:
  GuardedHostEnrolment(HostEnrolment& inner, PluginRecord& plugin)
      : inner_(inner),
        probe_(plugin.Site("Enrolment.Probe")),
        prepare_(plugin.Site("Enrolment.Prepare", Code::kUnknownOutcome)),
        add_(plugin.Site("Enrolment.Add")),
        remove_(plugin.Site("Enrolment.Remove")) {}

  Result<HostProbe> Probe(const Call& call, const std::string& address) override {
    return Guarded(probe_, call, [&] {
      auto probe = inner_.Probe(call, address);
      if (probe && probe->fingerprint.empty()) {
        probe = Malformed(probe_, "an address", "no fingerprint");
      }
      return probe;
    });
  }
  Result<void> Prepare(const Call& call, const HostSpec& spec) override {
    return Guarded(prepare_, call, [&] { return inner_.Prepare(call, spec); });
  }
  Result<void> Add(const Call& call, const HostSpec& spec) override {
    return Guarded(add_, call, [&] { return inner_.Add(call, spec); });
  }
  Result<void> Remove(const Call& call, const std::string& id) override {
    return Guarded(remove_, call, [&] { return inner_.Remove(call, id); });
  }

 private:
  HostEnrolment& inner_;
  const CallSite& probe_;
  const CallSite& prepare_;
  const CallSite& add_;
  const CallSite& remove_;
};

class GuardedHostIncarnation final : public HostIncarnation {
 public:
  GuardedHostIncarnation(HostIncarnation& inner, PluginRecord& plugin)
      : inner_(inner),
        adopt_(plugin.Site("Incarnation.Adopt", Code::kUnknownOutcome)),
        present_(plugin.Site("Incarnation.Present", Code::kUnknownOutcome)) {}

  Result<void> Adopt(const Call& call, const std::string& host, const std::string& token) override {
    return Guarded(adopt_, call, [&] { return inner_.Adopt(call, host, token); });
  }
  Result<void> Present(const Call& call, const std::string& host, const std::string& current,
                       const std::string& next) override {
    return Guarded(present_, call, [&] { return inner_.Present(call, host, current, next); });
  }

 private:
  HostIncarnation& inner_;
  const CallSite& adopt_;
  const CallSite& present_;
};

class GuardedHostActivity final : public HostActivity {
 public:
  GuardedHostActivity(HostActivity& inner, PluginRecord& plugin)
      : inner_(inner), read_(plugin.Site("Activity.Read")) {}

  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    return Guarded(read_, call, [&] {
      auto read = inner_.Read(call, host, units);
      if (read && read->size() > units.size()) {
        read = Malformed(read_, Counted(units.size(), "unit"), Counted(read->size(), "unit"));
      }
      return read;
    });
  }

 private:
  HostActivity& inner_;
  const CallSite& read_;
};

class GuardedHostVolumes final : public HostVolumes {
 public:
  GuardedHostVolumes(HostVolumes& inner, PluginRecord& plugin)
      : inner_(inner), copy_(plugin.Site("Volumes.Copy", Code::kUnknownOutcome)) {}

  Result<int64_t> Copy(const Call& call, const VolumeCopy& copy) override {
    return Guarded(copy_, call, [&] { return inner_.Copy(call, copy); });
  }

 private:
  HostVolumes& inner_;
  const CallSite& copy_;
};

class GuardedHostUpdate final : public HostUpdate {
 public:
  GuardedHostUpdate(HostUpdate& inner, PluginRecord& plugin)
      : inner_(inner), update_(plugin.Site("Update.Update", Code::kUnknownOutcome)) {}

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    return Guarded(update_, call, [&] {
      auto status = inner_.Update(call, unit);
      if (status && status->name != unit.name) {
        status = Malformed(update_, "the unit \"" + unit.name + "\"",
                           "the unit \"" + status->name + "\"");
      }
      return status;
    });
  }

 private:
  HostUpdate& inner_;
  const CallSite& update_;
};

class GuardedHostDescription final : public HostDescription {
 public:
  GuardedHostDescription(HostDescription& inner, PluginRecord& plugin)
      : inner_(inner), describe_(plugin.Site("Description.Describe")) {}

  Result<Unit> Describe(const Call& call, const std::string& host,
                        const std::string& unit) override {
    return Guarded(describe_, call, [&] {
      auto described = inner_.Describe(call, host, unit);
      if (described && described->name != unit) {
        described = Malformed(describe_, "the unit \"" + unit + "\"",
                              "the unit \"" + described->name + "\"");
      }
      return described;
    });
  }

 private:
  HostDescription& inner_;
  const CallSite& describe_;
};

class GuardedHostLook final : public HostLook {
 public:
  GuardedHostLook(HostLook& inner, PluginRecord& plugin)
      : inner_(inner), names_(plugin.Site("Look.Names")), look_(plugin.Site("Look.Look")) {}

  Result<std::vector<std::string>> Names(const Call& call) override {
    return Guarded(names_, call, [&] { return inner_.Names(call); });
  }

  Result<Host> Look(const Call& call, const std::string& host) override {
    return Guarded(look_, call, [&] {
      auto seen = inner_.Look(call, host);
      if (!seen) return seen;
      if (seen->id != host) {
        return Result<Host>(
            Malformed(look_, "the host \"" + host + "\"", "the host \"" + seen->id + "\""));
      }
      const Result<void> checked = CheckHost(*seen);
      if (!checked) seen = Malformed(look_, "a look at a host", checked.error().message());
      return seen;
    });
  }

 private:
  HostLook& inner_;
  const CallSite& names_;
  const CallSite& look_;
};

}  // namespace a4c::plugin
