// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/wire/live_shard.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/grpc/grpc_transport.h"
#include "common/job/parse.h"
#include "tests/bench/wire/stopwatch.h"
#include "tests/support/certificates.h"

namespace conadv::bench {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr uint32_t kSlots = 64;

template <class T>
T OrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

std::vector<std::string> Command(const std::string& server, const TempDir& directory,
                                 const SecurityFiles& security, const TinyRun& run) {
  const std::string job = directory / "job.textproto";
  WriteFile(job, JobText(JobOf(run)));
  return {server, "--job=" + job, "--tls_ca=" + security.ca, "--tls_cert=" + security.cert,
          "--tls_key=" + security.key};
}

// None without TLS.
SecurityFiles MakeFiles(const TempDir& directory, bool tls) {
  SecurityFiles files;
  if (!tls) return files;
  const CertificateAuthority authority;
  Subject subject;
  subject.unit = "server";
  const Issued issued = authority.Issue(subject);
  files.ca = directory / "ca.crt";
  files.cert = directory / "tls.crt";
  files.key = directory / "tls.key";
  WriteFile(files.ca, authority.root());
  WriteFile(files.cert, issued.certificate);
  WriteFile(files.key, issued.key);
  return files;
}

TinyRun RunOf(uint64_t parameters) {
  TinyRun run;
  run.slots = kSlots;
  run.steps = 1'000'000;
  run.parameters = parameters;
  return run;
}

}  // namespace

LiveShard::LiveShard(const std::string& server, uint64_t parameters, bool tls)
    : security_(MakeFiles(directory_, tls)),
      credentials_(
          OrDie(ClientCredentials::Create(security_, &FileSystem::Real(), &Clock::Real()))),
      run_(RunOf(parameters)),
      plan_(std::make_shared<Plan>(PlanOf(run_))),
      layout_(*Layout::Create(plan_->tensors, 1)),
      server_(Command(server, directory_, security_, run_)) {
  address_ = OrDie(server_.ReadAfter("listening on ", kPatience));
  weights_ = std::make_shared<Arena>(layout_.total_size());
  weights_->Zero();
  clients_.push_back(Connect("bench-0"));
  destinations_.push_back(std::make_unique<Arena>(layout_.total_size()));
  destinations_.back()->Zero();
  Offer();
  std::fill(weights_->span().begin(), weights_->span().end(), 0.25F);
  // As many as a step's tree holds at a time: the server has their memory then, and keeps it.
  for (uint32_t i = 0; i < kSlots / 4; ++i) Push();
}

std::unique_ptr<ParameterClient> LiveShard::Connect(const std::string& name) const {
  return GrpcTransport(credentials_).Connect({address_, layout_.hash(), name});
}

void LiveShard::Offer() {
  std::promise<absl::StatusOr<PushReply>> done;
  clients_[0]->Push({plan_, weights_, 0, {0, layout_.total_size()}}, kPatience,
                    [&done](absl::StatusOr<PushReply> reply) { done.set_value(std::move(reply)); });
  OrDie(done.get_future().get());
}

double LiveShard::Pull() { return PullByConnections(1); }

double LiveShard::PullByConnections(size_t connections) {
  while (clients_.size() < connections) {
    clients_.push_back(Connect(absl::StrCat("bench-", clients_.size())));
  }
  while (destinations_.size() < connections) {
    destinations_.push_back(std::make_unique<Arena>(layout_.total_size()));
    destinations_.back()->Zero();
  }
  std::vector<std::promise<absl::StatusOr<PulledShard>>> done(connections);
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < connections; ++i) {
    clients_[i]->Pull(
        PullSelector::Latest(), kPatience,
        [to = destinations_[i]->span()](Version) -> absl::StatusOr<absl::Span<float>> {
          return to;
        },
        [&done, i](absl::StatusOr<PulledShard> pulled) { done[i].set_value(std::move(pulled)); });
  }
  for (auto& one : done) OrDie(one.get_future().get());
  return SecondsSince(begin);
}

void LiveShard::WaitFor(Version version) {
  std::promise<absl::StatusOr<PulledShard>> done;
  clients_[0]->Pull(
      PullSelector::AtLeast(version), kPatience,
      [to = destinations_[0]->span()](Version) -> absl::StatusOr<absl::Span<float>> { return to; },
      [&done](absl::StatusOr<PulledShard> pulled) { done.set_value(std::move(pulled)); });
  OrDie(done.get_future().get());
}

double LiveShard::Push() {
  if (pushed_ > 0 && pushed_ % kSlots == 0) WaitFor(Version(pushed_ / kSlots));
  Contribution contribution;
  contribution.unit = {Step(pushed_ / kSlots), Slot(pushed_ % kSlots)};
  contribution.update_version = contribution.attack_version = Version(pushed_ / kSlots);
  contribution.worker = "bench-0";
  ++pushed_;
  std::promise<absl::StatusOr<PushReply>> done;
  const auto begin = std::chrono::steady_clock::now();
  clients_[0]->Push({contribution, weights_, 0, {0, layout_.total_size()}}, kPatience,
                    [&done](absl::StatusOr<PushReply> reply) { done.set_value(std::move(reply)); });
  OrDie(done.get_future().get());
  return SecondsSince(begin);
}

}  // namespace conadv::bench
