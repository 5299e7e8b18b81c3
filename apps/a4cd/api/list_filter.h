// ListFilter: which items of a list are wanted, by members of their views: ?actual=running&host=a,
// and labels=gpu=yes,zone=b. All of them must hold. For lists that are read from the store in
// pages; jobs have a query language.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/json.h"
#include "apps/a4cd/api/http.h"
#include "apps/a4cd/jobs/fields.h"

namespace a4cd {

// A member that may be asked for. values: all that it can be; none: anything.
struct FilterMember {
  std::string_view name;
  std::span<const std::string_view> values = {};
};

class ListFilter {
 public:
  // kInvalid, with what was probably meant: a value that the member never has, a label that is no
  // name=value.
  static a4c::Result<ListFilter> Of(const Request& request, std::span<const FilterMember> members);

  bool Takes(const a4c::Json& view) const;
  bool empty() const { return wanted_.empty() && labels_.empty(); }
  // Names it in the cursors of a list.
  std::string Name() const;

 private:
  std::vector<std::pair<std::string, std::string>> wanted_;
  a4c::Json::Object labels_;
};

struct ViewPage {
  a4c::Json::Array items;
  std::string next;      // where the page after it begins; empty: there is none
  int64_t stale_ms = 0;  // 0: it is current
  size_t bytes = 0;      // of what was read for it
};
using ReadViews =
    std::function<a4c::Result<ViewPage>(const std::string& after, int limit)>;  // of the store

// Up to `limit` items that the filter takes, of as many pages as it needs, but at most
// kFilteredPagesMax, and no more past kPageBytesMax: it may have fewer items, or none, while `next`
// says that there are more.
inline constexpr int kFilteredPagesMax = 20;
a4c::Result<ViewPage> ReadWanted(const ListFilter& filter, const std::string& after, int limit,
                                 const ReadViews& read);

// "gpu=yes,zone=b" as {"gpu": "yes", "zone": "b"}; a part that is no pair is a fault at /labels.
a4c::Json LabelsOf(const std::string& text, Faults& faults);

}  // namespace a4cd
