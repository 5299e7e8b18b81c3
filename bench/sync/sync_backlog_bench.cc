// How fast a backlog of changed records reaches the index through the sync, against raw _bulk of
// the same bodies.
//
//   sync_backlog_bench DOCUMENTS ROUNDS CONNECTIONS         servers as dev/stack env names them
//   sync_backlog_bench pgsync DOCUMENTS ROUNDS CONNECTIONS  on OpenSearch, against PGSync
//   sync_backlog_bench smoke DOCUMENTS ROUNDS CONNECTIONS   both in memory: does it run?
//
// Each round changes every record and then times as many poll loops as there are connections, as
// a4cd runs them, until the outbox is empty: due rows, records, bulks, one refresh a second,
// confirmed rows. The peer sends the same documents, made beforehand, by as many connections, and
// refreshes once. PGSync (bench/peers/pgsync) has its own PostgreSQL, rows of the same members, and
// as many documents in the same index server. Rounds alternate in who begins; the first is not
// counted.
#include <Poco/URI.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "bench/support/runtime.h"
#include "bench/support/search_documents.h"
#include "bench/sync/sync_backends.h"

namespace a4c::bench {
namespace {

constexpr size_t kPerCommit = 500;

double SecondsOf(const std::function<void()>& work) {
  const int64_t began_ns = TheRuntime().clock.MonotonicNs();
  work();
  return static_cast<double>(TheRuntime().clock.MonotonicNs() - began_ns) * 1e-9;
}

// Each on a thread of its own.
void Together(std::vector<std::function<void()>> works) {
  std::vector<std::unique_ptr<Thread>> threads;
  for (auto& work : works) {
    threads.push_back(TheRuntime().threads.Start(
        "bench", [work = std::move(work)](const std::stop_token&) { work(); }));
  }
  for (const auto& thread : threads) thread->Join();
}

class Backlog {
 public:
  Backlog(Backends& backends, const Kind& kind, size_t count, int connections)
      : database_({.store = *backends.store, .index = backends.index.get()}, TheRuntime()),
        kind_(kind),
        count_(count) {
    const auto opened = database_.Open(Within(60'000), {{.kind = kind, .searchable = true}});
    if (!opened) Die(opened.error().ToString());
    for (int part = 0; part < connections; ++part) {
      loops_.push_back(database_.NewPollLoop(kind.name, part, connections));
    }
  }

  void ChangeAll(int64_t rev) {
    const std::vector<Document> documents = DocumentsOf(kind_.name, count_, rev);
    for (size_t from = 0; from < documents.size(); from += kPerCommit) {
      Commit commit;
      for (size_t i = from; i < std::min(documents.size(), from + kPerCommit); ++i) {
        commit.changes.push_back({.ref = documents[i].ref,
                                  .body = documents[i].body,
                                  .expect = rev == 1 ? Expect::Absent() : Expect::Rev(rev - 1)});
      }
      const Committed done = OrDie(database_.Write(Within(60'000), commit));
      if (done.outcome != Committed::Outcome::kApplied) Die("a change was not applied");
    }
  }

  void Sync() {
    std::vector<std::function<void()>> works;
    for (const auto& loop : loops_) {
      works.emplace_back([poll = loop.get()] { OrDie(poll->Step(Within(600'000))); });
    }
    while (OrDie(database_.Status(Within(60'000), kind_.name)).outbox_rows > 0) Together(works);
  }

 private:
  Database database_;
  const Kind kind_;
  const size_t count_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

// The peer on a server: some connections send what was made beforehand.
void SendRaw(const std::string& url, const Kind& kind, const std::vector<std::string>& requests,
             size_t connections) {
  const Poco::URI uri(url);
  std::vector<std::function<void()>> works;
  for (size_t part = 0; part < connections; ++part) {
    works.emplace_back([&, part] {
      Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
      session.setKeepAlive(true);
      session.setTimeout(Poco::Timespan(60, 0));
      for (size_t i = part; i < requests.size(); i += connections) {
        const std::string refused = SendLines(session, requests[i]);
        if (!refused.empty()) Die("raw: " + refused);
      }
    });
  }
  Together(works);
  Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
  session.setTimeout(Poco::Timespan(60, 0));
  Poco::Net::HTTPRequest refresh("POST", "/" + elastic::AliasOf({}, kind.name) + "/_refresh",
                                 Poco::Net::HTTPMessage::HTTP_1_1);
  refresh.setContentLength(0);
  session.sendRequest(refresh);
  Poco::Net::HTTPResponse response;
  std::string answer;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
}

// And in memory.
void BulkRaw(SearchIndex& index, const Kind& kind, const std::vector<Document>& documents) {
  OrDie(index.Bulk(Within(60'000), documents));
  if (!index.Refresh(Within(60'000), kind.name)) Die("a refresh failed");
}

// PGSync as the peer: lines of id, tab, body, before and after the change.
class PgSync {
 public:
  explicit PgSync(std::string url)
      : url_(std::move(url)),
        folder_(std::filesystem::temp_directory_path() /
                ("a4c-pgsync-" + std::to_string(TheRuntime().random.Next()))) {
    std::filesystem::create_directory(folder_);
  }
  ~PgSync() { std::filesystem::remove_all(folder_); }
  PgSync(const PgSync&) = delete;
  PgSync& operator=(const PgSync&) = delete;

  double Seconds(const std::string& kind, size_t count, int64_t rev) const {
    const std::string command = FromEnvironment("A4C_PEER_PGSYNC") + " " + url_ + " " +
                                File(DocumentsOf(kind, count, rev - 1), "first") + " " +
                                File(DocumentsOf(kind, count, rev), "second");
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) Die("cannot start " + command);
    std::string line;
    char buffer[512];
    while (fgets(buffer, sizeof(buffer), pipe) != nullptr) line = buffer;
    if (pclose(pipe) != 0) Die("PGSync failed");
    return OrDie(ParseJson(line))["seconds"].Number();
  }

 private:
  std::string File(const std::vector<Document>& documents, const char* name) const {
    std::ofstream file(folder_ / name);
    for (const Document& document : documents) {
      file << document.ref.key.id << '\t' << document.body << '\n';
    }
    return folder_ / name;
  }

  const std::string url_;
  const std::filesystem::path folder_;
};

enum class Mode { kRaw, kPgSync, kSmoke };

int Run(Backends& backends, Mode mode, size_t count, int rounds, int connections) {
  const std::string word = std::to_string(TheRuntime().random.Next() % 100'000'000);
  const Kind synced = KindNamed("bench_sync_" + word);
  const Kind raw = KindNamed("bench_raw_" + word);
  if (!backends.index->Ensure(Within(60'000), {&raw, 1})) Die("the peer's index was not made");
  Backlog backlog(backends, synced, count, connections);
  const bool is_raw = mode != Mode::kPgSync;
  std::optional<PgSync> pgsync;
  if (!is_raw) pgsync.emplace(backends.url);
  std::vector<double> by_sync, by_peer, ratio;
  for (int round = -1; round < rounds; ++round) {
    const int64_t rev = round + 2;
    const std::vector<Document> documents = DocumentsOf(raw.name, is_raw ? count : 0, rev);
    const std::vector<std::string> requests = RequestsOf(raw, documents);
    backlog.ChangeAll(rev);
    const auto peer = [&] {
      if (pgsync) return pgsync->Seconds(raw.name, count, rev);
      return SecondsOf([&] {
        if (backends.url.empty()) return BulkRaw(*backends.index, raw, documents);
        SendRaw(backends.url, raw, requests, static_cast<size_t>(connections));
      });
    };
    double peer_seconds = 0;
    if (round % 2 != 0) peer_seconds = peer();
    const double sync_seconds = SecondsOf([&] { backlog.Sync(); });
    if (round % 2 == 0) peer_seconds = peer();
    if (round < 0) continue;
    by_sync.push_back(static_cast<double>(count) / sync_seconds);
    by_peer.push_back(static_cast<double>(count) / peer_seconds);
    ratio.push_back(peer_seconds / sync_seconds);
  }
  Json line;
  line.Set("question", std::string("a backlog of changes through the sync against ") +
                           (is_raw ? "raw _bulk of the same bodies" : "PGSync 7.3.0"));
  line.Set("store", mode == Mode::kSmoke ? "memory" : "store-postgres");
  line.Set("index", mode == Mode::kSmoke ? "memory"
                    : mode == Mode::kRaw ? "search-elastic, 1 replica"
                                         : "search-elastic on OpenSearch");
  line.Set("documents", static_cast<int64_t>(count)).Set("rounds", rounds);
  line.Set("connections", connections);
  line.Set("sync_documents_per_second", Median(by_sync));
  line.Set(is_raw ? "raw_documents_per_second" : "pgsync_documents_per_second", Median(by_peer));
  line.Set("ratio", Median(ratio)).Set("reach", is_raw ? 0.6 : 5.0);
  if (!backends.url.empty()) {
    const Poco::URI uri(backends.url);
    Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
    for (const Kind& kind : {synced, raw}) Drop(session, kind);
  }
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using a4c::bench::Mode;
  const std::string_view word = argc == 5 ? argv[1] : "";
  if (argc != 4 && word != "smoke" && word != "pgsync") {
    std::fprintf(stderr,
                 "usage: sync_backlog_bench [smoke | pgsync] DOCUMENTS ROUNDS CONNECTIONS\n");
    return 2;
  }
  const Mode mode = word == "smoke" ? Mode::kSmoke : word == "pgsync" ? Mode::kPgSync : Mode::kRaw;
  const size_t count = std::strtoul(argv[argc - 3], nullptr, 10);
  const int rounds = std::atoi(argv[argc - 2]);
  const int connections = std::atoi(argv[argc - 1]);
  if (count == 0 || rounds <= 0 || connections <= 0) a4c::bench::Die("numbers from 1 on");
  auto backends = mode == Mode::kSmoke    ? a4c::bench::InMemory()
                  : mode == Mode::kPgSync ? a4c::bench::OnServers("A4C_TEST_OPENSEARCH_URLS")
                                          : a4c::bench::OnServers("A4C_TEST_ELASTICSEARCH_URLS");
  return a4c::bench::Run(backends, mode, count, rounds, connections);
}
