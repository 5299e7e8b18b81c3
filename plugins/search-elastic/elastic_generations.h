// The generations of a kind: the indices <alias>-000001, -000002, ... of which the alias names the
// live one. Each has an alias of its own besides, <index>_direct, so that what is written to it can
// require an alias too: the server makes up no index in place of one that was dropped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "a4c/rebuild.h"
#include "elastic_http.h"
#include "elastic_options.h"

namespace a4c::elastic {

std::string IndexOf(const std::string& alias, int64_t number);
std::string DirectAliasOf(const std::string& index);
// The number in the name of an index of this alias; 0: it is none.
int64_t NumberOf(const std::string& alias, const std::string& index);

class ElasticGenerations final : public Rebuild {
 public:
  ElasticGenerations(std::shared_ptr<HttpPool> pool, IndexOptions options)
      : pool_(std::move(pool)), options_(std::move(options)) {}

  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override;
  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override;
  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override;
  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override;
  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override;

 private:
  Result<void> SendAliases(const Call& call, Json actions);

  const std::shared_ptr<HttpPool> pool_;
  const IndexOptions options_;
};

}  // namespace a4c::elastic
