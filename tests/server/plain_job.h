// SPDX-License-Identifier: Apache-2.0
// The plainest job that a shard takes: one slot a step, no attack, plain descent at a rate of 1.
#ifndef CONADV_TESTS_SERVER_PLAIN_JOB_H_
#define CONADV_TESTS_SERVER_PLAIN_JOB_H_

#include "common/job/job.h"

namespace conadv {

inline Job PlainJob(uint32_t retain) {
  Job job;
  job.training.algorithm = Algorithm::kVanilla;
  job.training.global_batch = 8;
  job.training.slots = 1;
  job.training.clean_weight = 1;
  job.optimizer.rule = SgdOptions{};
  job.schedule.peak = 1;
  job.schedule.decay = ConstantDecay{};
  job.server.retain = retain;
  return job;
}

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_PLAIN_JOB_H_
