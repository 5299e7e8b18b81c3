#include "kafka_errors.h"

#include <gtest/gtest.h>

#include <string>

namespace a4c::kafka {
namespace {

struct Row {
  rd_kafka_resp_err_t error;
  Code code;
};

class KafkaErrors : public ::testing::TestWithParam<Row> {};

TEST_P(KafkaErrors, MeanOneThingToTheCaller) {
  EXPECT_EQ(CodeOf(GetParam().error), GetParam().code) << rd_kafka_err2name(GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Table, KafkaErrors,
    ::testing::Values(Row{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, Code::kUnavailable},
                      Row{RD_KAFKA_RESP_ERR__TRANSPORT, Code::kUnavailable},
                      Row{RD_KAFKA_RESP_ERR__FATAL, Code::kUnavailable},
                      Row{RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, Code::kUnavailable},
                      Row{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, Code::kUnavailable},
                      Row{RD_KAFKA_RESP_ERR__TIMED_OUT, Code::kTimeout},
                      Row{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, Code::kUnknownOutcome},
                      Row{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, Code::kUnknownOutcome},
                      Row{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, Code::kUnknownOutcome},
                      Row{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                          Code::kUnknownOutcome},
                      Row{RD_KAFKA_RESP_ERR__PURGE_QUEUE, Code::kCanceled},
                      Row{RD_KAFKA_RESP_ERR__AUTHENTICATION, Code::kDenied},
                      Row{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Code::kDenied},
                      Row{RD_KAFKA_RESP_ERR__QUEUE_FULL, Code::kExhausted},
                      Row{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, Code::kInvalid},
                      Row{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, Code::kInvalid},
                      Row{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Code::kNotFound},
                      Row{RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, Code::kConflict},
                      Row{RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, Code::kConflict},
                      Row{RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, Code::kUnsupported},
                      Row{RD_KAFKA_RESP_ERR_UNKNOWN, Code::kInternal}),
    [](const auto& row) { return std::string(rd_kafka_err2name(row.param.error)); });

TEST(KafkaErrors, SayWhatWasBeingDoneAndWhichErrorItIs) {
  const Error error = ErrorOf(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, "committing");
  EXPECT_EQ(error.message(),
            "committing: Broker: Coordinator not available "
            "(COORDINATOR_NOT_AVAILABLE)");
  EXPECT_FALSE(error.hint().empty());
  EXPECT_TRUE(error.retryable());
}

// librdkafka's own words on why a connection broke are in the log alone.
TEST(KafkaErrors, ABrokenConnectionMayBeRefusedCredentials) {
  const Error error = ErrorOf(RD_KAFKA_RESP_ERR__TRANSPORT, "connecting");
  EXPECT_NE(error.hint().find("credentials"), std::string::npos) << error.ToString();
  EXPECT_NE(error.hint().find("librdkafka says"), std::string::npos) << error.ToString();
}

// A lost outcome that were retryable would be taken for "nothing was done".
TEST(KafkaErrors, NoLostOutcomeIsCalledRetryable) {
  EXPECT_TRUE(ErrorOf(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "sending").unknown_outcome());
  EXPECT_FALSE(ErrorOf(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "sending").retryable());
}

}  // namespace
}  // namespace a4c::kafka
