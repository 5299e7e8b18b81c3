// The outbox: one row per record whose latest change is not confirmed searchable.
//
// Its rev equals the rev of the record, so it never repeats while the store loses nothing. A store
// that failed over may have lost a change and been given another one under the same rev: `change`
// tells them apart, so that a row is deleted by exactly the change it stood for. All but the rev is
// quiet:
//   change     a number drawn for the change; absent: made before there were any
//   since      when the oldest unconfirmed change was made (store time): the lag; absent: dead
//   next_at    when the poller looks at it; absent: dead
//   confirmed  the highest rev known to be searchable
//   rejections, reason, dead, dead_at   of a document that the index refuses for good
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "a4c/record.h"
#include "a4c/store.h"

namespace a4c::outbox {

inline constexpr std::string_view kDueIndex = "due";
inline constexpr std::string_view kOldestIndex = "oldest";
inline constexpr std::string_view kDeadIndex = "dead";

Kind KindOf(const Kind& kind);
RecordRef RefOf(const RecordRef& record);
// The record that an outbox row stands for.
RecordRef RecordOf(const RecordRef& row);

// Put beside a change that makes `rev`; drawn: any random number.
Put Announce(const RecordRef& record, int64_t rev, uint64_t drawn, int64_t now_ms,
             int64_t first_due_ms);
// What makes a row a dead letter: nobody looks at it, and it is no lag.
FieldValues Dead(int64_t now_ms);
// Makes one due again, if it is still the row that was read.
Put Revive(const Record& row, int64_t now_ms);
// After the index has shown the change: removes the row if it is still the one that was read. A row
// that has moved on makes the first op a conflict of its rev.
std::vector<Op> Confirm(const Record& row);
// Where the row has moved on: remembers how far the index is, for searches that wait, and from when
// it is late. A conflict of one that has become a dead letter, which is no lag: see AdvanceDead.
std::vector<Op> Advance(const RecordRef& record, int64_t rev, int64_t read_at_ms);
Put AdvanceDead(const RecordRef& record, int64_t rev);

// A tombstone is marked with the time of its making, by which it is purged later.
inline constexpr std::string_view kMarkerIndex = "by_made";
Kind MarkerKindOf(const Kind& kind);
RecordRef MarkerOf(const RecordRef& record);
Put Mark(const RecordRef& record, int64_t now_ms);
// Removes a marker, unless the record was deleted again since that was read.
std::vector<Op> Unmark(const Record& marker);

int64_t LongOf(const Record& row, std::string_view field);  // 0 if absent

}  // namespace a4c::outbox
