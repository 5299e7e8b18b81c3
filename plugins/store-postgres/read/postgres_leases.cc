#include "read/postgres_leases.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/scan_rules.h"

namespace a4c::postgres {
namespace {

bool IsFree(const std::optional<Record>& lease, int64_t now_ms) {
  if (!lease) return true;
  const auto until = lease->quiet.find("until");
  const auto* until_ms =
      until == lease->quiet.end() ? nullptr : std::get_if<int64_t>(&until->second);
  return until_ms == nullptr || *until_ms <= now_ms;
}

// The store as one claim sees it: along with leases it reads the oldest records of those that are
// free, and answers from them what core asks next. What has changed since, the claim's checks find.
class ReadingAhead final : public Store {
 public:
  ReadingAhead(Store& store, Reader& reader, const Catalog& catalog, const ClaimRequest& request)
      : store_(store),
        reader_(reader),
        catalog_(catalog),
        request_(request),
        serial_(FindIndex(request.kind, request.kind.serial_index)) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return store_.Ensure(call, kinds);
  }
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    return store_.Apply(call, batches);
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> leases) override {
    A4C_TRY(GetAnswer answer, store_.Get(call, leases));
    firsts_.clear();
    std::vector<Key> free;
    for (size_t i = 0; i < leases.size() && std::ssize(free) < request_.count; ++i) {
      if (IsFree(answer.records[i], answer.store_time_ms)) free.push_back(leases[i].key);
    }
    if (serial_ == nullptr || free.size() < 2) return answer;
    A4C_TRY(std::vector<std::optional<Record>> firsts,
            reader_.Firsts(call, catalog_, request_.kind.name, *serial_, free));
    for (size_t i = 0; i < free.size(); ++i) firsts_.emplace(free[i], std::move(firsts[i]));
    return answer;
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    const bool is_of_subject = request.index == request_.kind.serial_index && request.limit == 1;
    if (!is_of_subject || request.prefix.size() != 1) return store_.Scan(call, request);
    const auto* subject = std::get_if<std::string>(&request.prefix[0]);
    const auto first = subject == nullptr ? firsts_.end()
                                          : firsts_.find(Key{request.scope.value_or(""), *subject});
    if (first == firsts_.end()) return store_.Scan(call, request);
    ScanAnswer answer;
    if (first->second) answer.records.push_back(*first->second);
    return answer;
  }

 private:
  Store& store_;
  Reader& reader_;
  const Catalog& catalog_;
  const ClaimRequest& request_;
  const ScanIndex* const serial_;
  std::map<Key, std::optional<Record>> firsts_;  // by (scope, subject)
};

class PostgresLeases final : public Leases {
 public:
  PostgresLeases(Store& store, Reader& reader, const Catalogs& catalogs)
      : store_(store), reader_(reader), catalogs_(catalogs), generic_(NewLeases(store)) {}

  Result<std::vector<Claimed>> Claim(const Call& call, const ClaimRequest& request) override {
    const CatalogPtr catalog = catalogs_.Newest();
    if (request.count < 2 || !catalog->kinds.contains(request.kind.name)) {
      return generic_->Claim(call, request);
    }
    ReadingAhead view(store_, reader_, *catalog, request);
    return NewLeases(view)->Claim(call, request);
  }
  Result<std::vector<bool>> Renew(const Call& call, std::span<const Lease> leases,
                                  int64_t lease_ms) override {
    return generic_->Renew(call, leases, lease_ms);
  }
  Result<std::vector<bool>> Release(const Call& call, std::span<const Lease> leases) override {
    return generic_->Release(call, leases);
  }

 private:
  Store& store_;
  Reader& reader_;
  const Catalogs& catalogs_;
  const std::unique_ptr<Leases> generic_;
};

}  // namespace

std::unique_ptr<Leases> NewPostgresLeases(Store& store, Reader& reader, const Catalogs& catalogs) {
  return std::make_unique<PostgresLeases>(store, reader, catalogs);
}

}  // namespace a4c::postgres
