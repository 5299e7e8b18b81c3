#include "apps/a4cd/api/list_filter.h"

#include <algorithm>

#include "a4c/nearest.h"
#include "apps/a4cd/jobs/list_reader.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Error NeverHas(const FilterMember& member, const std::string& value) {
  const std::string meant = a4c::Nearest(value, member.values);
  std::string all;
  for (const std::string_view one : member.values) {
    all.append(all.empty() ? "" : ", ").append(one);
  }
  return Error(Code::kInvalid,
               "nothing has the " + std::string(member.name) + " " + value.substr(0, 100),
               meant.empty() ? "there are: " + all : "did you mean " + meant + "?");
}

// Texts as they are, true and false as words.
std::string TextOf(const Json& value) {
  return value.IsText() ? value.Text() : value.ToString();
}

}  // namespace

Result<ListFilter> ListFilter::Of(const Request& request, std::span<const FilterMember> members) {
  ListFilter filter;
  for (const FilterMember& member : members) {
    const std::string& value = request.Query(member.name);
    if (value.empty()) continue;
    const bool can_be =
        member.values.empty() || std::ranges::find(member.values, value) != member.values.end();
    if (!can_be) return NeverHas(member, value);
    filter.wanted_.emplace_back(member.name, value);
  }
  Faults faults;
  filter.labels_ = LabelsOf(request.Query("labels"), faults).Members();
  if (faults.empty()) return filter;
  return Error(Code::kInvalid, "query labels: " + faults[0].detail, "for example gpu=yes,zone=b");
}

bool ListFilter::Takes(const Json& view) const {
  const bool has_all = std::ranges::all_of(
      wanted_, [&](const auto& one) { return TextOf(view[one.first]) == one.second; });
  return has_all && std::ranges::all_of(labels_, [&](const auto& label) {
           return view["labels"][label.first].Text() == label.second.Text() &&
                  view["labels"].Find(label.first) != nullptr;
         });
}

std::string ListFilter::Name() const {
  std::string name;
  for (const auto& [member, value] : wanted_) {
    name.append("\n").append(member).append("=").append(value);
  }
  for (const auto& [label, value] : labels_) {
    name.append("\nlabel ").append(label).append("=").append(value.Text());
  }
  return name;
}

Result<ViewPage> ReadWanted(const ListFilter& filter, const std::string& after, int limit,
                            const ReadViews& read) {
  ViewPage wanted{.items = {}, .next = after, .stale_ms = 0};
  for (int pages = 0; pages < kFilteredPagesMax; ++pages) {
    const int lacking = limit - static_cast<int>(wanted.items.size());
    A4C_TRY(ViewPage page, read(wanted.next, lacking));
    for (Json& item : page.items) {
      if (filter.Takes(item)) wanted.items.push_back(std::move(item));
    }
    wanted.next = std::move(page.next);
    wanted.stale_ms = std::max(wanted.stale_ms, page.stale_ms);
    wanted.bytes += page.bytes;
    const bool is_full =
        static_cast<int>(wanted.items.size()) == limit || wanted.bytes >= kPageBytesMax;
    if (is_full || wanted.next.empty()) break;
  }
  return wanted;
}

Json LabelsOf(const std::string& text, Faults& faults) {
  Json labels(Json::Object{});
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string pair = text.substr(begin, end - begin);
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      faults.push_back({"/labels", "\"" + pair + "\" is no name=value"});
    } else {
      labels.Set(pair.substr(0, equals), pair.substr(equals + 1));
    }
    begin = end + 1;
  }
  return labels;
}

}  // namespace a4cd
