#include "apps/a4cd/upkeep/singletons.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "a4c/json.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Call;
using a4c::Claimed;
using a4c::Expect;
using a4c::Json;
using a4c::Result;

namespace {

constexpr int64_t kEndTimeoutMs = 5'000;

std::string LoopBody(const std::string& name, int64_t due_at, const std::string& stepped_by) {
  return Json(Json::Object{{"name", name}, {"due_at", due_at}, {"stepped_by", stepped_by}})
      .ToString();
}

}  // namespace

a4c::RecordRef LoopRef(const std::string& name) {
  return {"loop", {"", name}};
}

class SingletonLoop final : public a4c::Loop {
 public:
  SingletonLoop(Singletons& all, std::unique_ptr<a4c::Loop> loop)
      : all_(all), loop_(std::move(loop)) {}

  const std::string& name() const override { return loop_->name(); }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const int64_t due_in_ms, DueIn(call));
    if (due_in_ms > 0) return Waiting(due_in_ms);
    const int64_t sent_at_ms = all_.runtime_.clock.MonotonicMs();
    A4C_TRY(const std::vector<Claimed> claimed, Claim(call));
    if (claimed.empty()) return Waiting(all_.options_.look_period_ms);
    Call bounded = call;
    bounded.deadline_ms = std::min(call.deadline_ms, sent_at_ms + all_.options_.lease_ms * 2 / 3);
    const Result<int64_t> stepped = loop_->Step(bounded);
    failed_ = stepped ? std::nullopt : std::optional(stepped.error());
    // The step may have used up the call's time; what is written now must be written all the same.
    const Call end = Call::Within(all_.runtime_.clock, kEndTimeoutMs);
    A4C_CHECK(End(end, claimed[0], stepped ? *stepped : all_.options_.retry_wait_ms));
    if (!stepped) return stepped.error();
    return std::min(*stepped, all_.options_.look_period_ms);
  }

 private:
  // Until the next look. A step of ours that failed is told until somebody has made another: that
  // nothing is to be done just now is no success.
  Result<int64_t> Waiting(int64_t due_in_ms) const {
    if (failed_) return *failed_;
    return std::min(due_in_ms, all_.options_.look_period_ms);
  }

  // By the store's clock; makes the record if there is none.
  Result<int64_t> DueIn(const Call& call) {
    const a4c::RecordRef ref = LoopRef(name());
    A4C_TRY(const a4c::GetAnswer answer, all_.database_.Get(call, std::span(&ref, 1)));
    now_ms_ = answer.store_time_ms;
    if (!answer.records.at(0)) {
      // A conflict: another instance was first.
      A4C_CHECK(all_.database_.Write(
          call, {.changes = {{.ref = ref, .body = LoopBody(name(), now_ms_, "")}}}));
      return int64_t{0};
    }
    A4C_TRY(const Json body, a4c::ParseJson(answer.records[0]->body));
    if (body["stepped_by"].Text() != all_.instance_) failed_.reset();
    return body["due_at"].Int() - now_ms_;
  }

  Result<std::vector<Claimed>> Claim(const Call& call) {
    return all_.leases_.Claim(call, {.kind = LoopKind(),
                                     .index = "by_name",
                                     .prefix = {name()},
                                     .upper = now_ms_ + 1,
                                     .holder = all_.instance_,
                                     .lease_ms = all_.options_.lease_ms});
  }

  // Written only if the lease is still ours; else whoever has it decides when it is due.
  Result<void> End(const Call& call, const Claimed& claimed, int64_t wait_ms) {
    const a4c::RecordRef ref = claimed.record.ref;
    A4C_TRY(const a4c::GetAnswer answer, all_.database_.Get(call, std::span(&ref, 1)));
    a4c::Commit commit;
    commit.changes.push_back(
        {.ref = ref,
         .body =
             LoopBody(name(), answer.store_time_ms + std::max<int64_t>(wait_ms, 0), all_.instance_),
         .expect = Expect::Rev(claimed.record.rev)});
    commit.also.emplace_back(
        a4c::Check{.ref = claimed.lease.subject, .quiet = {{"epoch", claimed.lease.epoch}}});
    A4C_CHECK(all_.database_.Write(call, commit));
    A4C_CHECK(all_.leases_.Release(call, std::span(&claimed.lease, 1)));
    return {};
  }

  Singletons& all_;
  const std::unique_ptr<a4c::Loop> loop_;
  int64_t now_ms_ = 0;                     // the store's time, as it was read last
  std::optional<a4c::Error> failed_ = {};  // our last step, if it was the last of all
};

Singletons::Singletons(a4c::Database& database, a4c::Store& store, const a4c::Runtime& runtime,
                       std::string instance, const SingletonOptions& options)
    : database_(database),
      own_leases_(store.As<a4c::Leases>() == nullptr ? a4c::NewLeases(store) : nullptr),
      leases_(own_leases_ ? *own_leases_ : *store.As<a4c::Leases>()),
      runtime_(runtime),
      instance_(std::move(instance)),
      options_(options) {}

std::unique_ptr<a4c::Loop> Singletons::Wrap(std::unique_ptr<a4c::Loop> loop) {
  if (loop == nullptr) return nullptr;
  return std::make_unique<SingletonLoop>(*this, std::move(loop));
}

}  // namespace a4cd
