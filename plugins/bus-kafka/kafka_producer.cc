#include "kafka_producer.h"

#include <algorithm>

#include "kafka_errors.h"

namespace a4c::kafka {
namespace {

rd_kafka_vu_t Part(rd_kafka_vtype_t type) {
  rd_kafka_vu_t part = {};
  part.vtype = type;
  return part;
}

// librdkafka copies (RD_KAFKA_MSG_F_COPY): it never writes through this pointer.
rd_kafka_vu_t BytesPart(rd_kafka_vtype_t type, const std::string& bytes) {
  rd_kafka_vu_t part = Part(type);
  part.u.mem.ptr = const_cast<char*>(bytes.data());
  part.u.mem.size = bytes.size();
  return part;
}

// A list of our own: those that librdkafka makes by itself (RD_KAFKA_VTYPE_HEADER) it frees twice
// if the topic is gone (confluentinc/librdkafka#4627).
HeadersHandle HeadersOf(const std::vector<HeaderView>& views) {
  HeadersHandle headers(rd_kafka_headers_new(views.size()));
  for (const HeaderView& view : views) {
    rd_kafka_header_add(headers.get(), view.name, -1, view.value.data(),
                        static_cast<ssize_t>(view.value.size()));
  }
  return headers;
}

rd_kafka_vu_t HeadersPart(const HeadersHandle& headers) {
  rd_kafka_vu_t part = Part(RD_KAFKA_VTYPE_HEADERS);
  part.u.headers = headers.get();
  return part;
}

bool IsOfATopicThatIsGone(rd_kafka_resp_err_t error) {
  return CodeOf(error) == Code::kNotFound;
}

}  // namespace

Producer::Producer(const Settings& settings, const Runtime& runtime)
    : CallbackTarget(runtime.log),
      settings_(settings),
      runtime_(runtime),
      topics_lock_(runtime.threads.NewWaiter()) {}

Result<std::shared_ptr<Producer>> Producer::Make(const Settings& settings, const Runtime& runtime) {
  std::shared_ptr<Producer> producer(new Producer(settings, runtime));
  A4C_TRY(ConfHandle conf, NewConf(settings.producer));
  rd_kafka_conf_set_opaque(conf.get(), static_cast<CallbackTarget*>(producer.get()));
  rd_kafka_conf_set_log_cb(conf.get(), WriteLog);
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  char reason[512] = "";
  producer->handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason, sizeof(reason)));
  if (!producer->handle_) {
    return Error(Code::kInvalid, std::string("making the Kafka producer: ") + reason);
  }
  static_cast<void>(conf.release());  // the producer's now
  producer->queue_.reset(rd_kafka_queue_get_main(producer->handle_.get()));
  return producer;
}

Producer::~Producer() {
  if (handle_ && queue_) Purge();
}

rd_kafka_resp_err_t Producer::Produce(rd_kafka_topic_t* topic, const Message& message,
                                      CloudEvents& cloud_events, ProduceScratch& scratch) {
  cloud_events.Complete(message, scratch.id, scratch.headers);
  auto& parts = scratch.parts;
  parts.clear();
  parts.push_back(Part(RD_KAFKA_VTYPE_RKT));
  parts.back().u.rkt = topic;
  parts.push_back(Part(RD_KAFKA_VTYPE_MSGFLAGS));
  parts.back().u.i = RD_KAFKA_MSG_F_COPY;
  parts.push_back(BytesPart(RD_KAFKA_VTYPE_KEY, message.key));
  parts.push_back(BytesPart(RD_KAFKA_VTYPE_VALUE, message.payload));
  HeadersHandle headers = HeadersOf(scratch.headers);
  parts.push_back(HeadersPart(headers));
  const ErrorHandle error(rd_kafka_produceva(handle_.get(), parts.data(), parts.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // the message's now
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_topic_t* Producer::TopicOf(const std::string& name) {
  Waiter::Lock lock(*topics_lock_);
  TopicHandle& topic = topics_[name];
  if (!topic) topic.reset(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
  return topic.get();
}

void Producer::AskForTopic(const std::string& name) {
  constexpr int kTimeoutMs = 5'000;
  kafka::AskForTopic(handle_.get(), settings_, name, kTimeoutMs, queue_.get());
}

Producer::News Producer::Serve(int timeout_ms) {
  News news;
  for (EventHandle event(rd_kafka_queue_poll(queue_.get(), timeout_ms)); event;
       event.reset(rd_kafka_queue_poll(queue_.get(), 0))) {
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_DR:
        CountDeliveries(event.get(), news);
        break;
      case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
        news.topics.push_back(ReadTopicAnswer(event.get()));
        break;
      case RD_KAFKA_EVENT_ERROR:  // what it says stands in the log already
        news.failed_for_good |= rd_kafka_event_error_is_fatal(event.get()) != 0;
        break;
      default:
        break;
    }
    if (news.failed_for_good) break;
  }
  Report();
  return news;
}

void Producer::CountDeliveries(rd_kafka_event_t* event, News& news) {
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++delivered_;
      continue;
    }
    ++dropped_[static_cast<size_t>(CodeOf(message->err))];
    news.lost_a_topic |= IsOfATopicThatIsGone(message->err);
  }
}

void Producer::Report() {
  MetricSink& metrics = runtime_.metrics;
  if (delivered_ > 0) {
    metrics.Count("a4c_bus_kafka_delivered_total", {}, static_cast<double>(delivered_));
  }
  delivered_ = 0;
  for (size_t i = 0; i < dropped_.size(); ++i) {
    if (dropped_[i] == 0) continue;
    metrics.Count("a4c_bus_kafka_dropped_total", {{"reason", CodeName(static_cast<Code>(i))}},
                  static_cast<double>(dropped_[i]));
    dropped_[i] = 0;
  }
  metrics.Gauge("a4c_bus_kafka_queued_messages", {}, static_cast<double>(Queued()));
}

void Producer::Purge() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  constexpr int kRounds = 20;  // a second: what does not come back by then is not counted
  for (int round = 0; round < kRounds && Queued() > 0; ++round) Serve(50);
}

}  // namespace a4c::kafka
