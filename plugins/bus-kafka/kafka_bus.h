// The bus over Kafka. Needs no broker to be made: publishing queues until one is there.
#pragma once

#include <memory>

#include "a4c/bus.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "kafka_settings.h"

namespace a4c::kafka {

// kInvalid: librdkafka refuses the settings.
Result<std::unique_ptr<Bus>> NewKafkaBus(Settings settings, const Runtime& runtime);

}  // namespace a4c::kafka
