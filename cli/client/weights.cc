// SPDX-License-Identifier: Apache-2.0
#include "cli/client/weights.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/client/shard_reader.h"
#include "cli/format/tables.h"
#include "client/grpc/grpc_transport.h"
#include "client/run/find_run.h"
#include "client/transfer/sharded_pull.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/stats/transfer_observer.h"
#include "common/tensor/safetensors.h"
#include "common/thread/timer.h"

namespace conadv {
namespace {

// Between two looks at whether somebody has had enough.
constexpr std::chrono::milliseconds kBetweenLooks(20);

// Whom a pull is about just now.
struct Server {
  std::string address;
  std::string who;
};

Server ServerAt(uint32_t shard, const std::string& address) {
  return {address, absl::StrCat("server-", shard, " at ", address)};
}

absl::StatusOr<v1::GetJobResponse> GetJob(const Server& coordinator, absl::Time deadline,
                                          const ClientCredentials& credentials) {
  FindRunOptions options;
  options.credentials = credentials;
  const absl::StatusOr<v1::GetJobResponse> response =
      AskForRun(coordinator.address, std::min(deadline - Clock::Real().Now(), kAnswer), options);
  const absl::Status& status = response.status();
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat(coordinator.address, " is not the coordinator; ask shard 0"));
  }
  if (!status.ok()) return FailureOf(coordinator.who, status);
  if (response->servers().empty()) {
    return absl::InternalError(absl::StrCat(coordinator.who, ": it names no servers"));
  }
  return response;
}

// Of a command that nobody asks for figures.
class NoObserver final : public TransferObserver {
 public:
  void Pulled(absl::Duration, const TransferredBytes&) override {}
  void Pushed(absl::Duration, const TransferredBytes&) override {}
};

class ModelPull {
 public:
  // `interrupted` is asked now and then.
  ModelPull(const std::string& coordinator, const PullSelector& selector,
            ClientCredentials credentials, std::function<bool()> interrupted)
      : coordinator_(ServerAt(0, coordinator)),
        selector_(selector),
        credentials_(std::move(credentials)),
        interrupted_(std::move(interrupted)),
        server_(coordinator_) {}

  absl::StatusOr<Weights> Try(absl::Duration timeout) {
    const absl::Time deadline = Clock::Real().Now() + timeout;
    server_ = coordinator_;
    CONADV_ASSIGN_OR_RETURN(const v1::GetJobResponse job, GetJob(server_, deadline, credentials_));
    ShardReader reader(server_.who, server_.address, deadline, credentials_);
    CONADV_RETURN_IF_ERROR(reader.WaitForFirstVersion());
    std::vector<Server> servers;
    for (const std::string& address : job.servers()) {
      servers.push_back(ServerAt(static_cast<uint32_t>(servers.size()), address));
    }
    server_ = servers[0];
    CONADV_ASSIGN_OR_RETURN(Layout layout,
                            ShardReader(server_.who, server_.address, deadline, credentials_)
                                .ReadLayout(job.servers_size()));
    CONADV_ASSIGN_OR_RETURN(const VersionedWeights pulled,
                            PullAll(servers, layout, deadline - Clock::Real().Now()));
    return Weights{job.job().name(), pulled.version, std::move(layout), pulled.weights,
                   selector_.averaged};
  }

  // Whom the last try had to do with last.
  const Server& server() const { return server_; }

 private:
  absl::StatusOr<VersionedWeights> PullAll(const std::vector<Server>& servers, const Layout& layout,
                                           absl::Duration timeout) {
    std::vector<std::unique_ptr<ParameterClient>> owned;
    std::vector<ParameterClient*> clients;
    for (const Server& server : servers) {
      owned.push_back(GrpcTransport(credentials_).Connect({server.address, layout.hash(), ""}));
      clients.push_back(owned.back().get());
    }
    PullOptions options;
    options.timeout = options.long_poll = timeout;
    options.backoff.budget = absl::ZeroDuration();
    options.describe = [&](uint32_t shard, const PullSelector&, const absl::Status& status) {
      server_ = servers[shard];
      return FailureOf(server_.who, status);
    };
    NoObserver observer;
    ThreadTimer timer;
    ShardedPull pull(std::make_shared<const Layout>(layout), clients, &timer, &observer, options);
    std::promise<absl::StatusOr<VersionedWeights>> answer;
    pull.Pull(selector_, [&](absl::StatusOr<VersionedWeights> weights) {
      answer.set_value(std::move(weights));
    });
    std::future<absl::StatusOr<VersionedWeights>> pulled = answer.get_future();
    while (pulled.wait_for(kBetweenLooks) != std::future_status::ready) {
      if (!interrupted_()) continue;
      for (ParameterClient* client : clients) client->Shutdown();
      pulled.wait();
      return absl::CancelledError("interrupted");
    }
    return pulled.get();
  }

  const Server coordinator_;
  const PullSelector selector_;
  const ClientCredentials credentials_;
  const std::function<bool()> interrupted_;
  Server server_;
};

}  // namespace

absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const PullSelector& selector,
                                    absl::Duration timeout) {
  return ModelPull(coordinator, selector, {}, [] { return false; }).Try(timeout);
}

absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const PullSelector& selector,
                                    ServerWait* wait) {
  ModelPull pull(coordinator, selector, wait->credentials(),
                 [wait] { return wait->Interrupted(); });
  while (true) {
    absl::StatusOr<Weights> weights = pull.Try(wait->left());
    if (weights.ok() || !IsTransient(weights.status())) return weights;
    CONADV_RETURN_IF_ERROR(
        wait->For(pull.server().who, pull.server().address, weights.status()).status());
  }
}

absl::StatusOr<Weights> TryPullWeights(const std::string& coordinator, const PullSelector& selector,
                                       const ServerWait& wait) {
  return ModelPull(coordinator, selector, wait.credentials(),
                   [&wait] { return wait.Interrupted(); })
      .Try(wait.left());
}

std::string EncodeWeights(const Weights& weights) {
  std::vector<NamedTensor> tensors;
  for (const Placement& placement : weights.layout.placements()) {
    tensors.push_back({placement.tensor.name, placement.tensor.shape,
                       weights.values->span().subspan(weights.layout.global_offset(placement),
                                                      placement.tensor.size())});
  }
  std::map<std::string, std::string> metadata = {
      {"job", weights.job},
      {"version", absl::StrCat(weights.version.value())},
      {"layout_hash", absl::StrFormat("%016x", weights.layout.hash())},
      {"weights_crc32c", CrcText(weights.crc32c())}};
  if (weights.averaged) metadata["averaged"] = "true";
  return EncodeSafetensors(tensors, metadata);
}

absl::Status WriteWeights(const Weights& weights, const std::string& path,
                          const FileSystem& files) {
  return files.WriteAtomically(path, EncodeWeights(weights));
}

}  // namespace conadv
