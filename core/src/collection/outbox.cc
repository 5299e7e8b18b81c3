#include "collection/outbox.h"

namespace a4c::outbox {
namespace {

constexpr std::string_view kSuffix = "_outbox";
constexpr std::string_view kMarkerSuffix = "_tombstone";

Field Quiet(std::string name, FieldType type, Merge merge = Merge::kReplace) {
  return Field{.name = std::move(name), .type = type, .quiet = true, .merge = merge};
}

}  // namespace

Kind KindOf(const Kind& kind) {
  return Kind{
      .name = kind.name + std::string(kSuffix),
      .version = 3,
      .fields = {Quiet("change", FieldType::kLong), Quiet("since", FieldType::kTime, Merge::kKeep),
                 Quiet("next_at", FieldType::kTime, Merge::kMin),
                 Quiet("confirmed", FieldType::kLong, Merge::kMax),
                 Quiet("rejections", FieldType::kLong), Quiet("reason", FieldType::kKeyword),
                 Quiet("dead", FieldType::kBool), Quiet("dead_at", FieldType::kTime)},
      .indexes = {{.name = std::string(kDueIndex), .fields = {"next_at"}, .scoped = false},
                  {.name = std::string(kOldestIndex), .fields = {"since"}, .scoped = false},
                  {.name = std::string(kDeadIndex), .fields = {"dead"}, .scoped = false}}};
}

RecordRef RefOf(const RecordRef& record) {
  return {record.kind + std::string(kSuffix), record.key};
}

RecordRef RecordOf(const RecordRef& row) {
  return {row.kind.substr(0, row.kind.size() - kSuffix.size()), row.key};
}

Put Announce(const RecordRef& record, int64_t rev, uint64_t drawn, int64_t now_ms,
             int64_t first_due_ms) {
  return Put{.ref = RefOf(record),
             .body = "{}",
             .quiet = {{"change", static_cast<int64_t>(drawn >> 1)},
                       {"since", now_ms},
                       {"next_at", now_ms + first_due_ms},
                       {"rejections", int64_t{0}},
                       {"reason", Scalar()},
                       {"dead", Scalar()},
                       {"dead_at", Scalar()}},
             .min_rev = rev};
}

FieldValues Dead(int64_t now_ms) {
  return {{"dead", true}, {"dead_at", now_ms}, {"next_at", Scalar()}, {"since", Scalar()}};
}

Put Revive(const Record& row, int64_t now_ms) {
  return Put{.ref = row.ref,
             .quiet = {{"since", now_ms},
                       {"next_at", now_ms},
                       {"rejections", int64_t{0}},
                       {"reason", Scalar()},
                       {"dead", Scalar()},
                       {"dead_at", Scalar()}},
             .expect = Expect::Rev(row.rev)};
}

std::vector<Op> Confirm(const Record& row) {
  const auto change = row.quiet.find("change");
  const Scalar read = change == row.quiet.end() ? Scalar() : change->second;
  return {Delete{.ref = row.ref, .expect = Expect::Rev(row.rev)},
          Check{.ref = row.ref, .quiet = {{"change", read}}}};
}

std::vector<Op> Advance(const RecordRef& record, int64_t rev, int64_t read_at_ms) {
  return {Check{.ref = RefOf(record), .quiet = {{"dead", Scalar()}}},
          Put{.ref = RefOf(record), .quiet = {{"confirmed", rev}, {"since", read_at_ms}}}};
}

Put AdvanceDead(const RecordRef& record, int64_t rev) {
  return Put{.ref = RefOf(record), .quiet = {{"confirmed", rev}}};
}

Kind MarkerKindOf(const Kind& kind) {
  return Kind{
      .name = kind.name + std::string(kMarkerSuffix),
      .fields = {Quiet("made", FieldType::kTime)},
      .indexes = {{.name = std::string(kMarkerIndex), .fields = {"made"}, .scoped = false}}};
}

RecordRef MarkerOf(const RecordRef& record) {
  return {record.kind + std::string(kMarkerSuffix), record.key};
}

Put Mark(const RecordRef& record, int64_t now_ms) {
  return Put{.ref = MarkerOf(record), .body = "{}", .quiet = {{"made", now_ms}}};
}

std::vector<Op> Unmark(const Record& marker) {
  return {Delete{.ref = marker.ref, .expect = Expect::Rev(marker.rev)},
          Check{.ref = marker.ref, .quiet = {{"made", LongOf(marker, "made")}}}};
}

int64_t LongOf(const Record& row, std::string_view field) {
  const auto found = row.quiet.find(field);
  if (found == row.quiet.end()) return 0;
  const int64_t* value = std::get_if<int64_t>(&found->second);
  return value != nullptr ? *value : 0;
}

}  // namespace a4c::outbox
