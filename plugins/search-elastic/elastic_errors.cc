#include "elastic_errors.h"

#include <algorithm>

#include "a4c/json.h"

namespace a4c::elastic {
namespace {

struct Row {
  int status;
  const char* type;  // "": any
  Code code;
  const char* hint;
};

// The first row that fits; kUnknownOutcome stands for requests that write, kUnavailable for reads.
constexpr Row kTable[] = {
    {403, "cluster_block_exception", Code::kUnavailable, "is a disk of the cluster full?"},
    {429, "cluster_block_exception", Code::kUnavailable, "is a disk of the cluster full?"},
    {400, "index_closed_exception", Code::kUnavailable, "open the index"},
    {400, "resource_already_exists_exception", Code::kConflict, ""},
    {400, "invalid_alias_name_exception", Code::kConflict,
     "an index has the name of the alias: delete it, or set index_prefix"},
    {400, "", Code::kInvalid, ""},
    {401, "", Code::kDenied, "check username and password, or api_key"},
    {403, "", Code::kDenied, "the user lacks a privilege on this index"},
    {404, "", Code::kNotFound, "was the index dropped? it is rebuilt from the store"},
    {405, "", Code::kUnsupported, ""},
    {408, "", Code::kTimeout, ""},
    {409, "", Code::kConflict, ""},
    {413, "", Code::kInvalid, "lower bulk_bytes_max, or raise http.max_content_length"},
    {429, "", Code::kExhausted, "the cluster is busy; send less, or later"},
    {500, "", Code::kUnknownOutcome, ""},
    {502, "", Code::kUnknownOutcome, ""},
    {503, "", Code::kUnavailable, "is the cluster red, or without a master?"},
    {504, "", Code::kUnknownOutcome, ""}};

struct Fault {
  const char* type;
  const char* reason;  // begins so; "": any
};

// What can be wrong with a document itself, as Elasticsearch 8 and OpenSearch 2 word it. Not in it:
// strict_dynamic_mapping_exception, since a field that the mapping lacks is there once Ensure has
// run with the new kind, and the other faults that are an illegal_argument_exception: an alias
// without a write index, a shard that is full, a mapping at its limit of fields, a pipeline that is
// not there. Those are the index's, and end when somebody mends it.
constexpr Fault kFaultsOfDocuments[] = {
    {"document_parsing_exception", ""},  // Elasticsearch 8
    {"mapper_parsing_exception", ""},    // its first releases, and OpenSearch
    {"illegal_argument_exception", "Document contains at least one immense term in field="},
    {"illegal_argument_exception", "DocValuesField \""},  // ... is too large
};

Code ForEffect(Code code, Effect effect) {
  return code == Code::kUnknownOutcome && effect == Effect::kReads ? Code::kUnavailable : code;
}

}  // namespace

Error ErrorOfStatus(int status, std::string_view type, std::string_view reason, Effect effect) {
  constexpr size_t kReasonBytesMax = 500;
  std::string message = "status " + std::to_string(status);
  if (!type.empty()) message += " " + std::string(type);
  if (!reason.empty()) message += ": " + std::string(reason.substr(0, kReasonBytesMax));
  for (const Row& row : kTable) {
    const bool fits = row.status == status && (row.type[0] == '\0' || type == row.type);
    if (fits) return Error(ForEffect(row.code, effect), std::move(message), row.hint);
  }
  return Error(Code::kInternal, std::move(message));
}

Error ErrorOfAnswer(int status, std::string_view body, Effect effect) {
  const auto parsed = ParseJson(body);
  if (!parsed) return ErrorOfStatus(status, "", "", effect);
  const Json& error = (*parsed)["error"];
  if (error.IsText()) return ErrorOfStatus(status, "", error.Text(), effect);
  const Json::Array& causes = error["root_cause"].Items();
  const Json& cause = causes.empty() ? error : causes[0];
  return ErrorOfStatus(status, cause["type"].Text(), cause["reason"].Text(), effect);
}

Error ErrorOfConnection(const std::string& node, const std::string& what, bool sent, bool timed_out,
                        Effect effect) {
  const std::string message = node + ": " + what;
  if (sent && effect == Effect::kWrites) {
    return Error(Code::kUnknownOutcome, message, "send the same again: versions keep it harmless");
  }
  if (timed_out) return Error(Code::kTimeout, message);
  // OpenSSL's words, and Poco's with a capital.
  const bool distrusts = what.find("ertificate") != std::string::npos;
  return Error(Code::kUnavailable, message,
               distrusts ? "check ca_file, and that the certificate is of the name in the url"
                         : "is the server up?");
}

Error ErrorOfRetry(int status, std::string_view type, std::string_view reason) {
  Error error = ErrorOfStatus(status, type, reason, Effect::kWrites);
  if (error.code() != Code::kInvalid) return error;
  return Error(Code::kUnavailable, error.message(),
               "look at the index, its alias and its templates");
}

bool IsPermanent(int status, std::string_view type, std::string_view reason) {
  if (status != 400) return status == 413;
  return std::ranges::any_of(kFaultsOfDocuments, [&](const Fault& fault) {
    return type == fault.type && reason.starts_with(fault.reason);
  });
}

}  // namespace a4c::elastic
