// What the plugin is configured with, checked: its own settings, and those of librdkafka that they
// and the `librdkafka` tree stand for.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "a4c/config.h"
#include "a4c/result.h"
#include "kafka_handles.h"

namespace a4c::kafka {

inline constexpr ConfigKey kKeys[] = {
    {"brokers", ConfigType::kString, nullptr, "where to begin: host:port, host:port, ..."},
    {"client_id", ConfigType::kString, "a4c", "our name in the brokers' logs and quotas"},
    {"security_protocol", ConfigType::kString, "plaintext",
     "plaintext, ssl, sasl_plaintext or sasl_ssl"},
    {"sasl_mechanism", ConfigType::kString, "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"},
    {"sasl_username", ConfigType::kString, "", "the user"},
    {"sasl_password", ConfigType::kString, "", "the user's password", true},
    {"ssl_ca_file", ConfigType::kString, "",
     "PEM file of who signs the brokers; empty: the system's"},
    {"ssl_certificate_file", ConfigType::kString, "", "PEM file of our own certificate"},
    {"ssl_key_file", ConfigType::kString, "", "PEM file of our own key"},
    {"ssl_key_password", ConfigType::kString, "", "the key's password", true},
    {"create_topics", ConfigType::kBool, "true", "create a topic that is missing"},
    {"partitions", ConfigType::kLong, "6", "of a topic that is created", false, 1, 10'000},
    {"replication_factor", ConfigType::kLong, "-1", "of a topic that is created; -1: the broker's",
     false, -1, 100},
    {"queue_messages_max", ConfigType::kLong, "100000",
     "messages waiting for the broker; past it publishing answers full", false, 1, 10'000'000},
    {"queue_bytes_max", ConfigType::kBytes, "64MiB", "their bytes", false, 1 << 20, 1LL << 40},
    {"message_bytes_max", ConfigType::kBytes, "900KiB", "key, payload and headers of one message",
     false, 512 << 10, 512 << 20},
    {"message_timeout", ConfigType::kDurationMs, "0ms",
     "give up delivering a message after; 0: not while the process lives", false, 0, INT32_MAX},
    {"linger", ConfigType::kDurationMs, "2ms", "gather messages for so long before sending", false,
     0, 60'000},
    {"rebuild_wait", ConfigType::kDurationMs, "1s",
     "at least so long between two rebuilds of a producer that failed for good", false, 1,
     3'600'000},
    {"session_timeout", ConfigType::kDurationMs, "10s",
     "a member not heard of for so long loses its partitions", false, 1'000, 1'800'000},
    {"poll_interval_max", ConfigType::kDurationMs, "5m", "and one that has not polled for so long",
     false, 1'000, 86'400'000},
    {"close_timeout", ConfigType::kDurationMs, "5s",
     "a subscription that ends waits so long for its last commit", false, 1, 600'000},
    {"cloudevents_type", ConfigType::kString, "a4c.hint", "ce_type of messages that name none"},
    {"cloudevents_source", ConfigType::kString, "/a4c", "ce_source of messages that name none"},
    {"content_type", ConfigType::kString, "application/json",
     "content-type of messages that name none"},
    {"librdkafka", ConfigType::kTree, "",
     "further settings of librdkafka; see README.md for which"},
};

using Properties = std::vector<std::pair<std::string, std::string>>;

struct Settings {
  bool create_topics = true;
  int partitions = 6;
  int replication_factor = -1;
  int64_t message_bytes_max = 0;
  int64_t rebuild_wait_ms = 0;
  int64_t close_timeout_ms = 0;
  std::string cloudevents_type = {};
  std::string cloudevents_source = {};
  std::string content_type = {};
  Properties producer = {};  // for librdkafka
  Properties consumer = {};  // but for group.id
};

// kInvalid names every setting in the `librdkafka` tree that may not be passed on, and why.
Result<Settings> ReadSettings(const Config& config);

// kInvalid: librdkafka refuses a value.
Result<ConfHandle> NewConf(const Properties& properties);

}  // namespace a4c::kafka
