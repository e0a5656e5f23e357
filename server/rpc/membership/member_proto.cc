// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/member_proto.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"
#include "common/protocol/tau_proto.h"

namespace conadv {
namespace {

constexpr size_t kMostNameBytes = 256;
constexpr uint32_t kMostThreads = 65536;
constexpr size_t kMostReadableBytes = 1024;
constexpr int kMostCheckpoints = 4096;
constexpr int kMostServers = 65536;

// One overload a message kind.
struct Encoder {
  v1::JoinResponse* out;

  void operator()(const WelcomeMessage& message) const {
    v1::Welcome* welcome = out->mutable_welcome();
    welcome->set_worker_id(message.id.value());
    welcome->set_lease_seconds(absl::ToDoubleSeconds(message.lease));
    welcome->set_steps(message.steps);
    welcome->set_lineage(message.lineage.value());
    if (!message.tau.empty()) *welcome->mutable_settings() = ToProto(message.tau);
  }
  void operator()(const OfferMessage&) const { out->set_offer(true); }
  void operator()(const GrantMessage& message) const {
    for (const Unit& unit : message.units) *out->mutable_grant()->add_units() = ToProto(unit);
  }
  void operator()(const EvaluateMessage& message) const {
    out->mutable_evaluate()->set_version(message.version.value());
    out->mutable_evaluate()->set_robust(message.robust);
  }
  void operator()(const FinishedMessage&) const { out->set_finished(true); }
  void operator()(const RestoreMessage& message) const {
    out->mutable_restore()->set_fresh(!message.target.has_value());
    if (message.target.has_value()) {
      *out->mutable_restore()->mutable_checkpoint() = ToProto(*message.target);
    }
  }
  void operator()(const SettingsMessage& message) const {
    *out->mutable_settings() = ToProto(message.tau);
  }
  void operator()(const DrainMessage&) const { out->set_drain(true); }
  void operator()(const SavedMessage&) const { out->set_saved(true); }
  void operator()(const CheckpointMessage& message) const {
    out->mutable_checkpoint()->set_version(message.version.value());
    for (const Version version : message.common) {
      out->mutable_checkpoint()->add_common(version.value());
    }
  }
};

absl::StatusOr<CheckpointReport> ReportOf(const v1::Hello& hello) {
  if (hello.usable_checkpoints_size() > kMostCheckpoints ||
      hello.refused_checkpoints_size() > kMostCheckpoints) {
    return absl::InvalidArgumentError(
        absl::StrCat("hello.usable_checkpoints, hello.refused_checkpoints: at most ",
                     kMostCheckpoints, " each"));
  }
  CheckpointReport report;
  report.directory = ReadableText(hello.checkpoint_directory());
  for (const v1::CheckpointId& id : hello.usable_checkpoints()) {
    report.usable.push_back(FromProto(id));
  }
  for (const v1::RefusedCheckpoint& one : hello.refused_checkpoints()) {
    report.refused.push_back({Version(one.version()), ReadableText(one.reason())});
  }
  return report;
}

bool IsAddress(const std::string& text) {
  return text.size() <= kMostNameBytes && IsPrintable(text);
}

absl::Status CheckAddresses(const v1::Hello& hello) {
  if (!IsAddress(hello.address())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "hello.address: must have at most ", kMostNameBytes, " bytes and no control characters"));
  }
  if (hello.servers_size() > kMostServers ||
      !std::all_of(hello.servers().begin(), hello.servers().end(), &IsAddress)) {
    return absl::InvalidArgumentError(absl::StrCat("hello.servers: must be at most ", kMostServers,
                                                   " addresses of at most ", kMostNameBytes,
                                                   " bytes without control characters"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ReadableText(absl::string_view text) {
  return Printable(text.substr(0, kMostReadableBytes));
}

absl::StatusOr<HelloMessage> FromProto(const v1::Hello& hello, const std::string& peer) {
  if (hello.name().empty() || hello.name().size() > kMostNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("hello.name: must have 1 to ", kMostNameBytes, " bytes"));
  }
  if (!IsPrintable(hello.name())) {
    return absl::InvalidArgumentError("hello.name: must have no control characters");
  }
  CONADV_RETURN_IF_ERROR(CheckAddresses(hello));
  if (hello.threads() > kMostThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("hello.threads: must be ≤ ", kMostThreads, ", got ", hello.threads()));
  }
  HelloMessage message;
  message.name = hello.name();
  message.peer = peer;
  message.incarnation = Incarnation(hello.incarnation());
  message.shard = hello.shard();
  message.address = hello.address();
  message.shards = hello.shards();
  message.servers.assign(hello.servers().begin(), hello.servers().end());
  message.threads = hello.threads();
  CONADV_ASSIGN_OR_RETURN(message.checkpoints, ReportOf(hello));
  switch (hello.role()) {
    case v1::WORKER: message.role = Role::kWorker; break;
    case v1::EVALUATOR: message.role = Role::kEvaluator; break;
    case v1::SHARD: message.role = Role::kShard; break;
    case v1::OBSERVER: message.role = Role::kObserver; break;
    default: return absl::InvalidArgumentError(absl::StrCat("hello.role: no role ", hello.role()));
  }
  if (message.role == Role::kShard && message.address.empty()) {
    return absl::InvalidArgumentError("hello.address: a shard says where workers reach it");
  }
  if (message.role == Role::kWorker) {
    CONADV_ASSIGN_OR_RETURN(message.plan, FromProto(hello.plan()));
  }
  return message;
}

absl::Status FromProto(const v1::Restored& restored) {
  if (restored.damaged()) return absl::DataLossError(ReadableText(restored.error()));
  return restored.error().empty() ? absl::OkStatus()
                                  : absl::AbortedError(ReadableText(restored.error()));
}

CheckpointAnswer FromProto(const v1::Checkpointed& checkpointed) {
  return {Version(checkpointed.version()), ReadableText(checkpointed.error()),
          checkpointed.missed(), absl::Seconds(checkpointed.seconds())};
}

CheckpointId FromProto(const v1::CheckpointId& id) {
  return {Version(id.version()), Lineage(id.run()), Lineage(id.lineage()),
          id.ledger(),           id.job(),          id.layout()};
}

v1::JoinResponse ToProto(const MemberMessage& message) {
  v1::JoinResponse response;
  std::visit(Encoder{&response}, message);
  return response;
}

v1::Restored RestoredProto(const absl::Status& status) {
  v1::Restored restored;
  restored.set_error(std::string(status.message()));
  restored.set_damaged(absl::IsDataLoss(status));
  return restored;
}

v1::Checkpointed ToProto(const CheckpointAnswer& answer) {
  v1::Checkpointed checkpointed;
  checkpointed.set_version(answer.version.value());
  checkpointed.set_error(answer.error);
  checkpointed.set_missed(answer.missed);
  checkpointed.set_seconds(absl::ToDoubleSeconds(answer.took));
  return checkpointed;
}

v1::CheckpointId ToProto(const CheckpointId& id) {
  v1::CheckpointId proto;
  proto.set_version(id.version.value());
  proto.set_run(id.run.value());
  proto.set_lineage(id.lineage.value());
  proto.set_ledger(id.ledger);
  proto.set_job(id.job);
  proto.set_layout(id.layout);
  return proto;
}

void SetReport(const CheckpointReport& report, v1::Hello* hello) {
  hello->set_checkpoint_directory(report.directory);
  // The newest.
  for (const CheckpointId& id : report.usable) {
    if (hello->usable_checkpoints_size() == kMostCheckpoints) break;
    *hello->add_usable_checkpoints() = ToProto(id);
  }
  for (const RefusedCheckpoint& one : report.refused) {
    if (hello->refused_checkpoints_size() == kMostCheckpoints) break;
    v1::RefusedCheckpoint* refused = hello->add_refused_checkpoints();
    refused->set_version(one.version.value());
    refused->set_reason(Printable(one.reason));
  }
}

v1::Role ToProto(Role role) {
  switch (role) {
    case Role::kWorker: return v1::WORKER;
    case Role::kEvaluator: return v1::EVALUATOR;
    case Role::kShard: return v1::SHARD;
    case Role::kObserver: return v1::OBSERVER;
  }
  return v1::OBSERVER;
}

}  // namespace conadv
