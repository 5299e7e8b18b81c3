// Placement: which server gets the next workspace, build or image. Pure: no I/O, no clock.
//
// Of the servers that fit, the one whose disk would be the least used afterwards:
//   (other use + committed + pending + request) / total
// committed is the sum of all reservations on the server, other the use that is not ours. The
// figures are a snapshot: the caller reserves with a bounded counter whose bound is the committed
// value seen here plus the request, and on out_of_bounds places again with the value returned.
//
//   Placement placement = Place(servers, request, limits, random.Next());
//   if (!placement.server) Tell(placement.Summary());
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/a4cd/placement/constraints.h"

namespace a4cd {

struct Amounts {
  int64_t disk_bytes = 0;
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;

  bool operator==(const Amounts&) const = default;
};

struct Server {
  std::string id;
  Amounts total;
  Amounts committed;             // reservations
  int64_t disk_other_bytes = 0;  // used by what is not ours
  // Chosen by others on these same figures and not seen committed yet: it ranks, and refuses
  // nothing.
  int64_t disk_pending_bytes = 0;
  int64_t inodes_total = 0;  // of the disk; 0: not known
  int64_t inodes_used = 0;
  std::string arch = {};  // empty: it has not said
  std::map<std::string, std::string> labels = {};
  bool reachable = true;
  bool cordoned = false;
  int64_t age_ms = 0;        // of the disk figure
  int starts_in_flight = 0;  // of this process
  int64_t rev = 0;           // of what was said of it: a choice holds only while it is still so
};

struct PlacementRequest {
  Amounts amounts;
  Constraints constraints = {};
  std::string server = {};    // not empty: this one or none
  std::string excluded = {};  // not this one
};

struct PlacementLimits {
  double disk_watermark = 0.9;   // of bytes and inodes: above it a server gets nothing new
  int64_t age_ms_max = 120'000;  // older figures are not trusted
  int starts_in_flight_max = 8;
};

// Why a server was not chosen. The order is that of judging: the first that applies is told.
enum class Rejection : uint8_t {
  kNone,         // it fits
  kOtherServer,  // the request names another, or any but this one
  kArch,         // its architecture is another, or not known
  kLabels,       // it lacks a label, or has it with another value
  kTooSmall,     // would not fit if it were empty: waiting does not help
  kUnreachable,
  kStale,
  kCordoned,
  kDisk,
  kInodes,  // there is room for bytes, and none for files
  kMemory,
  kCpu,
  kStarts,  // too many starts in flight
};
inline constexpr size_t kRejections = 13;
// "disk": the word in the API, in logs and in metrics.
std::string_view RejectionName(Rejection rejection);

struct Candidate {
  const Server* server = nullptr;
  Rejection rejection = Rejection::kNone;
  double score = 0;  // the share of the disk that would be used; only if it fits
};

struct Placement {
  const Server* server = nullptr;  // null: none fits now
  double score = 0;
  // What may be committed on it once it has the request: what it has room for, and on its disk no
  // more than one request of this size above what the least used server would have.
  Amounts most = {};
  std::array<int, kRejections> rejections = {};  // how many servers, by reason
  std::string unknown_server = {};               // the one that is asked for, if there is none such

  // True if some server could take it once it is free, reachable or uncordoned.
  bool CanEverFit() const;
  // True if a server could take it were it given the labels that are asked for.
  bool LacksOnlyLabels() const;
  // "none of 40 servers fits: 30 disk, 8 cordoned, 2 unreachable"
  std::string Summary() const;
};

// How one server stands to a request.
Candidate Judge(const Server& server, const PlacementRequest& request,
                const PlacementLimits& limits);
// Which servers are taken: the least used, or also those that are at most one request above it.
enum class Among : uint8_t { kLeast, kNearLeast };
// One of these, drawn by `tie`, so that several instances with the same snapshot do not all choose
// the same one.
Placement Place(std::span<const Server> servers, const PlacementRequest& request,
                const PlacementLimits& limits, uint64_t tie, Among among = Among::kLeast);
// The best of them, best first, those that do not fit last: what `a4c explain` shows.
std::vector<Candidate> Explain(std::span<const Server> servers, const PlacementRequest& request,
                               const PlacementLimits& limits, size_t servers_max = SIZE_MAX);

}  // namespace a4cd
