// SPDX-License-Identifier: Apache-2.0
#include "common/job/same_job.h"

#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status_macros.h"
#include "common/job/job.h"
#include "common/job/parse.h"
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

// With every default written out, and without what does not touch the weights.
absl::StatusOr<v1::Job> WhatMakesWeights(absl::string_view text, absl::string_view name) {
  CONADV_ASSIGN_OR_RETURN(const v1::Job given, ParseJobText(text, name));
  CONADV_ASSIGN_OR_RETURN(v1::Job job, ParseJobText(JobText(given), name));
  job.clear_name();
  job.clear_server();
  job.clear_evaluation();
  // Where data and model lie: what they hold has a fingerprint in the plan.
  job.mutable_dataset()->clear_path();
  // How much is kept, and how much damage is borne, changes no bit of a batch.
  job.mutable_dataset()->clear_cache_bytes();
  job.mutable_dataset()->clear_max_corrupt();
  // Nor does what is only measured.
  job.mutable_attack()->clear_cosine_every();
  // As checkpoints of before have them, where every default was written out.
  if (job.model().width() == 0) job.mutable_model()->set_width(DefaultWidth(job.model().builtin()));
  if (job.dataset().mean().empty()) job.mutable_dataset()->add_mean(kPixelMiddle);
  if (job.dataset().deviation().empty()) job.mutable_dataset()->add_deviation(kPixelMiddle);
  if (job.model().has_torchscript()) job.mutable_model()->set_torchscript("");
  return job;
}

}  // namespace

absl::Status CheckSameJob(absl::string_view run, absl::string_view checkpoint,
                          const std::string& directory) {
  CONADV_ASSIGN_OR_RETURN(const v1::Job ours, WhatMakesWeights(run, "the run's job"));
  CONADV_ASSIGN_OR_RETURN(const v1::Job theirs, WhatMakesWeights(checkpoint, "checkpoint's job"));
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(theirs, ours)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the checkpoints in ", directory, " are of another job (",
                   absl::StrReplaceAll(absl::StripAsciiWhitespace(differences), {{"\n", "; "}}),
                   "); give this run a checkpoint directory of its own"));
}

}  // namespace conadv
