// One member of a consumer group, on one topic.
#pragma once

#include <memory>
#include <string>

#include "a4c/bus.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "kafka_settings.h"

namespace a4c::kafka {

// Makes the topic if that is ours, fixes the group's position if it has none, and joins the group.
// settings and runtime outlive the subscription.
Result<std::unique_ptr<Subscription>> Subscribe(const Settings& settings, const Runtime& runtime,
                                                const Call& call, const std::string& topic,
                                                const std::string& group, StartAt start_at);

}  // namespace a4c::kafka
