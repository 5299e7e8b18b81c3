// How fast a backlog of changed records reaches the index through the sync, against raw _bulk of
// the same bodies.
//
//   sync_backlog_bench DOCUMENTS ROUNDS CONNECTIONS        servers as dev/stack env names them
//   sync_backlog_bench smoke DOCUMENTS ROUNDS CONNECTIONS  both in memory: does it run?
//
// Each round changes every record and then times as many poll loops as there are connections, as
// a4cd runs them, until the outbox is empty: due rows, records, bulks, one refresh a second,
// confirmed rows. The peer sends the same documents, made beforehand, by as many connections, and
// refreshes once. Rounds alternate in who begins; the first is not counted.
#include <Poco/URI.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/memory.h"
#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "search_documents.h"

namespace a4c::bench {
namespace {

constexpr size_t kPerCommit = 500;

Runtime TheRuntime() {
  return SystemRuntime(NullLogSink(), NullMetricSink());
}

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "sync_backlog_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Good(Result<T> result) {
  if (!result) Fail(result.error().ToString());
  return *std::move(result);
}

Call Within(int64_t timeout_ms) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

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

struct Backends {
  std::unique_ptr<PluginHost> plugins =
      std::make_unique<PluginHost>(TheRuntime(), PluginHostOptions{.directories = {}});
  std::unique_ptr<Store> store;
  std::unique_ptr<SearchIndex> index;
  std::string url;  // of the search server; empty: the index is in memory
};

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) Fail(std::string(name) + " is not set: eval \"$(dev/stack/stack env)\"");
  return value;
}

Backends InMemory() {
  Backends made;
  made.store = NewMemoryStore(TheRuntime());
  made.index = NewMemorySearchIndex(TheRuntime());
  return made;
}

Backends OnServers() {
  Backends made;
  const std::string urls = FromEnvironment("A4C_TEST_ELASTICSEARCH_URLS");
  made.url = urls.substr(0, urls.find(','));
#ifdef A4C_STORE_POSTGRES
  made.store = Good(made.plugins->MakeStore(
      A4C_STORE_POSTGRES,
      ConfigValue::Map({{"dsn", ConfigValue::Scalar(FromEnvironment("A4C_TEST_POSTGRES_DSN"))}})));
#else
  Fail("store-postgres is not built");
#endif
  const ConfigValue list{.shape = ConfigValue::Shape::kList, .list = {ConfigValue::Scalar(urls)}};
  made.index =
      Good(made.plugins->MakeSearchIndex(A4C_SEARCH_ELASTIC, ConfigValue::Map({{"urls", list}})));
  return made;
}

class Backlog {
 public:
  Backlog(Backends& backends, const Kind& kind, size_t count, int connections)
      : database_({.store = *backends.store, .index = backends.index.get()}, TheRuntime()),
        kind_(kind),
        count_(count) {
    const auto opened = database_.Open(Within(60'000), {{.kind = kind, .searchable = true}});
    if (!opened) Fail(opened.error().ToString());
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
      const Committed done = Good(database_.Write(Within(60'000), commit));
      if (done.outcome != Committed::Outcome::kApplied) Fail("a change was not applied");
    }
  }

  void Sync() {
    std::vector<std::function<void()>> works;
    for (const auto& loop : loops_) {
      works.emplace_back([poll = loop.get()] { Good(poll->Step(Within(600'000))); });
    }
    while (Good(database_.Status(Within(60'000), kind_.name)).outbox_rows > 0) Together(works);
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
        if (!refused.empty()) Fail("raw: " + refused);
      }
    });
  }
  Together(works);
  Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
  session.setTimeout(Poco::Timespan(60, 0));
  Poco::Net::HTTPRequest refresh("POST", "/" + elastic::AliasOf({}, kind.name) + "/_refresh",
                                 Poco::Net::HTTPMessage::HTTP_1_1);
  session.sendRequest(refresh);
  Poco::Net::HTTPResponse response;
  std::string answer;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
}

// And in memory.
void BulkRaw(SearchIndex& index, const Kind& kind, const std::vector<Document>& documents) {
  Good(index.Bulk(Within(60'000), documents));
  if (!index.Refresh(Within(60'000), kind.name)) Fail("a refresh failed");
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int Run(Backends& backends, size_t count, int rounds, int connections) {
  const std::string word = std::to_string(TheRuntime().random.Next() % 100'000'000);
  const Kind synced = KindNamed("bench_sync_" + word);
  const Kind raw = KindNamed("bench_raw_" + word);
  if (!backends.index->Ensure(Within(60'000), {&raw, 1})) Fail("the peer's index was not made");
  Backlog backlog(backends, synced, count, connections);
  std::vector<double> by_sync, by_peer, ratio;
  for (int round = -1; round < rounds; ++round) {
    const int64_t rev = round + 2;
    const std::vector<Document> documents = DocumentsOf(raw.name, count, rev);
    const std::vector<std::string> requests = RequestsOf(raw, documents);
    backlog.ChangeAll(rev);
    const auto peer = [&] {
      if (backends.url.empty()) return BulkRaw(*backends.index, raw, documents);
      SendRaw(backends.url, raw, requests, static_cast<size_t>(connections));
    };
    double peer_seconds = 0;
    if (round % 2 != 0) peer_seconds = SecondsOf(peer);
    const double sync_seconds = SecondsOf([&] { backlog.Sync(); });
    if (round % 2 == 0) peer_seconds = SecondsOf(peer);
    if (round < 0) continue;
    by_sync.push_back(static_cast<double>(count) / sync_seconds);
    by_peer.push_back(static_cast<double>(count) / peer_seconds);
    ratio.push_back(peer_seconds / sync_seconds);
  }
  Json line;
  line.Set("question",
           "a backlog of changes through the sync against raw _bulk of the same bodies");
  line.Set("store", backends.url.empty() ? "memory" : "store-postgres");
  line.Set("index", backends.url.empty() ? "memory" : "search-elastic, 1 replica");
  line.Set("documents", static_cast<int64_t>(count)).Set("rounds", rounds);
  line.Set("connections", connections);
  line.Set("sync_documents_per_second", Median(by_sync));
  line.Set("raw_documents_per_second", Median(by_peer));
  line.Set("ratio", Median(ratio)).Set("reach", 0.6);
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
  const bool smoke = argc == 5 && std::string_view(argv[1]) == "smoke";
  if (argc != (smoke ? 5 : 4)) {
    std::fprintf(stderr, "usage: sync_backlog_bench [smoke] DOCUMENTS ROUNDS CONNECTIONS\n");
    return 2;
  }
  const size_t count = std::strtoul(argv[argc - 3], nullptr, 10);
  const int rounds = std::atoi(argv[argc - 2]);
  const int connections = std::atoi(argv[argc - 1]);
  if (count == 0 || rounds <= 0 || connections <= 0) a4c::bench::Fail("numbers from 1 on");
  auto backends = smoke ? a4c::bench::InMemory() : a4c::bench::OnServers();
  return a4c::bench::Run(backends, count, rounds, connections);
}
