// A photo catalogue on the a4c framework: a durable store and a search index that provably agree.
//
//   catalog PLUGIN_DIRECTORY
//
// Swap the plugin names for store-postgres, bus-kafka and search-elastic (with their config), and
// nothing else changes.
#include <cstdio>

#include "a4c/collection.h"
#include "a4c/plugin_host.h"
#include "a4c/sinks.h"

namespace {

using a4c::Call;
using a4c::Result;

a4c::Kind PhotoKind() {
  return {.name = "photo",
          .fields = {{.name = "title", .type = a4c::FieldType::kText, .searchable = true},
                     {.name = "album", .type = a4c::FieldType::kKeyword, .searchable = true},
                     {.name = "taken", .type = a4c::FieldType::kTime, .searchable = true}},
          .indexes = {{.name = "by_album", .fields = {"album", "taken"}}}};
}

class Catalog {
 public:
  Catalog(a4c::Store& store, a4c::Bus& bus, a4c::SearchIndex& index, const a4c::Runtime& runtime)
      : runtime_(runtime),
        ids_(runtime.clock, runtime.random),
        database_({.store = store, .bus = &bus, .index = &index}, runtime) {}

  Result<void> Open() {
    A4C_CHECK(database_.Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
    sync_ = database_.NewSyncLoop("photo");
    return {};
  }

  // Durable when it returns; the token says which write a search has to show.
  Result<a4c::Token> Add(const std::string& body) {
    const a4c::RecordRef ref{"photo", {"my-catalogue", ids_.Next()}};
    A4C_TRY(a4c::Committed done,
            database_.Write(Within(), {.changes = {{.ref = ref, .body = body}}}));
    return done.tokens.at(0);
  }

  // A service runs the loop on a thread of its own; here it steps until nothing is on its way.
  Result<void> Sync() {
    const Call all = Within();
    for (;;) {
      A4C_CHECK(sync_->Step(Within(100)));
      A4C_TRY(const a4c::SyncStatus status, database_.Status(all, "photo"));
      if (status.outbox_rows == 0) return {};
      if (all.Expired()) return a4c::Error(a4c::Code::kTimeout, "the sync does not come to an end");
    }
  }

  Result<a4c::Found> Find(const std::string& text, std::vector<a4c::Token> tokens) {
    A4C_TRY(a4c::Query query, a4c::ParseQuery(text, PhotoKind(), runtime_.clock.NowMs()));
    return database_.Search(
        Within(),
        {.request = {.kind = PhotoKind(), .scope = "my-catalogue", .query = std::move(query)},
         .tokens = std::move(tokens)});
  }

  Result<a4c::VerifyReport> Verify() { return database_.Verify(Within(), "photo"); }

 private:
  Call Within(int64_t timeout_ms = 10'000) const {
    return Call::Within(runtime_.clock, timeout_ms);
  }

  const a4c::Runtime runtime_;
  a4c::IdSource ids_;
  a4c::Database database_;
  std::unique_ptr<a4c::Loop> sync_;
};

Result<void> Show(Catalog& catalog) {
  A4C_CHECK(catalog.Open());
  std::vector<a4c::Token> tokens;
  for (const char* body :
       {R"({"title":"The old pier at dawn","album":"sea"})",
        R"({"title":"A new pier","album":"harbour"})", R"({"title":"Dunes","album":"sea"})"}) {
    A4C_TRY(a4c::Token token, catalog.Add(body));
    tokens.push_back(std::move(token));
  }
  A4C_CHECK(catalog.Sync());
  A4C_TRY(a4c::Found sea, catalog.Find("album:sea and not title:dunes", tokens));
  for (const a4c::Hit& hit : sea.answer.hits)
    std::printf("in the sea album: %s\n", hit.body.c_str());
  A4C_TRY(a4c::Found both, catalog.Find("title:pier and title:old", tokens));
  std::printf("%lld photo with both words, fresh: %s\n", static_cast<long long>(both.answer.total),
              both.fresh ? "yes" : "no");
  A4C_TRY(a4c::VerifyReport report, catalog.Verify());
  if (report.mismatched_buckets != 0)
    return a4c::Error(a4c::Code::kInternal, "store and index differ");
  std::printf("store and index agree on %lld records\n", static_cast<long long>(report.records));
  return {};
}

Result<void> Run(const char* plugin_directory) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  a4c::PluginHost plugins(runtime, {.directories = {plugin_directory}});
  A4C_TRY(auto store, plugins.MakeStore("store-memory", {}));
  A4C_TRY(auto bus, plugins.MakeBus("bus-memory", {}));
  A4C_TRY(auto index, plugins.MakeSearchIndex("search-memory", {}));
  Catalog catalog(*store, *bus, *index, runtime);
  return Show(catalog);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: catalog PLUGIN_DIRECTORY\n");
    return 2;
  }
  const Result<void> done = Run(argv[1]);
  if (!done) std::fprintf(stderr, "catalog: %s\n", done.error().ToString().c_str());
  return done ? 0 : 1;
}
