// HostEnrolment: how a host provider learns of servers while it runs.
//
// A server is known by a fingerprint of its identity (of its SSH host key, of a local directory).
// An operator asks who answers at an address, compares, and enrols the server with the fingerprint
// that was accepted. The application keeps it as a record and tells each of its instances:
//
//   auto* enrolment = hosts.As<HostEnrolment>();
//   A4C_TRY(HostProbe probe, enrolment->Probe(call, "ssh://deploy@192.0.2.10"));
//   HostSpec spec{.id = "server-4", .address = probe.address, .fingerprint = probe.fingerprint};
//   A4C_CHECK(enrolment->Prepare(call, spec));   // once
//   A4C_CHECK(enrolment->Add(call, spec));       // on every instance, at each start
//
// A provider keeps nothing of this over a restart. No secret is in a spec: it names files that the
// provider reads. All methods [any thread].
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

struct HostProbe {
  std::string address;      // as it was given, with what was left out filled in
  std::string fingerprint;  // "SHA256:..."
  std::string summary;      // for people: what answered
};

struct HostSpec {
  std::string id;           // as CheckUnitName; unique
  std::string address;      // in the provider's own form: "ssh://user@host:22", "/srv/a4c/disk-1"
  std::string fingerprint;  // whoever shows another one is refused, before anything is sent
  std::map<std::string, std::string> settings = {};  // the provider's own; unknown ones are refused

  bool operator==(const HostSpec&) const = default;
};

class HostEnrolment {
 public:
  static constexpr std::string_view kExtension = "a4c.host_enrolment";
  virtual ~HostEnrolment() = default;

  // Who answers there. Shows no credentials and changes nothing. kInvalid: no address of this
  // provider. kUnavailable: nobody answers.
  virtual Result<HostProbe> Probe(const Call& call, const std::string& address) = 0;

  // What has to be done on a server once before it is used, and the proof that it can be: that it
  // shows this fingerprint, lets us in, and can run units. The same again changes nothing. kDenied:
  // another fingerprint, or we are not let in. kInvalid: the spec is wrong.
  virtual Result<void> Prepare(const Call& call, const HostSpec& spec) = 0;

  // From now on Hosts lists it and units run on it. Waits for no server: one that is away is listed
  // as not reachable, or refused with kUnavailable (then the caller adds it again later). The same
  // again changes nothing. kConflict: the id names another server,
  // or the server has another id. kInvalid: the spec is wrong.
  virtual Result<void> Add(const Call& call, const HostSpec& spec) = 0;

  // Forgets a server that was added: what runs on it runs on. Calls that are in flight end as they
  // would. Success also if there is none of that id. kConflict: it stands in the provider's config.
  virtual Result<void> Remove(const Call& call, const std::string& id) = 0;
};

// What every provider refuses alike (kInvalid names the field): an id that is no unit name, an
// empty address or fingerprint, text that is too long (4096 bytes), not UTF-8 or has a NUL, and
// more than 32 settings.
A4C_API Result<void> CheckHostSpec(const HostSpec& spec);

}  // namespace a4c
