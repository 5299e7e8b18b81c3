# Copies of core/src/collection/*.cc and of some files of apps/a4cd with mutants in them, for the
# simulation alone.
#
# a4c_mutant(name file from to) replaces `from`, which stands exactly once in the file (else configuring
# fails: a mutant that no longer fits is noticed at once), by `to`, which asks Mutant("name").

set(mutant_sources)
set(mutant_names)
macro(a4c_mutable dir)
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/${file}.cc)
    file(READ ${PROJECT_SOURCE_DIR}/${dir}/${file}.cc text_${file})
    list(APPEND mutant_sources ${file})
  endforeach()
endmacro()
a4c_mutable(core/src/collection database fill fingerprints group_commit next_index outbox poll_loop purge_loop
            rebuild_loop rebuild_stall refreshes repair search store_copy store_time sync_batch sync_loop sync_status sync_task tasks token verify
            writer)
a4c_mutable(apps/a4cd/work job_run)
a4c_mutable(apps/a4cd/executors workspace_delete)
a4c_mutable(apps/a4cd/placement reservations)
a4c_mutable(apps/a4cd/hosts leftovers)

function(a4c_mutant name file from to)
  string(FIND "${text_${file}}" "${from}" first)
  string(FIND "${text_${file}}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "mutant ${name}: its text does not stand exactly once in ${file}.cc:\n${from}")
  endif()
  string(REPLACE "${from}" "${to}" changed "${text_${file}}")
  set(text_${file} "${changed}" PARENT_SCOPE)
  list(APPEND mutant_names ${name})
  list(REMOVE_DUPLICATES mutant_names)
  set(mutant_names ${mutant_names} PARENT_SCOPE)
endfunction()

# The poller follows a cursor over the times of changes, and looks at nothing behind it again.
a4c_mutant(cursor_instead_of_rows poll_loop
[==[      A4C_TRY(ScanAnswer page, state_.store->Scan(call, request));]==]
[==[      if (a4c::simulation::Mutant("cursor_instead_of_rows")) {
        request.index = std::string(outbox::kOldestIndex);
        request.lower = cursor_;
      }
      A4C_TRY(ScanAnswer page, state_.store->Scan(call, request));
      if (a4c::simulation::Mutant("cursor_instead_of_rows")) {
        if (!page.records.empty()) {
          cursor_ = Scalar(outbox::LongOf(page.records.back(), "since") + 1);
        }
        std::erase_if(page.records, [](const Record& row) { return !row.quiet.contains("next_at"); });
        page.next.clear();
      }]==])
a4c_mutant(cursor_instead_of_rows poll_loop
[==[  Database::State& state_;]==] [==[  Scalar cursor_;
  Database::State& state_;]==])

# Several pollers take the same row.
a4c_mutant(poller_without_skip_locked poll_loop
[==[    A4C_TRY(ApplyAnswer taken, state_.store->Apply(call, batches));]==]
[==[    if (a4c::simulation::Mutant("poller_without_skip_locked")) {
      for (WriteBatch& batch : batches) batch.ops.erase(batch.ops.begin());
    }
    A4C_TRY(ApplyAnswer taken, state_.store->Apply(call, batches));]==])

# The last writer wins in the index, whatever its rev.
a4c_mutant(no_version_on_index_writes sync_batch
[==[  Result<std::vector<BulkResult>> of_live = state_.backends.index->Bulk(call, documents);]==]
[==[  if (a4c::simulation::Mutant("no_version_on_index_writes")) {
    std::vector<Purge> before;
    for (const Document& document : documents) before.push_back({document.ref});
    A4C_CHECK(state_.backends.index->Remove(call, before));
  }
  Result<std::vector<BulkResult>> of_live = state_.backends.index->Bulk(call, documents);]==])

# An equal rev is taken for an equal document.
a4c_mutant(version_without_hash sync_batch
[==[  return stored.rev == document.rev && stored.body_hash]==]
[==[  if (a4c::simulation::Mutant("version_without_hash")) return stored.rev == document.rev;
  return stored.rev == document.rev && stored.body_hash]==])

# Whatever the index calls stale is taken for done.
a4c_mutant(stale_is_success sync_batch
[==[  if (SameDocument(announced.document, stored)) return]==]
[==[  if (a4c::simulation::Mutant("stale_is_success") || SameDocument(announced.document, stored)) return]==])

# Hints are acknowledged before what they announce is confirmed.
a4c_mutant(ack_before_confirm sync_loop
[==[    A4C_CHECK(syncer_.ConfirmDue(call));]==]
[==[    if (a4c::simulation::Mutant("ack_before_confirm")) {
      A4C_CHECK(subscription_->Ack(call, deliveries_));
    }
    A4C_CHECK(syncer_.ConfirmDue(call));]==])

# An outbox row goes before its change is searchable.
a4c_mutant(confirm_before_refresh refreshes
[==[  const Result<void> refreshed = index_.Refresh(call, kind_);]==]
[==[  const Result<void> refreshed = a4c::simulation::Mutant("confirm_before_refresh")
                                     ? Result<void>()
                                     : index_.Refresh(call, kind_);]==])

# A refresh of another loop confirms what the index had not yet answered when it began.
a4c_mutant(refresh_begun_before_confirms sync_batch
[==[  A4C_TRY(std::vector<BulkResult> results, Bulk(call, documents));]==]
[==[  const int64_t early = refreshes_.Begun();
  A4C_TRY(std::vector<BulkResult> results, Bulk(call, documents));]==])
a4c_mutant(refresh_begun_before_confirms sync_batch
[==[  mark_ = refreshes_.Begun();]==]
[==[  mark_ = a4c::simulation::Mutant("refresh_begun_before_confirms") ? early : refreshes_.Begun();]==])

# An outbox row goes whatever change it stands for by then.
a4c_mutant(confirm_without_comparing_rev outbox
[==[  return {Delete{.ref = row.ref, .expect = Expect::Rev(row.rev)},]==]
[==[  if (a4c::simulation::Mutant("confirm_without_comparing_rev")) return {Delete{.ref = row.ref}};
  if (a4c::simulation::Mutant("confirm_by_rev_alone")) {
    return {Delete{.ref = row.ref, .expect = Expect::Rev(row.rev)}};
  }
  return {Delete{.ref = row.ref, .expect = Expect::Rev(row.rev)},]==])
list(APPEND mutant_names confirm_by_rev_alone)  # a change made again under a lost one's rev

# A row that a poller took is left to it for up to a period.
a4c_mutant(poller_leaves_rows_a_period poll_loop
[==[    const int64_t first_ms = state_.FirstDueMs();]==]
[==[    const int64_t first_ms = a4c::simulation::Mutant("poller_leaves_rows_a_period")
                                 ? state_.PollPeriodMs()
                                 : state_.FirstDueMs();]==])

# A purge forgets the index.
a4c_mutant(purge_without_index purge_loop
[==[    A4C_TRY(std::vector<BulkResult> removed, state_.backends.index->Remove(call, purges));]==]
[==[    if (a4c::simulation::Mutant("purge_without_index")) purges.clear();
    A4C_TRY(std::vector<BulkResult> removed, state_.backends.index->Remove(call, purges));
    if (a4c::simulation::Mutant("purge_without_index")) {
      removed.assign(old.size(), {.outcome = BulkOutcome::kApplied});
    }]==])

# Outbox rows count their own revs.
a4c_mutant(outbox_rev_restarts outbox
[==[             .min_rev = rev};]==]
[==[             .min_rev = a4c::simulation::Mutant("outbox_rev_restarts") ? 0 : rev};]==])

# The record is read before the row that announces it, and not compared with what the store has by then.
a4c_mutant(record_before_outbox sync_batch
[==[  A4C_TRY(GetAnswer outbox_rows, state_.store->Get(call, rows));]==]
[==[  std::map<RecordRef, std::optional<Record>> early;
  if (a4c::simulation::Mutant("record_before_outbox")) {
    std::vector<RecordRef> early_refs;
    for (const RecordRef& row : rows) early_refs.push_back(outbox::RecordOf(row));
    A4C_TRY(GetAnswer early_found, state_.store->Get(call, early_refs));
    for (size_t i = 0; i < rows.size(); ++i) early[early_refs[i]] = early_found.records[i];
  }
  A4C_TRY(GetAnswer outbox_rows, state_.store->Get(call, rows));]==])
a4c_mutant(record_before_outbox sync_batch
[==[  A4C_TRY(GetAnswer found, state_.store->Get(call, refs));]==]
[==[  A4C_TRY(GetAnswer found, state_.store->Get(call, refs));
  if (a4c::simulation::Mutant("record_before_outbox")) {
    for (size_t i = 0; i < refs.size(); ++i) found.records[i] = early[refs[i]];
  }]==])

a4c_mutant(record_before_outbox sync_batch
[==[  if (indexed.row.rev > indexed.rev) {]==]
[==[  if (indexed.row.rev > indexed.rev &&
      !a4c::simulation::Mutant("record_before_outbox")) {]==])

# An outage of the index counts towards the dead letter.
a4c_mutant(outage_counts_as_rejection sync_batch
[==[      again.push_back(announced.document.ref);]==]
[==[      if (a4c::simulation::Mutant("outage_counts_as_rejection")) {
        return Reject(call, announced, Error(Code::kUnavailable, "retry"));
      }
      again.push_back(announced.document.ref);]==])

# A lost record is written again with a rev that the index has seen already.
a4c_mutant(heal_without_min_rev sync_batch
[==[                        .min_rev = index_rev + 1},]==]
[==[                        .min_rev = a4c::simulation::Mutant("heal_without_min_rev") ? 0 : index_rev + 1},]==])

# A row found is trusted, though the commit that wrote it may not have reached the standby.
a4c_mutant(resend_trusting_the_row writer
[==[    if (Send(touch).outcome != BatchOutcome::kApplied) return std::optional<Committed>();]==]
[==[    if (!a4c::simulation::Mutant("resend_trusting_the_row") &&
        Send(touch).outcome != BatchOutcome::kApplied) {
      return std::optional<Committed>();
    }]==])

# A delete removes the row.
a4c_mutant(hard_delete writer
[==[    ops.emplace_back(Put{.ref = change.ref,]==]
[==[    if (a4c::simulation::Mutant("hard_delete") && change.tombstone) {
      ops.emplace_back(Delete{.ref = change.ref, .expect = change.expect});
      continue;
    }
    ops.emplace_back(Put{.ref = change.ref,]==])

# The conflict of one batch becomes that of all batches of its group.
a4c_mutant(group_commit_sharing_fates group_commit
[==[                  A4C_TRY(ApplyAnswer answer, store.Apply(call, batches));]==]
[==[                  A4C_TRY(ApplyAnswer answer, store.Apply(call, batches));
                  if (a4c::simulation::Mutant("group_commit_sharing_fates")) {
                    for (const BatchResult& bad : std::vector<BatchResult>(answer.results)) {
                      if (bad.outcome != BatchOutcome::kConflict) continue;
                      for (BatchResult& result : answer.results) result = bad;
                    }
                  }]==])

# The idempotency row is looked up first and written afterwards.
a4c_mutant(idempotency_row_apart writer
[==[      BatchResult result = Send(planned_.batch);]==]
[==[      const bool apart =
          a4c::simulation::Mutant("idempotency_row_apart") && commit_.idempotency.has_value();
      if (apart) {
        A4C_TRY(std::optional<Committed> before, Replay());
        if (before) return *std::move(before);
      }
      BatchResult result = Send(planned_.batch);
      if (apart && result.outcome == BatchOutcome::kApplied) {
        Send(WriteBatch{{IdempotencyPut(*commit_.idempotency, planned_.tokens, 1)}});
      }]==])
a4c_mutant(idempotency_row_apart writer
[==[  if (commit.idempotency) {
    ops.emplace_back(]==]
[==[  if (commit.idempotency && !a4c::simulation::Mutant("idempotency_row_apart")) {
    ops.emplace_back(]==])

# An unknown outcome is told as a failure.
a4c_mutant(unknown_is_failure writer
[==[    return result.outcome == BatchOutcome::kUnknown;]==]
[==[    return !a4c::simulation::Mutant("unknown_is_failure") &&
           result.outcome == BatchOutcome::kUnknown;]==])

# A search does not wait for its tokens.
a4c_mutant(token_ignored search
[==[Await(*state_, call, request.tokens)]==]
[==[Await(*state_, call,
                                       a4c::simulation::Mutant("token_ignored")
                                           ? std::span<const Token>()
                                           : std::span<const Token>(request.tokens))]==])

# A holder's writes do not compare the epoch of its lease.
a4c_mutant(no_epoch_check job_run
[==[  return {.ref = lease_.subject, .quiet = {{"epoch", lease_.epoch}}};]==]
[==[  if (a4c::simulation::Mutant("no_epoch_check")) return {.ref = lease_.subject};
  return {.ref = lease_.subject, .quiet = {{"epoch", lease_.epoch}}};]==])

# A job that was canceled meanwhile is written as if it had not been.
a4c_mutant(cancel_overwritten job_run
[==[  A4C_TRY(job_, JobOf(*record));]==]
[==[  Job before = job_;
  A4C_TRY(job_, JobOf(*record));
  if (a4c::simulation::Mutant("cancel_overwritten") && job_.finished()) {
    before.rev = job_.rev;
    job_ = before;
  }]==])

# Workspaces are placed without a reservation.
a4c_mutant(no_reservation reservations
[==[    AddReservation(server, most, {tenant, holder, kind}, request.amounts, commit);]==]
[==[    const bool apart = a4c::simulation::Mutant("reservation_outside_the_batch");
    if (!apart && !a4c::simulation::Mutant("no_reservation")) {
      AddReservation(server, most, {tenant, holder, kind}, request.amounts, commit);
    }]==])
# The reservation is made after the placement, in a batch of its own.
a4c_mutant(reservation_outside_the_batch reservations
[==[    reserved.failures = std::move(done.failures);]==]
[==[    if (apart && done.outcome == Committed::Outcome::kApplied) {
      Commit later;
      AddReservation(server, most, {tenant, holder, kind}, request.amounts, later);
      A4C_CHECK(database_.Write(call, later));
    }
    reserved.failures = std::move(done.failures);]==])

# Room is given back before the server has confirmed that nothing is left.
a4c_mutant(release_before_confirmed workspace_delete
[==[  if (!host.empty()) {
    A4C_TRY(const std::optional<Outcome> later,]==]
[==[  if (a4c::simulation::Mutant("release_before_confirmed") && !host.empty()) {
    A4C_CHECK(run.Commit([&](Draft& draft) -> Result<void> {
      A4C_TRY(draft.also, run.context().reservations.ReleaseOps(run.context().StoreCall(), host,
                                                                draft.workspace->id));
      return {};
    }));
  }
  if (!host.empty()) {
    A4C_TRY(const std::optional<Outcome> later,]==])

# A unit without a record is removed.
a4c_mutant(removal_for_absence leftovers
[==[    const bool is_removable = standing.GoesByItself(unit);]==]
[==[    bool is_removable = standing.GoesByItself(unit);
    if (a4c::simulation::Mutant("removal_for_absence") &&
        standing.record == Standing::Record::kAbsent) {
      is_removable = true;
    }]==])
a4c_mutant(removal_for_absence leftovers
[==[  if (epoch < unit.epoch) {]==]
[==[  if (epoch < unit.epoch && !a4c::simulation::Mutant("removal_for_absence")) {]==])
a4c_mutant(removal_for_absence leftovers
[==[ return hosts.Remove(call, unit.host, unit.name, epoch); ]==]
[==[ return hosts.Remove(call, unit.host, unit.name, epoch < unit.epoch ? unit.epoch : epoch); ]==])

# While a second generation of the index is filled, changes are written to the first alone.
a4c_mutant(rebuild_without_second_write next_index
[==[  return index_.get();]==]
[==[  return a4c::simulation::Mutant("rebuild_without_second_write") ? nullptr : index_.get();]==])

# A new generation is put in place without a look at what it holds.
a4c_mutant(swap_without_proof rebuild_loop
[==[    A4C_TRY(const bool proved, Verify(call, *next));]==]
[==[    A4C_TRY(const bool proved, a4c::simulation::Mutant("swap_without_proof")
                                   ? Result<bool>(true)
                                   : Verify(call, *next));]==])

# A change is confirmed that the second generation does not show yet.
a4c_mutant(confirm_without_second_refresh sync_batch
[==[  A4C_CHECK(RefreshNext(call));]==]
[==[  if (!a4c::simulation::Mutant("confirm_without_second_refresh")) {
    A4C_CHECK(RefreshNext(call));
  }]==])

# A change is confirmed that the second generation did not take.
a4c_mutant(second_answer_ignored sync_batch
[==[  for (const size_t i : held) results[i] = std::move((*of_next)[i]);]==]
[==[  if (a4c::simulation::Mutant("second_answer_ignored")) return results;
  for (const size_t i : held) results[i] = std::move((*of_next)[i]);]==])

# What one of two generations holds by now is called confirmed.
a4c_mutant(confirmed_by_one_generation sync_batch
[==[    if (next_.IsOpen()) return {};]==]
[==[    if (next_.IsOpen() && !a4c::simulation::Mutant("confirmed_by_one_generation")) return {};]==])

# Who was taken over goes on writing the task.
a4c_mutant(task_without_rev sync_task
[==[                              .expect = before ? Expect::Rev(before->rev) : Expect::Absent()}}};]==]
[==[                              .expect = a4c::simulation::Mutant("task_without_rev") ? Expect::Any()
                                        : before ? Expect::Rev(before->rev)
                                                 : Expect::Absent()}}};]==])

# Whether there is a rebuild is asked for now and then, and not whenever records were read.
a4c_mutant(rebuild_asked_for_now_and_then next_index
[==[  A4C_TRY(const auto stored, ReadTask(state_, call, kind_.name, SyncWork::kRebuild));
  if (!stored || !IsFilling(stored->task)) {]==]
[==[  const int64_t now_ms = state_.runtime.clock.MonotonicMs();
  if (number_ < 0 && now_ms + number_ < 30'000) return nullptr;
  A4C_TRY(const auto stored, ReadTask(state_, call, kind_.name, SyncWork::kRebuild));
  if (!stored || !IsFilling(stored->task)) {]==])
a4c_mutant(rebuild_asked_for_now_and_then next_index
[==[    number_ = 0;]==]
[==[    number_ = a4c::simulation::Mutant("rebuild_asked_for_now_and_then") ? -now_ms : 0;]==])

set(mutated_sources)
foreach(file IN LISTS mutant_sources)
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/mutated/${file}.cc)
  file(CONFIGURE OUTPUT ${copy} CONTENT "${text_${file}}" @ONLY)
  list(APPEND mutated_sources ${copy})
endforeach()

list(SORT mutant_names)
list(LENGTH mutant_names mutant_count)
list(JOIN mutant_names "\",\n    \"" names)
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/mutant_names.h @ONLY CONTENT
"#pragma once

#include <array>
#include <string_view>

inline constexpr std::array<std::string_view, ${mutant_count}> kMutantNames = {
    \"${names}\"};
")
