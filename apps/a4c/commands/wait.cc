#include <unistd.h>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/watch.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kPollMs = 300;
constexpr int64_t kTimeoutMaxS = 366 * 86'400;

// How a job that is waited for shows itself meanwhile.
class Progress {
 public:
  // is_silent: nothing goes to standard output.
  Progress(Session& session, bool is_silent)
      : session_(session), is_silent_(is_silent), ndjson_(!is_silent && WaitsInNdjson(session)) {}

  void Show(const Json& job) {
    std::string sight = SightOf(job);
    if (sight == sight_) return;
    sight_ = std::move(sight);
    if (ndjson_) session_.ShowText(job.ToString() + "\n");
    std::string line = job["state"].Text() + " (" + job["reason"].Text() + ")";
    if (job["progress"]["text"].IsText()) line += " " + job["progress"]["text"].Text();
    session_.ShowProgress(line);
  }

  void End(const Json& job) {
    session_.ClearProgress();
    if (!ndjson_ && !is_silent_) session_.Show(job, "job", JobColumns());
    if (job["message"].IsText())
      session_.Note(session_.Subject() + job["state"].Text() + ": " + job["message"].Text());
  }

 private:
  // What is worth another line. A job that waits for room changes at each attempt, and is no news.
  static std::string SightOf(const Json& job) {
    std::string sight;
    for (const char* name : {"state", "reason", "message", "progress"}) {
      sight += job[name].ToString() + "\n";
    }
    return sight;
  }

  Session& session_;
  const bool is_silent_;
  const bool ndjson_;
  std::string sight_;  // what was shown last
};

int Wait(Session& session, Json& now, int64_t timeout_ms, Progress& progress) {
  const int64_t until_ms = session.runtime.clock.MonotonicMs() + timeout_ms;
  const std::string path = "/v1/jobs/" + PercentEncode(now["id"].Text());
  Breaks breaks(session, until_ms);
  while (true) {
    progress.Show(now);
    const std::string& state = now["state"].Text();
    if (state != "pending" && state != "running") {
      progress.End(now);
      return ExitCodeOfJob(now);
    }
    if (session.runtime.clock.MonotonicMs() >= until_ms) {
      session.Note(session.Subject() + "it has not ended in time; it goes on: a4c job watch " +
                   now["id"].Text());
      return ExitCodeOfWait(now);
    }
    session.Pause(kPollMs);
    if (!breaks.Look(path, now)) return session.exit_code;
  }
}

}  // namespace

std::string BareId(const std::string& given, const std::string& noun) {
  return given.starts_with(noun + "/") ? given.substr(noun.size() + 1) : given;
}

void AddTimeout(CLI::App& leaf, int64_t& seconds, const char* help) {
  leaf.add_option("--timeout", seconds, help)->check(CLI::Range(int64_t{0}, kTimeoutMaxS));
}

bool WaitsInNdjson(const Session& session) {
  return session.format() == Format::kNdjson ||
         (!session.format_given && isatty(STDOUT_FILENO) == 0);
}

int WaitForJob(Session& session, const Json& job, int64_t timeout_ms) {
  Progress progress(session, false);
  Json now = job;
  return Wait(session, now, timeout_ms, progress);
}

int AwaitJob(Session& session, Json& job, int64_t timeout_ms) {
  Progress progress(session, true);
  return Wait(session, job, timeout_ms, progress);
}

}  // namespace a4c_cli
