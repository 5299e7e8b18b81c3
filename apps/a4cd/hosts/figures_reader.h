// Asks servers for their figures and writes down what they say: each in the time that it is given,
// some at once, and what came meanwhile in one commit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_look.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_record.h"

namespace a4cd {

// One server that may be asked.
struct HostQuestion {
  HostFigures known = {};              // the figures read last
  int64_t as_of_ms = 0;                // their age counts to here, monotonic
  const HostRecord* record = nullptr;  // borrowed; null: there was none
  bool is_provided = true;             // false: the provider does not know it, so nobody asks
  int64_t timeout_ms = 0;              // for its answer
  bool is_last_word = true;            // false: no answer in that time says only that it is slow

  const std::string& id() const { return known.host.id; }
  bool IsNew() const { return record == nullptr || !record->figures; }
  bool IsApart() const { return record != nullptr && record->IsApart(); }
};

// [any thread]
class FiguresReader {
 public:
  // All outlive it.
  FiguresReader(a4c::Database& database, a4c::HostProvider& hosts, const a4c::Runtime& runtime,
                int64_t patience_ms)
      : database_(database),
        hosts_(hosts),
        look_(hosts.As<a4c::HostLook>()),
        runtime_(runtime),
        patience_ms_(patience_ms) {}

  // One for each server of the provider and for each record, which are all there are. A provider
  // that cannot be asked for one server alone is asked for all of them here.
  a4c::Result<std::vector<HostQuestion>> Questions(const a4c::Call& call,
                                                   std::span<const HostRecord> records);

  // Whether this process's provider names it.
  a4c::Result<bool> Knows(const a4c::Call& call, const std::string& id);

  // Asks by so many threads, this one among them, which end with it. Who does not answer is written
  // down as out of reach, and who takes longer than patience_ms as one to be asked apart; of a
  // server whose record is gone nothing is written.
  a4c::Result<void> Read(const a4c::Call& call, std::span<const HostQuestion> questions,
                         int threads);

 private:
  struct Answer {
    HostFigures figures;
    int64_t as_of_ms = 0;   // their age counts to here, monotonic
    int64_t pinned_at = 0;  // of the record by which it was asked
  };
  class Answers;

  a4c::Result<std::vector<a4c::Host>> Hosts(const a4c::Call& call);
  Answer Ask(const a4c::Call& call, const HostQuestion& question);
  Answer Look(const a4c::Call& call, const HostQuestion& question);
  void CountOthers(const a4c::Call& call, HostFigures& figures);
  // What an answer changes in this record: the figures, and the state if it has another now.
  a4c::Result<void> Add(const a4c::Record& record, int64_t store_time_ms, const Answer& answer,
                        a4c::Commit& commit);
  a4c::Result<void> Write(const a4c::Call& call, std::span<const Answer> answers);

  a4c::Database& database_;
  a4c::HostProvider& hosts_;
  a4c::HostLook* const look_;
  const a4c::Runtime runtime_;
  const int64_t patience_ms_;
};

}  // namespace a4cd
