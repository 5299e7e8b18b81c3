#include "tests/simulation/hunt.h"

#include "tests/simulation/mutant.h"

namespace a4c::simulation {

const std::vector<Hunt>& Hunts() {
  static const std::vector<Hunt> hunts = {
      {"ack_before_confirm", "", 10000},
      {"cancel_overwritten", "app", 4},
      {"confirm_before_refresh", "", 10000},
      {"confirm_by_rev_alone", "lossy", 3},
      {"confirm_without_comparing_rev", "", 10001},
      {"confirm_without_second_refresh", "rebuild", 20000},
      {"confirmed_by_one_generation", "rebuild", 30000},
      {"cursor_instead_of_rows", "", 10001},
      {"group_commit_sharing_fates", "crowd", 20000},
      {"hard_delete", "", 10000},
      {"heal_without_min_rev", "lossy", 10000},
      {"idempotency_row_apart", "", 10002},
      {"no_epoch_check", "overtaken", 1},
      {"no_reservation", "app", 1},
      {"no_version_on_index_writes", "outage", 30000},
      {"outage_counts_as_rejection", "outage", 20001},
      {"outbox_rev_restarts", "crowd", 10000},
      {"poller_leaves_rows_a_period", "hand", 30000},
      {"poller_without_skip_locked", "crowd", 30000},
      {"purge_without_index", "purge", 10000},
      {"rebuild_asked_for_now_and_then", "rebuild", 20000},
      {"rebuild_without_second_write", "rebuild", 20000},
      {"record_before_outbox", "", 10004},
      {"refresh_begun_before_confirms", "", 10009},
      {"release_before_confirmed", "app", 1},
      {"removal_for_absence", "app", 1},
      {"resend_trusting_the_row", "failover", 20000},
      {"reservation_outside_the_batch", "app", 1},
      {"second_answer_ignored", "rebuild", 30021},
      {"stale_is_success", "lossy", 10000},
      {"swap_without_proof", "rebuild", 10000},
      {"task_without_rev", "rebuild", 20000},
      {"token_ignored", "", 10000},
      {"unknown_is_failure", "", 10002},
      {"version_without_hash", "lossy", 10000},
  };
  return hunts;
}

Kill HuntFrom(const Hunt& hunt, uint64_t first, int seeds_max) {
  SelectMutant(std::string(hunt.mutant));
  Kill kill;
  while (!kill.killed() && kill.seeds < seeds_max) {
    kill.outcome =
        RunSeed(first + static_cast<uint64_t>(kill.seeds++), {.ground = std::string(hunt.ground)});
  }
  SelectMutant("");
  return kill;
}

}  // namespace a4c::simulation
