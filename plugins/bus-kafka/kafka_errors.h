// librdkafka's and the broker's error codes as ours: one table, used wherever one comes in.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "a4c/result.h"

namespace a4c::kafka {

// What the code means to a caller. kInternal for what is not in the table.
Code CodeOf(rd_kafka_resp_err_t error);
// "committing offsets: Broker: Unknown member (UNKNOWN_MEMBER_ID)", with the next step where one
// helps.
Error ErrorOf(rd_kafka_resp_err_t error, std::string_view doing);

}  // namespace a4c::kafka
