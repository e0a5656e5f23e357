// SPDX-License-Identifier: Apache-2.0
// CheckSamePlan: what tells a person why a worker may not join.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"
#include "common/plan/plan_proto.h"
#include "common/plan/simulated_plan.h"

namespace conadv {
namespace {

std::string Describe(const TensorSpec& tensor) {
  const v1::Tensor proto = ToProto(tensor);
  std::string text = absl::StrCat(Printable(tensor.name), " [", absl::StrJoin(tensor.shape, ", "),
                                  "] ", v1::Tensor::Kind_Name(proto.kind()), " ",
                                  v1::Tensor::Branch_Name(proto.branch()));
  // Nine digits tell any two floats apart.
  if (tensor.kind == TensorKind::kStatistic) {
    absl::StrAppendFormat(&text, " momentum %.9g", tensor.momentum);
    if (tensor.momentum == 0) absl::StrAppend(&text, " (", tensor.batches, " batches)");
  }
  return text;
}

std::string TensorAt(const Plan& plan, size_t index) {
  return index < plan.tensors.size() ? Describe(plan.tensors[index]) : "no such tensor";
}

absl::Status Differ(absl::string_view what, absl::string_view offered, absl::string_view run,
                    absl::string_view advice) {
  return absl::InvalidArgumentError(absl::StrCat(what, " differs from the run's: this worker has ",
                                                 offered, ", the run has ", run, "; ", advice));
}

}  // namespace

absl::Status CheckSamePlan(const Plan& run, const Plan& offered) {
  if (IsSimulated(run) != IsSimulated(offered)) {
    return absl::InvalidArgumentError(
        IsSimulated(offered)
            ? "this worker is simulated and the run's are not: start it without --simulate"
            : "the run's workers are simulated and this one is not: start it with their "
              "--simulate, "
              "or a run of its own");
  }
  if (run.data_fingerprint != offered.data_fingerprint || run.examples != offered.examples) {
    const auto data = [](const Plan& plan) {
      return absl::StrFormat("fingerprint %016x of %d examples", plan.data_fingerprint,
                             plan.examples);
    };
    return Differ("the training data", data(offered), data(run),
                  "give this worker the same files in dataset.path");
  }
  if (run.model_fingerprint != offered.model_fingerprint) {
    const auto model = [](const Plan& plan) {
      return plan.model_fingerprint == 0 ? std::string("a built-in one")
                                         : absl::StrFormat("%016x", plan.model_fingerprint);
    };
    return Differ("the model's file", model(offered), model(run),
                  "give this worker the same file in model.torchscript");
  }
  const char* const advice = IsSimulated(run) ? "start every worker with the same --simulate"
                                              : "start every worker from the same build";
  const size_t tensors = std::max(run.tensors.size(), offered.tensors.size());
  for (size_t i = 0; i < tensors; ++i) {
    const std::string ours = TensorAt(run, i);
    const std::string theirs = TensorAt(offered, i);
    if (ours != theirs) {
      return Differ(absl::StrCat("tensor ", i, " of the model"), theirs, ours, advice);
    }
  }
  if (run.steps != offered.steps) {
    return Differ("the number of steps", absl::StrCat(offered.steps), absl::StrCat(run.steps),
                  "start every worker from the same build");
  }
  if (run.initial_weights_crc32c != offered.initial_weights_crc32c) {
    const auto crc = [](const Plan& plan) {
      return absl::StrFormat("crc32c %08x", plan.initial_weights_crc32c);
    };
    return Differ("the crc of the initial weights", crc(offered), crc(run),
                  "start every worker from the same build, on the same type of CPU");
  }
  return absl::OkStatus();
}

}  // namespace conadv
