// Leases: the right to work on a record for a while, judged on the store's clock.
//
// A kind whose records are claimed names a serial_key_field: the subject (a workspace, a server) on
// which work is done one at a time, and a serial_index led by that field over its unfinished
// records, oldest first. A claim takes the oldest unfinished record of a subject, never a younger
// one, and of a subject there is at most one live lease. The lease is a record of the kind
// LeaseKind(kind), with the subject as its id and quiet fields
//   holder (kKeyword), until (kTime, store time), epoch (kLong, never falls).
// Each claim raises the epoch by one. Whatever the holder writes goes with a
//   Check{.ref = LeaseRef(kind, subject), .quiet = {{"epoch", epoch}}}
// so that a holder whose lease was taken over cannot write. A holder stops by itself at 2/3 of the
// lease, by its own monotonic clock counted from before the claim was sent.
//
// NewLeases() gives it over any Store; a store with something better offers store.As<Leases>().
// All methods [any thread].
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/store.h"

namespace a4c {

// To be ensured beside the kind.
A4C_API Kind LeaseKind(const Kind& kind);
// scope: the record's, or "" if the serial index is unscoped.
A4C_API RecordRef LeaseRef(std::string_view kind, std::string_view scope, std::string_view subject);

struct ClaimRequest {
  Kind kind;
  std::string index;                       // an index of the kind, unscoped or scoped
  std::vector<std::string> scopes = {""};  // scoped index: claimed from in this order
  std::vector<Scalar> prefix = {};
  Scalar upper = {};  // as in ScanRequest; for a due-time index: store time + 1
  int count = 1;
  std::string holder;
  int64_t lease_ms = 10'000;
};

struct Lease {
  RecordRef subject;  // the lease record
  int64_t epoch = 0;
  int64_t until_ms = 0;  // store time
};

struct Claimed {
  Record record;
  Lease lease;
  bool took_over = false;  // the lease before was not released: its holder died or stalled
};

class Leases {
 public:
  static constexpr std::string_view kExtension = "a4c.leases";
  virtual ~Leases() = default;
  // Up to count records whose subject is free, skipping what others hold. Empty: nothing to do.
  virtual Result<std::vector<Claimed>> Claim(const Call& call, const ClaimRequest& request) = 0;
  // Per lease: true if it is still ours (same epoch) and now lasts lease_ms from the store's time.
  virtual Result<std::vector<bool>> Renew(const Call& call, std::span<const Lease> leases,
                                          int64_t lease_ms) = 0;
  // Per lease: true if it was ours and is free now.
  virtual Result<std::vector<bool>> Release(const Call& call, std::span<const Lease> leases) = 0;
};

A4C_API std::unique_ptr<Leases> NewLeases(Store& store);

}  // namespace a4c
