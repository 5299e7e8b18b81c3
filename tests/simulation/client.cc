// What a client does: writes with and without idempotency keys, resends, deletes, searches.
#include <algorithm>
#include <utility>

#include "tests/simulation/world.h"

namespace a4c::simulation {
namespace {

constexpr int kSendsMax = 6;

class Client {
 public:
  Client(World& world, int number)
      : world_(world),
        simulation_(world.simulation()),
        history_(world.history()),
        number_(number),
        calm_(world.scenario().name == "calm") {}

  void Run() {
    for (int i = 0; i < world_.scenario().operations; ++i) {
      simulation_.Sleep(static_cast<int64_t>(
          simulation_.Below(static_cast<uint64_t>(world_.scenario().pause_ms))));
      switch (simulation_.Below(10)) {
        case 0:
        case 1:
        case 2:
          Create();
          break;
        case 3:
        case 4:
        case 5:
          Update(false);
          break;
        case 6:
          Update(true);
          break;
        case 7:
          Recreate();
          break;
        case 8:
          Resend();
          break;
        default:
          break;
      }
      Search();
    }
  }

 private:
  // Calls an instance, as a request that it handles. Nothing: it crashed, or none is up.
  template <typename Ask>
  auto At(Ask ask)
      -> std::optional<decltype(ask(std::declval<Database&>(), std::declval<Call>()))> {
    Instance* const instance = world_.AnyInstance();
    if (instance == nullptr) {
      simulation_.Sleep(300);
      return std::nullopt;
    }
    try {
      const Simulation::In in(simulation_, &instance->process());
      return ask(
          instance->database(),
          Call::Within(instance->runtime().clock(),
                       (calm_ ? 5'000 : 500) + static_cast<int64_t>(simulation_.Below(4'000))));
    } catch (const Crashed&) {
      return std::nullopt;
    }
  }

  bool Often() { return simulation_.Chance(700); }

  static Commit CommitOf(const Attempt& attempt) {
    return {.changes = {{.ref = attempt.ref,
                         .body = attempt.body,
                         .tombstone = attempt.tombstone,
                         .expect = attempt.expect}},
            .idempotency = attempt.idempotency};
  }

  void Send(Attempt& attempt) {
    const Json::Object what = {{"expect", attempt.expect.rev}, {"value", attempt.word}};
    Tell("invoke", attempt.tombstone ? "delete" : "put", attempt.ref, what);
    SendUntilKnown(attempt);
    Json::Object told = what;
    if (attempt.fate == Attempt::Fate::kAcked) told.emplace_back("rev", attempt.rev);
    Tell(TypeOf(attempt.fate), attempt.tombstone ? "delete" : "put", attempt.ref, told);
  }

  static std::string_view TypeOf(Attempt::Fate fate) {
    if (fate == Attempt::Fate::kAcked) return "ok";
    return fate == Attempt::Fate::kRefused ? "fail" : "unknown";
  }

  void Tell(std::string_view type, std::string_view op, const RecordRef& ref,
            const Json::Object& fields) {
    world_.history_file().Write("client" + std::to_string(number_), type, op, ref.key.id, fields);
  }

  void SendUntilKnown(Attempt& attempt) {
    for (int sends = 0; sends < kSendsMax; ++sends) {
      bool reached = false;
      const auto told = At([&](Database& database, const Call& call) {
        reached = true;
        return database.Write(call, CommitOf(attempt));
      });
      if (told) {
        Note(attempt, *told);
        history_.Heard(attempt, *told);
        if (*told || !attempt.sent_before) break;
      } else if (reached) {
        simulation_.Note("w" + std::to_string(attempt.number) + ": the instance crashed");
        attempt.sent_before = true;
      }
      if (attempt.sent_before && !attempt.idempotency) return;
      simulation_.Sleep(static_cast<int64_t>(simulation_.Below(1'000)));
    }
    if (attempt.fate == Attempt::Fate::kAcked) mine_.push_back(&attempt);
  }

  void Note(const Attempt& attempt, const Result<Committed>& told) {
    simulation_.Note(
        "w" + std::to_string(attempt.number) + " " + attempt.ref.key.id + ": " +
        (told ? "outcome " + std::to_string(static_cast<int>(told->outcome)) +
                    (told->tokens.empty() ? "" : " rev " + std::to_string(told->tokens[0].rev))
              : told.error().ToString()));
  }

  void Create() {
    const RecordRef ref{"photo",
                        {"s", "p" + std::to_string(number_) + "-" + std::to_string(++created_)}};
    Send(history_.Begin(ref, Expect::Absent(), false, Poisonous(), Often()));
  }

  bool Poisonous() { return !calm_ && simulation_.Chance(40); }

  std::optional<std::optional<Record>> Read(const RecordRef& ref) {
    Tell("invoke", "get", ref, {});
    auto read = ReadOnce(ref);
    if (!read) {
      Tell("fail", "get", ref, {});
    } else if (!*read) {
      Tell("ok", "get", ref, {{"rev", int64_t{0}}});
    } else {
      const Attempt* const by = history_.ByBody((*read)->body);
      Tell("ok", "get", ref, {{"rev", (*read)->rev}, {"value", by == nullptr ? "" : by->word}});
    }
    return read;
  }

  std::optional<std::optional<Record>> ReadOnce(const RecordRef& ref) {
    const auto got = At([&](Database& database, const Call& call) {
      return database.Get(call, std::span(&ref, 1));
    });
    if (!got || !*got) return std::nullopt;
    return (*got)->records[0];
  }

  void Update(bool tombstone) {
    const RecordRef* const any = history_.AnyLiving();
    if (any == nullptr) return;
    const RecordRef ref = *any;
    const auto read = Read(ref);
    if (!read) return;
    const std::optional<Record>& found = *read;
    if (!found) {
      if (!world_.cluster().lossy()) simulation_.Fail("acknowledged, and gone: " + ref.key.id);
      return Send(history_.Begin(ref, Expect::Absent(), false, false, Often()));
    }
    if (found->tombstone) return;
    Send(history_.Begin(ref, Expect::Rev(found->rev), tombstone, !tombstone && Poisonous(),
                        Often()));
  }

  // An id is never used again.
  void Recreate() {
    const RecordRef* const any = history_.AnyDeleted();
    if (any == nullptr || world_.cluster().lossy()) return Create();
    Attempt& attempt = history_.Begin(*any, Expect::Absent(), false, false, Often());
    Send(attempt);
    if (attempt.fate == Attempt::Fate::kAcked && !world_.cluster().lossy()) {
      simulation_.Fail("an id was used again: " + attempt.ref.key.id);
    }
  }

  // A request that was answered comes again: the same answer, and nothing is done. With the same
  // key, but another body: refused.
  void Resend() {
    if (mine_.empty()) return;
    Attempt& attempt = *mine_[simulation_.Below(mine_.size())];
    if (!attempt.idempotency) return;
    const bool reuse = simulation_.Chance(300);
    attempt.key_reused = attempt.key_reused || reuse;
    const auto told = At([&](Database& database, const Call& call) {
      Commit commit = CommitOf(attempt);
      if (reuse) commit.idempotency->request_hash = "another";
      return database.Write(call, commit);
    });
    if (!told) return;
    Note(attempt, *told);
    if (reuse) {
      history_.HeardOfReuse(attempt, *told);
    } else {
      history_.Heard(attempt, *told);
    }
  }

  void Search() {
    std::vector<const Attempt*> tokens;
    FindRequest request{.request = {.kind = PhotoKind(), .scope = "s", .limit = 1'000}};
    for (int i = 0; i < 3 && !mine_.empty(); ++i) {
      const size_t back = simulation_.Below(std::min<size_t>(mine_.size(), 3)) + 1;
      tokens.push_back(mine_[mine_.size() - back]);
      request.tokens.push_back({tokens.back()->ref, tokens.back()->rev});
    }
    const History::Floor before = history_.Now();
    const auto found =
        At([&](Database& database, const Call& call) { return database.Search(call, request); });
    if (!found || !*found) return;
    simulation_.Note(std::string("search: ") + ((*found)->fresh ? "fresh" : "not fresh"));
    history_.CheckSearch(before, tokens, **found);
    if (calm_ && !(*found)->fresh && !MovedOn(tokens)) {
      simulation_.Fail("a search was not fresh without a fault");
    }
  }

  // Somebody has written one of them again, or tried to: its outbox row may be there all the time.
  bool MovedOn(const std::vector<const Attempt*>& tokens) {
    return std::ranges::any_of(history_.attempts(), [&tokens](const Attempt& later) {
      return std::ranges::any_of(tokens, [&later](const Attempt* token) {
        return later.ref == token->ref && later.number > token->number;
      });
    });
  }

  World& world_;
  Simulation& simulation_;
  History& history_;
  const int number_;
  const bool calm_;
  int created_ = 0;
  std::vector<Attempt*> mine_;  // acknowledged
};

}  // namespace

void World::RunClient(int number) {
  Client(*this, number).Run();
}

}  // namespace a4c::simulation
