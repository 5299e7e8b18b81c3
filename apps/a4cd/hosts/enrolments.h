// Enrolments: every instance's host provider knows the servers that were enrolled through the API.
// They are records in the store; an instance adds what it lacks, and forgets what is gone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_record.h"

namespace a4cd {

// All servers' records, without tombstones.
a4c::Result<std::vector<HostRecord>> ReadHosts(const a4c::Call& call, a4c::Database& database);
// kNotFound: there is none of that id.
a4c::Result<HostRecord> ReadHost(const a4c::Call& call, a4c::Database& database,
                                 const std::string& id);

// [any thread]
class Enrolments {
 public:
  // All outlive it.
  Enrolments(a4c::Database& database, a4c::HostProvider& hosts, const a4c::Runtime& runtime,
             int64_t period_ms);

  // Null: the provider takes its servers from its config alone.
  a4c::HostEnrolment* provider() const { return provider_; }

  // Brings the provider in line with these records, which are all there are. A server that the
  // provider refuses is logged and tried again the next time; until then it is what it was.
  a4c::Result<void> Follow(const a4c::Call& call, std::span<const HostRecord> hosts);

  // What is done on one server begins with this: it may have been enrolled a moment ago.
  // kUnavailable: there is one, which this instance cannot take.
  a4c::Result<void> Know(const a4c::Call& call, const std::string& host);

  // The same of one whose record has changed.
  a4c::Result<void> Renew(const a4c::Call& call, const std::string& host);

  // Whether this instance's provider has it from a record.
  bool HasAdded(const std::string& host) const;

  // Follows the records every period; of each process that uses servers.
  std::unique_ptr<a4c::Loop> NewLoop();

 private:
  // What the provider was told, and when the fingerprint in it was accepted: the same one accepted
  // again ends a quarantine.
  struct Added {
    a4c::HostSpec spec;
    int64_t pinned_at = 0;
    bool operator==(const Added&) const = default;
  };
  a4c::Result<void> Add(const a4c::Call& call, const HostRecord& host);
  a4c::Result<void> Forget(const a4c::Call& call, std::span<const HostRecord> hosts);

  a4c::Database& database_;
  a4c::HostEnrolment* const provider_;
  const a4c::Runtime runtime_;
  const int64_t period_ms_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, Added> added_;  // under waiter_
};

}  // namespace a4cd
