// SPDX-License-Identifier: Apache-2.0
// The rules of proto/conadv/v1/job.proto, and what a job that keeps them means. Pure functions.
#ifndef CONADV_COMMON_JOB_RULES_RULES_H_
#define CONADV_COMMON_JOB_RULES_RULES_H_

#include <string>
#include <vector>

#include "common/job/augmentation.h"
#include "common/job/job.h"
#include "common/job/rules/violations.h"
#include "conadv/v1/job.pb.h"

namespace conadv {

// What pixels are normalised with where a job says nothing: a mean, and a deviation.
inline constexpr float kPixelMiddle = 0.5;

// What is learned, and how: model, dataset, training, attack.
void CheckTask(const v1::Job& job, Violations* violations);
// The steps of dataset.augmentation; a part of CheckTask.
void CheckAugmentation(const v1::Dataset& dataset, Violations* violations);
// The algorithm's passes and its attack; a part of CheckTask.
void CheckStreams(const v1::Job& job, Violations* violations);
// What updates, keeps and measures the weights: optimizer, schedule, server, evaluation.
void CheckUpdates(const v1::Job& job, Violations* violations);

// As job files spell it.
inline const std::string& Name(v1::Training::Consistency consistency) {
  return v1::Training::Consistency_Name(consistency);
}

// Versions of attack staleness that the job asks for: 0 for DISADV and VANILLA.
uint32_t EffectiveTau(const v1::Training& training);

// REQUIRES: it keeps every rule.
std::vector<AugmentationStep> ResolveAugmentation(const v1::Dataset& dataset);

// What the algorithm says of fields that the job leaves unset. Changes nothing that is set.
void FillAlgorithm(v1::Job* job);

// Every default filled in. REQUIRES: FillAlgorithm has been called, and the job keeps every rule.
Job Resolve(const v1::Job& job);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_RULES_RULES_H_
