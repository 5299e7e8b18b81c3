#include "apps/a4cd/api/held_response.h"

#include <utility>

#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Result;

class HeldStream final : public StreamSource {
 public:
  HeldStream(std::shared_ptr<const KeyHold> hold, std::unique_ptr<TenantPlaces::Place> place,
             std::unique_ptr<StreamSource> source)
      : hold_(std::move(hold)), place_(std::move(place)), source_(std::move(source)) {}

  Result<Piece> Next(const a4c::Call& call) override {
    A4C_CHECK(hold_->Check());
    return source_->Next(call);
  }

 private:
  const std::shared_ptr<const KeyHold> hold_;
  const std::unique_ptr<TenantPlaces::Place> place_;
  const std::unique_ptr<StreamSource> source_;
};

class HeldSession final : public Session {
 public:
  HeldSession(std::shared_ptr<const KeyHold> hold, std::unique_ptr<Session> session)
      : hold_(std::move(hold)), session_(std::move(session)) {}

  void Run(const SessionPeer& peer) override {
    SessionPeer held = peer;
    held.permitted = [this] { return hold_->Check(); };
    session_->Run(held);
  }

 private:
  const std::shared_ptr<const KeyHold> hold_;
  const std::unique_ptr<Session> session_;
};

}  // namespace

void HoldByKey(KeyWatch& watch, TenantPlaces& streams, const Principal& principal,
               Response& response) {
  if (response.stream == nullptr && response.session == nullptr) return;
  std::unique_ptr<TenantPlaces::Place> place;
  if (response.stream != nullptr) {
    if (const auto full = streams.Enter(principal.tenant, place)) {
      response = ProblemResponse(*full);
      return;
    }
  }
  auto hold = watch.Hold(principal.key_id);
  if (response.stream != nullptr) {
    response.stream =
        std::make_unique<HeldStream>(hold, std::move(place), std::move(response.stream));
  }
  if (response.session != nullptr) {
    response.session = std::make_unique<HeldSession>(hold, std::move(response.session));
  }
}

}  // namespace a4cd
