// Our side of bench/peers/shared/fault_run.py: a sync between store-postgres and OpenSearch in a
// process of its own, which can be killed.
//
//   sync_subject KIND sync    brings changes to the index until it is killed
//   sync_subject KIND write   reads lines of "put ID BODY" and "delete ID", separated by tabs,
//   commits
//                             each, and prints "ok" once it is durable
//   sync_subject KIND dump    prints "ID BODY" of all that a search finds
//   sync_subject KIND status  prints how many changes are not confirmed
#include <functional>
#include <iostream>
#include <map>

#include "a4c/collection.h"
#include "bench/support/runtime.h"
#include "bench/support/search_documents.h"
#include "bench/sync/sync_backends.h"

namespace a4c::bench {
namespace {

constexpr int kPollLoops = 2;

class Subject {
 public:
  explicit Subject(const std::string& kind)
      : backends_(OnServers("A4C_TEST_OPENSEARCH_URLS")),
        kind_(KindNamed(kind)),
        database_({.store = *backends_.store, .index = backends_.index.get()}, TheRuntime()) {
    const Result<void> opened =
        database_.Open(Within(60'000), {{.kind = kind_, .searchable = true}});
    if (!opened) Die(opened.error().ToString());
  }

  // As a4cd does: an error is met by trying again.
  void Sync() {
    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<std::unique_ptr<Thread>> threads;
    for (int part = 0; part < kPollLoops; ++part) {
      loops.push_back(database_.NewPollLoop(kind_.name, part, kPollLoops));
      threads.push_back(TheRuntime().threads.Start(
          "poll", [loop = loops.back().get()](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
              const Result<int64_t> wait_ms = loop->Step(Within(60'000));
              Pause(wait_ms ? *wait_ms : 200);
            }
          }));
    }
    for (const auto& thread : threads) thread->Join();
  }

  void Write() {
    std::string line;
    while (std::getline(std::cin, line)) {
      const size_t id = line.find('\t') + 1;
      const size_t end = line.find('\t', id);
      const bool is_put = line.starts_with("put");
      Commit commit;
      const std::string key = line.substr(id, end - id);
      int64_t& rev = revs_[key];
      commit.changes = {{.ref = {kind_.name, {"bench", key}},
                         .body = is_put ? line.substr(end + 1) : "{}",
                         .tombstone = !is_put,
                         .expect = rev == 0 ? Expect::Absent() : Expect::Rev(rev)}};
      if (OrDie(database_.Write(Within(60'000), commit)).outcome != Committed::Outcome::kApplied) {
        Die("a change was not applied: " + line);
      }
      ++rev;
      std::cout << "ok" << std::endl;
    }
  }

  void Dump() {
    SearchRequest request{.kind = kind_, .scope = "bench", .limit = 1'000};
    do {
      const SearchAnswer page = OrDie(backends_.index->Search(Within(60'000), request));
      for (const Hit& hit : page.hits) std::cout << hit.ref.key.id << '\t' << hit.body << '\n';
      request.after = page.next;
    } while (!request.after.empty());
  }

  void Status() {
    std::cout << OrDie(database_.Status(Within(60'000), kind_.name)).outbox_rows << '\n';
  }

 private:
  Backends backends_;
  const Kind kind_;
  Database database_;
  std::map<std::string, int64_t> revs_;
};

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using a4c::bench::Subject;
  static const std::map<std::string, void (Subject::*)()> kModes = {{"sync", &Subject::Sync},
                                                                    {"write", &Subject::Write},
                                                                    {"dump", &Subject::Dump},
                                                                    {"status", &Subject::Status}};
  const auto mode = argc == 3 ? kModes.find(argv[2]) : kModes.end();
  if (mode == kModes.end()) {
    std::cerr << "usage: sync_subject KIND sync | write | dump | status\n";
    return 2;
  }
  Subject subject(argv[1]);
  (subject.*mode->second)();
  return 0;
}
