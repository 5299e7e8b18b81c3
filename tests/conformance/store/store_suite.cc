#include "tests/conformance/store/store_suite.h"

#include <algorithm>
#include <latch>
#include <thread>

namespace a4c::conformance {
namespace {

constexpr int kInstancesMax = 8;

std::string_view ReasonName(OpFailure::Reason reason) {
  switch (reason) {
    case OpFailure::Reason::kPresent:
      return "present";
    case OpFailure::Reason::kAbsent:
      return "absent";
    case OpFailure::Reason::kRev:
      return "rev";
    case OpFailure::Reason::kQuiet:
      return "quiet";
    case OpFailure::Reason::kUnique:
      return "unique";
    case OpFailure::Reason::kOutOfBounds:
      return "out_of_bounds";
    case OpFailure::Reason::kInvalid:
      return "invalid";
  }
  return "?";
}

std::string ToldFailure(const OpFailure& failure) {
  std::string text = " " + std::to_string(failure.op) + ":";
  text += ReasonName(failure.reason);
  if (!failure.field.empty()) text += "(" + failure.field + ")";
  if (failure.actual != Scalar()) text += "=" + conformance::Told(failure.actual);
  return text;
}

std::string_view OutcomeName(BatchOutcome outcome) {
  switch (outcome) {
    case BatchOutcome::kApplied:
      return "applied";
    case BatchOutcome::kConflict:
      return "conflict";
    case BatchOutcome::kOutOfBounds:
      return "out_of_bounds";
    case BatchOutcome::kInvalid:
      return "invalid";
    case BatchOutcome::kNotApplied:
      return "not_applied";
    case BatchOutcome::kUnknown:
      return "unknown";
  }
  return "?";
}

}  // namespace

Kind ThingKind(const std::string& name) {
  const auto quiet = [](const char* field, FieldType type, Merge merge = Merge::kReplace) {
    return Field{.name = field, .type = type, .quiet = true, .merge = merge};
  };
  return {.name = name,
          .fields = {{.name = "name"},
                     {.name = "code"},
                     {.name = "state"},
                     {.name = "due", .type = FieldType::kTime},
                     {.name = "size", .type = FieldType::kLong},
                     {.name = "ratio", .type = FieldType::kDouble},
                     {.name = "flag", .type = FieldType::kBool},
                     quiet("count", FieldType::kLong),
                     quiet("since", FieldType::kTime, Merge::kKeep),
                     quiet("low", FieldType::kLong, Merge::kMin),
                     quiet("high", FieldType::kLong, Merge::kMax),
                     quiet("next_at", FieldType::kTime),
                     quiet("holder", FieldType::kKeyword),
                     quiet("load", FieldType::kDouble),
                     quiet("busy", FieldType::kBool)},
          .indexes = {{.name = "by_name", .fields = {"name"}, .unique = true},
                      {.name = "by_code", .fields = {"code"}, .scoped = false, .unique = true},
                      {.name = "by_state", .fields = {"state", "due"}},
                      {.name = "by_due", .fields = {"due"}, .scoped = false},
                      {.name = "by_size", .fields = {"size"}, .scoped = false},
                      {.name = "by_ratio", .fields = {"ratio"}, .scoped = false},
                      {.name = "by_flag", .fields = {"flag"}, .scoped = false},
                      {.name = "by_next_at", .fields = {"next_at"}, .scoped = false},
                      {.name = "by_load", .fields = {"load", "size"}, .scoped = false}}};
}

std::string Told(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return std::to_string(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  return "";
}

std::string Told(const BatchResult& result) {
  std::string text(OutcomeName(result.outcome));
  for (const int64_t value : result.values) text += " " + std::to_string(value);
  for (const OpFailure& failure : result.failures) text += ToldFailure(failure);
  if (result.error) text += " " + std::string(CodeName(result.error->code()));
  return text;
}

void OnThreads(int count, const std::function<void(int)>& body) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
}

void StoreSuite::SetUp() {
  kind_ = ThingKind(Unique("thing"));
  Reopen();
}

void StoreSuite::Reopen() {
  store_.reset();
  store_ = Make<Store>();
  ASSERT_NE(store_, nullptr);
  const Result<void> ensured = store_->Ensure(Within(), {&kind_, 1});
  ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
}

std::vector<BatchResult> StoreSuite::ApplyAll(const std::vector<WriteBatch>& batches) {
  Result<ApplyAnswer> answer = store_->Apply(Within(), batches);
  if (!answer) {
    ADD_FAILURE() << answer.error().ToString();
    return std::vector<BatchResult>(batches.size());
  }
  EXPECT_EQ(answer->results.size(), batches.size());
  answer->results.resize(batches.size());
  return std::move(answer->results);
}

std::string StoreSuite::Apply(std::vector<Op> ops) {
  return Told(ApplyAll({WriteBatch{std::move(ops)}})[0]);
}

BatchResult StoreSuite::ApplySurely(Store& store, const WriteBatch& batch) {
  const Call call = Within(120'000);
  BatchResult result;
  while (!call.Expired()) {
    Result<ApplyAnswer> answer = store.Apply(call, {&batch, 1});
    if (!answer) {
      if (answer.error().retryable() || answer.error().unknown_outcome()) continue;
      ADD_FAILURE() << answer.error().ToString();
      break;
    }
    result = std::move(answer->results.at(0));
    const bool again =
        result.outcome == BatchOutcome::kUnknown ||
        (result.outcome == BatchOutcome::kNotApplied && result.error && result.error->retryable());
    if (!again) break;
  }
  return result;
}

// They are made before the threads begin: what takes its time to open would miss the race.
void StoreSuite::OnInstances(int threads, const std::function<void(Store&, int)>& body) {
  std::vector<std::unique_ptr<Store>> own;
  const int count = Absent("shared_instances") ? 0 : std::min(threads, kInstancesMax);
  for (int i = 0; i < count; ++i) {
    own.push_back(Make<Store>());
    const Result<void> ensured = own.back()->Ensure(Within(), KindsOfInstances());
    ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
  }
  OnThreads(threads, [&](int i) {
    body(own.empty() ? *store_ : *own[static_cast<size_t>(i) % own.size()], i);
  });
}

void StoreSuite::Create(const std::string& id, const std::string& body, FieldValues quiet,
                        const std::string& scope) {
  EXPECT_EQ(Apply({Put{.ref = Ref(id, scope),
                       .body = body,
                       .quiet = std::move(quiet),
                       .expect = Expect::Absent()}}),
            "applied 1");
}

std::optional<Record> StoreSuite::Read(const std::string& id, const std::string& scope) {
  const RecordRef ref = Ref(id, scope);
  Result<GetAnswer> answer = store_->Get(Within(), {&ref, 1});
  if (!answer || answer->records.size() != 1) {
    ADD_FAILURE() << (answer ? "not one record for one ref" : answer.error().ToString());
    return std::nullopt;
  }
  std::optional<Record> record = std::move(answer->records[0]);
  if (record) {
    EXPECT_EQ(record->ref, ref);
  }
  return record;
}

std::string StoreSuite::Quiet(const std::string& id) {
  const std::optional<Record> record = Read(id);
  if (!record) return "absent";
  std::string text;
  for (const auto& [name, value] : record->quiet) {
    text += (text.empty() ? "" : " ") + name + "=" + Told(value);
  }
  return text;
}

ScanAnswer StoreSuite::Page(const ScanRequest& request) {
  Result<ScanAnswer> answer = store_->Scan(Within(), request);
  if (answer) return *std::move(answer);
  ADD_FAILURE() << answer.error().ToString();
  return {};
}

std::string StoreSuite::Ids(ScanRequest request, int limit) {
  request.limit = limit;
  std::string ids;
  do {
    const ScanAnswer page = Page(request);
    for (const Record& record : page.records) ids += (ids.empty() ? "" : " ") + record.ref.key.id;
    EXPECT_LE(page.records.size(), static_cast<size_t>(limit));
    if (page.records.empty()) {
      EXPECT_EQ(page.next, "") << "a page without records is the last";
    }
    request.after = page.records.empty() ? "" : page.next;
  } while (!request.after.empty());
  return ids;
}

}  // namespace a4c::conformance
