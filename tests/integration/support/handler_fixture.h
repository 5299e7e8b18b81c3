// Handlers by themselves, over the memory back ends: no socket, no gate before them, no loops.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "a4c/memory.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "tests/support/recording_sinks.h"

namespace a4cd {

class HandlerTest : public testing::Test {
 protected:
  class NoProcess final : public ProcessView {
   public:
    std::string WhyNotReady(const a4c::Call&, const std::string&) override { return ""; }
    a4c::Json Status(const a4c::Call&) override { return a4c::Json::Object{}; }
    std::string MetricsText() override { return ""; }
  };

  a4c::Call Within() const { return a4c::Call::Within(runtime_.clock, 30'000); }

  a4c::testing::RecordingLog log_;
  a4c::testing::RecordingMetrics metrics_;
  const a4c::Runtime runtime_ = a4c::SystemRuntime(log_, metrics_);
  std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(runtime_);
  std::unique_ptr<a4c::SearchIndex> index_ = a4c::NewMemorySearchIndex(runtime_);
  a4c::IdSource ids_{runtime_.clock, runtime_.random};
  a4c::Database database_{{.store = *store_, .index = index_.get()}, runtime_};
  JobService jobs_{database_, runtime_, ids_};
  KeyService keys_{database_, runtime_, 0};
  KeyWatch key_watch_{keys_, 1'000};
  SecretService secrets_{database_, runtime_, nullptr};
  EventFeed feed_{database_, runtime_};
  NoProcess process_;
  ApiContext api_{
      runtime_,           {},      database_, jobs_,    keys_, key_watch_,
      secrets_,           nullptr, feed_,     process_, ids_,  RateLimiter(runtime_.clock, 0, 0),
      InFlight(runtime_),
  };
};

}  // namespace a4cd
