#include "a4c/plugin.h"

#include "kafka_bus.h"
#include "kafka_settings.h"

namespace {

a4c::Result<std::unique_ptr<a4c::Bus>> Make(const a4c::Config& config,
                                            const a4c::Runtime& runtime) {
  A4C_TRY(a4c::kafka::Settings settings, a4c::kafka::ReadSettings(config));
  return a4c::kafka::NewKafkaBus(std::move(settings), runtime);
}

}  // namespace

A4C_PLUGIN(Bus, "bus-kafka", "carries messages through Apache Kafka", a4c::kafka::kKeys,
           a4c::kNothingAbsent, Make);
