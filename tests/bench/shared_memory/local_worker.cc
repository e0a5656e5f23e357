// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/shared_memory/local_worker.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/shared_memory/shared_arenas.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "tests/soak/unit_loop.h"

namespace conadv::bench {
namespace {

constexpr absl::Duration kCall = absl::Minutes(2);
constexpr char kName[] = "local-worker";

}  // namespace

LocalWorker::LocalWorker(const std::string& address, const TinyRun& run)
    : plan_(PlanOf(run)),
      layout_(*Layout::Create(plan_.tensors, 1)),
      transport_(&grpc_, SharedArenas::OfThisProcess()),
      server_(v1::ParameterServer::NewStub(MakeChannel(address))),
      coordinator_(v1::Coordinator::NewStub(MakeChannel(address))),
      client_(transport_.Connect({address, layout_.hash(), kName})),
      gradient_(std::make_shared<Arena>(layout_.total_size(), SharedArenas::OfThisProcess())) {
  std::fill(gradient_->span().begin(), gradient_->span().end(), 1e-6F);
}

absl::Status LocalWorker::Run(const std::function<void(const UnitTimes&)>& seen) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  const auto session = coordinator_->Join(&context);
  UnitLoop loop;
  loop.welcome = [this](uint64_t lineage) {
    lineage_ = Lineage(lineage);
    client_->SetLineage(lineage_);
  };
  loop.offer = [this] { return Offer(); };
  loop.work = [this, &seen](const v1::Unit& unit) {
    const absl::StatusOr<UnitTimes> times = Work(unit);
    if (times.ok()) seen(*times);
    return times.status();
  };
  return RunUnits(kName, plan_, loop, &context, session.get());
}

absl::Status LocalWorker::Offer() {
  auto weights = std::make_shared<Arena>(layout_.total_size());
  weights->Zero();
  std::promise<absl::Status> done;
  client_->Push(
      {std::make_shared<const Plan>(plan_), std::move(weights), 0, Range{0, layout_.total_size()}},
      kCall, [&done](const auto& reply) { done.set_value(reply.status()); });
  return done.get_future().get();
}

absl::StatusOr<UnitTimes> LocalWorker::Work(const v1::Unit& unit) {
  Contribution contribution;
  contribution.unit = {Step(unit.step()), Slot(unit.slot())};
  contribution.update_version = Version(unit.step());
  contribution.attack_version = contribution.update_version;
  contribution.worker = kName;
  contribution.lineage = lineage_;
  struct Landed {
    absl::Time at;
    absl::StatusOr<PulledShard> pulled;
  };
  std::promise<Landed> landed;
  client_->Pull(
      PullSelector::Exactly(Version(unit.step() + 1)), kCall,
      [](Version) -> absl::StatusOr<absl::Span<float>> {
        return absl::InternalError("it came over the network");
      },
      [&landed](absl::StatusOr<PulledShard> pulled) {
        landed.set_value({absl::Now(), std::move(pulled)});
      });
  std::promise<std::pair<absl::Time, absl::StatusOr<PushReply>>> pushed;
  const absl::Time begin = absl::Now();
  client_->Push({contribution, gradient_, 0, Range{0, layout_.total_size()}}, kCall,
                [&pushed](const absl::StatusOr<PushReply>& reply) {
                  pushed.set_value({absl::Now(), reply});
                });
  const auto [acknowledged, reply] = pushed.get_future().get();
  Landed version = landed.get_future().get();
  CONADV_RETURN_IF_ERROR(reply.status());
  CONADV_RETURN_IF_ERROR(version.pulled.status());
  if (!reply->shared) return absl::InternalError("a push went over the network");
  version.pulled->weights = nullptr;
  CONADV_ASSIGN_OR_RETURN(const absl::Time published, PublishedAt(unit.step() + 1));
  return UnitTimes{absl::ToDoubleSeconds(acknowledged - begin),
                   absl::ToDoubleSeconds(version.at - published)};
}

absl::StatusOr<absl::Time> LocalWorker::PublishedAt(uint64_t version) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kCall));
  v1::WatchRequest request;
  request.set_from(version);
  const auto stream = server_->Watch(&context, request);
  v1::WatchResponse response;
  const bool came = stream->Read(&response) && response.version() == version;
  context.TryCancel();
  stream->Finish();
  if (!came) return absl::InternalError("the server does not say when a version was published");
  return absl::FromUnixMicros(response.published_unix_micros());
}

}  // namespace conadv::bench
