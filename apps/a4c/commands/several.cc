#include "apps/a4c/commands/several.h"

#include <algorithm>
#include <utility>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

using a4c::Json;

namespace {

// Both, if there are two. Of several on a terminal only their ends are shown, together.
int WaitForOutcome(Session& session, const Names& names, Outcome& job, int64_t until_ms) {
  const auto left_ms = [&] {
    return std::max<int64_t>(0, until_ms - session.runtime.clock.MonotonicMs());
  };
  const int first = job.first.IsNull() ? kOk : AwaitJob(session, job.first, left_ms());
  const bool is_shown_later = names.AreSeveral() && !WaitsInNdjson(session);
  const int second = is_shown_later ? AwaitJob(session, job.shown, left_ms())
                                    : WaitForJob(session, job.shown, left_ms());
  return first == kOk ? second : first;
}

}  // namespace

void AddNames(CLI::App& leaf, Names& names, const char* help) {
  leaf.add_option(names.noun, names.given, help)->required();
}

void AddWaiting(CLI::App& leaf, Waiting& waiting, const char* help) {
  leaf.add_flag("--wait", waiting.is_wanted, help);
  AddTimeout(leaf, waiting.timeout_s);
}

bool FirstFailure::Do(const Names& names, const std::string& name,
                      const std::function<bool()>& step) {
  session_.exit_code = kOk;
  session_.subject = names.AreSeveral() ? name : "";
  const bool is_done = step();
  session_.subject.clear();
  if (exit_code_ == kOk) exit_code_ = session_.exit_code;
  return is_done;
}

std::vector<Outcome> DoForEach(Session& session, const Names& names,
                               const std::function<bool(Outcome& outcome)>& step) {
  std::vector<Outcome> outcomes;
  FirstFailure failure(session);
  for (const std::string& given : names.given) {
    Outcome outcome{.name = BareId(given, names.noun), .shown = {}};
    const bool is_done = failure.Do(names, outcome.name, [&] { return step(outcome); });
    if (is_done) outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

bool SendFor(Session& session, const Ask& ask, Outcome& outcome) {
  Reply reply;
  const bool is_done = session.Send(ask, reply);
  outcome.shown = std::move(reply.body);
  return is_done;
}

void ShowOutcomes(Session& session, const Names& names, std::vector<Outcome> outcomes,
                  const std::string& noun, const std::vector<Column>& columns) {
  const bool is_empty_table = outcomes.empty() && session.IsForPeople();
  if (is_empty_table || (outcomes.empty() && !names.AreSeveral())) return;
  if (!names.AreSeveral()) return session.Show(outcomes.front().shown, noun, columns);
  Json items(Json::Array{});
  for (Outcome& outcome : outcomes) items.Append(std::move(outcome.shown));
  session.Show(Json(Json::Object{{"items", std::move(items)}}), noun, columns);
}

void FinishJobs(Session& session, const Names& names, std::vector<Outcome> jobs,
                const Waiting& waiting) {
  if (waiting.is_wanted) {
    FirstFailure failure(session);
    const int64_t until_ms = session.runtime.clock.MonotonicMs() + waiting.timeout_s * 1000;
    for (Outcome& job : jobs) {
      failure.Do(names, job.name, [&] {
        session.exit_code = WaitForOutcome(session, names, job, until_ms);
        return true;
      });
    }
  }
  const bool is_shown = waiting.is_wanted && (!names.AreSeveral() || WaitsInNdjson(session));
  if (!is_shown) ShowOutcomes(session, names, std::move(jobs), "job", JobColumns());
}

}  // namespace a4c_cli
