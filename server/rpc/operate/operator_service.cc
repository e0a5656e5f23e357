// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/operate/operator_service.h"

#include <glog/logging.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/wire/status.h"

namespace conadv {
namespace {

constexpr char kTau[] = "training.tau";

grpc::ServerUnaryReactor* Answered(grpc::CallbackServerContext* context,
                                   const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// The job with that change, if it keeps the job's rules. Only τ can be changed.
absl::StatusOr<Job> Changed(v1::Job job, const v1::SetRequest& request) {
  if (request.field() != kTau) {
    return absl::InvalidArgumentError(absl::StrCat(
        Printable(request.field()), ": cannot be set while a run goes on; what can is ", kTau));
  }
  CONADV_RETURN_IF_ERROR(
      ApplySettings({absl::StrCat(request.field(), "=", request.value())}, &job));
  // Whether there is room for it is said in the machine's words.
  job.mutable_server()->clear_retain();
  return ValidateJob(job);
}

}  // namespace

absl::Status OperatorService::CheckCoordinates() const {
  if (options_.coordinator != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("this is not shard 0; ask it, at ", options_.elsewhere));
}

grpc::ServerUnaryReactor* OperatorService::SaveCheckpoint(
    grpc::CallbackServerContext* context, const v1::SaveCheckpointRequest* /*request*/,
    v1::SaveCheckpointResponse* response) {
  if (const absl::Status here = CheckCoordinates(); !here.ok()) return Answered(context, here);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  options_.coordinator->Checkpoint([reactor, response](const absl::StatusOr<Version>& saved) {
    if (saved.ok()) response->set_version(saved->value());
    reactor->Finish(ToGrpc(saved.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* OperatorService::Drain(grpc::CallbackServerContext* context,
                                                 const v1::DrainRequest* request,
                                                 v1::DrainResponse* response) {
  if (const absl::Status here = CheckCoordinates(); !here.ok()) return Answered(context, here);
  const absl::StatusOr<DrainedWorker> drained = options_.coordinator->Drain(request->worker());
  if (drained.ok()) {
    LOG(INFO) << drained->name << " is told to leave";
    response->set_worker_id(drained->id.value());
    response->set_name(drained->name);
    response->set_units(static_cast<uint32_t>(drained->units));
    response->set_workers_left(static_cast<uint32_t>(drained->remaining));
  }
  return Answered(context, drained.status());
}

grpc::ServerUnaryReactor* OperatorService::Set(grpc::CallbackServerContext* context,
                                               const v1::SetRequest* request,
                                               v1::SetResponse* response) {
  if (const absl::Status here = CheckCoordinates(); !here.ok()) return Answered(context, here);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  disk_.Submit(
      [this, request, response, reactor] { reactor->Finish(ToGrpc(SetNow(*request, response))); });
  return reactor;
}

absl::Status OperatorService::SetNow(const v1::SetRequest& request, v1::SetResponse* response) {
  CONADV_ASSIGN_OR_RETURN(const Job job, Changed(options_.job, request));
  const uint64_t updates = job.training.updates_per_step();
  std::optional<conadv::Step> from;
  if (request.from_version() > 0) {
    from = conadv::Step(request.from_version() / updates +
                        (request.from_version() % updates > 0 ? 1 : 0));
  }
  // The value itself: a job with τ = 0 is another algorithm's.
  v1::Job changed;
  CONADV_RETURN_IF_ERROR(ApplySettings({absl::StrCat(kTau, "=", request.value())}, &changed));
  CONADV_ASSIGN_OR_RETURN(const PreparedTau prepared,
                          options_.coordinator->PrepareTau(changed.training().tau(), from));
  const absl::Status written = options_.journal.Write(prepared.record);
  options_.coordinator->OnTauJournalled(written.ok());
  CONADV_RETURN_IF_ERROR(written);
  const uint64_t version = prepared.from.value() * updates;
  LOG(INFO) << kTau << " is " << changed.training().tau() << " from version " << version
            << " on; it was " << prepared.before;
  response->set_from_version(version);
  response->set_before(absl::StrCat(prepared.before));
  return absl::OkStatus();
}

}  // namespace conadv
