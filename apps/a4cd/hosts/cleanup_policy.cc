#include "apps/a4cd/hosts/cleanup_policy.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace a4cd {
namespace {

bool MayGo(const CleanupCandidate& image) {
  return image.item.kind == a4c::HostItem::Kind::kImage && !image.item.in_use && !image.is_named;
}

bool IsOld(const CleanupCandidate& image, const CleanupPolicy& policy) {
  return image.idle_ms >= (image.item.names.empty() ? policy.cache_age_ms : policy.image_age_ms);
}

}  // namespace

CleanupPlan PlanCleanup(std::vector<CleanupCandidate> images, const DiskFill& disk,
                        const CleanupPolicy& policy) {
  CleanupPlan plan{.going = {}, .is_pressed = disk.share() >= policy.act_at};
  std::erase_if(images, [](const CleanupCandidate& image) { return !MayGo(image); });
  std::ranges::sort(images, [](const CleanupCandidate& one, const CleanupCandidate& other) {
    return std::tuple(!one.item.names.empty(), -one.idle_ms, one.item.id) <
           std::tuple(!other.item.names.empty(), -other.idle_ms, other.item.id);
  });
  const auto take = [&](CleanupCandidate& image) {
    plan.bytes += image.item.bytes;
    plan.going.push_back(std::move(image));
  };
  std::vector<CleanupCandidate> younger;
  for (CleanupCandidate& image : images) {
    if (IsOld(image, policy)) {
      take(image);
    } else if (image.idle_ms >= policy.pressed_age_ms) {
      younger.push_back(std::move(image));
    }
  }
  if (!plan.is_pressed) return plan;
  for (CleanupCandidate& image : younger) {
    const DiskFill left{disk.total_bytes, disk.used_bytes - plan.bytes};
    if (left.share() <= policy.stop_at) break;
    take(image);
  }
  return plan;
}

}  // namespace a4cd
