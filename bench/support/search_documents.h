// Documents like records of work, and what benchmarks of the index send by themselves.
#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "elastic_bulk.h"
#include "elastic_index.h"

namespace a4c::bench {

inline constexpr size_t kPerCall = 1'000;

inline Kind KindNamed(const std::string& name) {
  return {.name = name,
          .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                     {.name = "title", .type = FieldType::kText, .searchable = true},
                     {.name = "error", .type = FieldType::kText, .searchable = true},
                     {.name = "attempts", .type = FieldType::kLong, .searchable = true},
                     {.name = "created_at", .type = FieldType::kTime, .searchable = true},
                     {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
}

// Like records of work: some keywords, a title, an error of two lines, labels, some more members.
inline std::string BodyOf(size_t i, int64_t rev) {
  static constexpr const char* kStates[] = {"pending", "running", "succeeded", "failed"};
  Json labels;
  labels.Set("team", i % 3 == 0 ? "infra" : "web").Set("tier", std::to_string(i % 5));
  Json body;
  body.Set("state", kStates[(i + static_cast<size_t>(rev)) % 4]);
  body.Set("title", "Build image of service number " + std::to_string(i % 977) + " for staging");
  body.Set("error", "dial tcp 10.0." + std::to_string(i % 251) +
                        ".7:443: connect: connection refused\nretried " + std::to_string(i % 7) +
                        " times, gave up after 30 s without an answer from the server");
  body.Set("attempts", rev)
      .Set("created_at", int64_t{1793491200000} + static_cast<int64_t>(i) * 977);
  body.Set("labels", std::move(labels));
  body.Set("spec", std::string(400, 's'));
  return body.ToString();
}

inline std::vector<Document> DocumentsOf(const std::string& kind, size_t count, int64_t rev) {
  std::vector<Document> documents;
  for (size_t i = 0; i < count; ++i) {
    documents.push_back(
        {.ref = {kind, {"bench", "018f6b0e-7c1a-7000-8000-" + std::to_string(100'000'000'000 + i)}},
         .rev = rev,
         .body = BodyOf(i, rev)});
  }
  return documents;
}

inline std::vector<std::string> RequestsOf(const Kind& kind,
                                           const std::vector<Document>& documents) {
  std::vector<std::string> requests;
  for (size_t from = 0; from < documents.size(); from += kPerCall) {
    elastic::BulkChunk chunk;
    for (size_t i = from; i < std::min(documents.size(), from + kPerCall); ++i) {
      elastic::AppendDocument(chunk, i, elastic::AliasOf({}, kind.name), documents[i],
                              *MakeSearchDocument(kind, documents[i]));
    }
    requests.push_back(std::move(chunk.lines));
  }
  return requests;
}

// One _bulk request as it stands; why it was not taken whole, or nothing.
inline std::string SendLines(Poco::Net::HTTPClientSession& session, const std::string& lines) {
  Poco::Net::HTTPRequest head("POST", "/_bulk?require_alias=true&filter_path=errors,items.*.status",
                              Poco::Net::HTTPMessage::HTTP_1_1);
  head.setContentType("application/x-ndjson");
  head.setContentLength(static_cast<std::streamsize>(lines.size()));
  session.sendRequest(head).write(lines.data(), static_cast<std::streamsize>(lines.size()));
  Poco::Net::HTTPResponse response;
  std::string answer;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
  return answer.starts_with("{\"errors\":false") ? "" : answer.substr(0, 300);
}

inline void Drop(Poco::Net::HTTPClientSession& session, const Kind& kind) {
  Poco::Net::HTTPRequest head("DELETE", "/" + elastic::AliasOf({}, kind.name) + "-000001",
                              Poco::Net::HTTPMessage::HTTP_1_1);
  session.sendRequest(head);
  Poco::Net::HTTPResponse response;
  std::string answer;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
}

}  // namespace a4c::bench
