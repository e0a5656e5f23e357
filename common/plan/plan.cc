// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/plan/plan_proto.h"

namespace conadv {
namespace {

constexpr int kMaxTensors = 1 << 20;
constexpr int kMaxDimensions = 16;
constexpr size_t kMaxNameBytes = 1024;
constexpr uint64_t kMaxElements = uint64_t{1} << 40;

absl::Status Refuse(const v1::Tensor& tensor, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("plan: tensor ", Printable(tensor.name()), ": ", why));
}

absl::StatusOr<TensorKind> KindOf(const v1::Tensor& tensor) {
  switch (tensor.kind()) {
    case v1::Tensor::WEIGHT: return TensorKind::kWeight;
    case v1::Tensor::NO_DECAY: return TensorKind::kNoDecay;
    case v1::Tensor::STATISTIC: return TensorKind::kStatistic;
    default: return Refuse(tensor, absl::StrCat("unknown kind ", tensor.kind()));
  }
}

absl::StatusOr<Branch> BranchOf(const v1::Tensor& tensor) {
  switch (tensor.branch()) {
    case v1::Tensor::SHARED: return Branch::kShared;
    case v1::Tensor::MAIN: return Branch::kMain;
    case v1::Tensor::AUXILIARY: return Branch::kAuxiliary;
    case v1::Tensor::AUGMENTED: return Branch::kAugmented;
    default: return Refuse(tensor, absl::StrCat("unknown branch ", tensor.branch()));
  }
}

v1::Tensor::Kind ToProto(TensorKind kind) {
  switch (kind) {
    case TensorKind::kWeight: return v1::Tensor::WEIGHT;
    case TensorKind::kNoDecay: return v1::Tensor::NO_DECAY;
    case TensorKind::kStatistic: return v1::Tensor::STATISTIC;
  }
  return v1::Tensor::WEIGHT;
}

absl::Status CheckElements(const v1::Tensor& tensor) {
  uint64_t size = 1;
  for (const uint64_t extent : tensor.shape()) {
    if (extent == 0) return Refuse(tensor, "a dimension is 0");
    if (extent > kMaxElements / size) return Refuse(tensor, "more than 2^40 elements");
    size *= extent;
  }
  return absl::OkStatus();
}

}  // namespace

v1::Tensor::Branch ToProto(Branch branch) {
  switch (branch) {
    case Branch::kShared: return v1::Tensor::SHARED;
    case Branch::kMain: return v1::Tensor::MAIN;
    case Branch::kAuxiliary: return v1::Tensor::AUXILIARY;
    case Branch::kAugmented: return v1::Tensor::AUGMENTED;
  }
  return v1::Tensor::SHARED;
}

v1::Tensor ToProto(const TensorSpec& tensor) {
  v1::Tensor proto;
  proto.set_name(tensor.name);
  proto.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
  proto.set_kind(ToProto(tensor.kind));
  proto.set_branch(ToProto(tensor.branch));
  proto.set_momentum(tensor.momentum);
  proto.set_batches(tensor.batches);
  return proto;
}

v1::Plan ToProto(const Plan& plan) {
  v1::Plan proto;
  for (const TensorSpec& tensor : plan.tensors) *proto.add_tensors() = ToProto(tensor);
  proto.set_examples(plan.examples);
  proto.set_steps(plan.steps);
  proto.set_data_fingerprint(plan.data_fingerprint);
  proto.set_initial_weights_crc32c(plan.initial_weights_crc32c);
  proto.set_model_fingerprint(plan.model_fingerprint);
  return proto;
}

absl::StatusOr<TensorSpec> FromProto(const v1::Tensor& tensor) {
  if (tensor.name().empty()) return absl::InvalidArgumentError("plan: a tensor without a name");
  if (tensor.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("plan: a tensor's name is longer than 1024 bytes");
  }
  if (tensor.shape_size() > kMaxDimensions) {
    return Refuse(tensor, absl::StrCat(tensor.shape_size(), " dimensions, at most 16 are allowed"));
  }
  CONADV_RETURN_IF_ERROR(CheckElements(tensor));
  TensorSpec spec;
  CONADV_ASSIGN_OR_RETURN(spec.kind, KindOf(tensor));
  CONADV_ASSIGN_OR_RETURN(spec.branch, BranchOf(tensor));
  if (spec.kind == TensorKind::kStatistic) {
    if (!(tensor.momentum() >= 0 && tensor.momentum() <= 1)) {
      return Refuse(tensor, absl::StrCat("momentum must be in [0, 1], got ", tensor.momentum()));
    }
    if (tensor.momentum() > 0 && tensor.batches() > 0) {
      return Refuse(tensor, absl::StrCat("batches must be 0 beside a momentum of ",
                                         tensor.momentum(), ", got ", tensor.batches()));
    }
    spec.momentum = tensor.momentum();
    spec.batches = tensor.batches();
  }
  spec.name = tensor.name();
  spec.shape.assign(tensor.shape().begin(), tensor.shape().end());
  return spec;
}

absl::StatusOr<Plan> FromProto(const v1::Plan& proto) {
  if (proto.tensors().empty()) return absl::InvalidArgumentError("plan: no tensors");
  if (proto.tensors_size() > kMaxTensors) {
    return absl::InvalidArgumentError(
        absl::StrCat("plan: ", proto.tensors_size(), " tensors, at most ", kMaxTensors));
  }
  if (proto.examples() == 0) return absl::InvalidArgumentError("plan: examples must be > 0");
  if (proto.steps() == 0) return absl::InvalidArgumentError("plan: steps must be > 0");
  Plan plan;
  plan.tensors.reserve(static_cast<size_t>(proto.tensors_size()));
  for (const v1::Tensor& tensor : proto.tensors()) {
    CONADV_ASSIGN_OR_RETURN(TensorSpec spec, FromProto(tensor));
    plan.tensors.push_back(std::move(spec));
  }
  plan.examples = proto.examples();
  plan.steps = proto.steps();
  plan.data_fingerprint = proto.data_fingerprint();
  plan.initial_weights_crc32c = proto.initial_weights_crc32c();
  plan.model_fingerprint = proto.model_fingerprint();
  return plan;
}

std::string PlanBytes(const Plan& plan) { return ToProto(plan).SerializeAsString(); }

absl::StatusOr<Plan> ParsePlanBytes(absl::string_view bytes) {
  v1::Plan proto;
  absl::StatusOr<Plan> plan = absl::DataLossError("plan: not a protobuf message");
  if (proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) plan = FromProto(proto);
  if (!plan.ok()) return absl::DataLossError(plan.status().message());
  return plan;
}

}  // namespace conadv
