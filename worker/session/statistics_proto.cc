// SPDX-License-Identifier: Apache-2.0
#include "worker/session/statistics_proto.h"

#include "absl/time/time.h"
#include "common/stats/histogram_proto.h"

namespace conadv {

void ToProto(const WorkerTotals& totals, v1::WorkerStats* stats) {
  const auto waited = [&totals](WaitCause cause) {
    return absl::ToDoubleSeconds(totals.waited_for(cause));
  };
  *stats->mutable_pull_micros() = ToProto(totals.pull_micros);
  *stats->mutable_push_micros() = ToProto(totals.push_micros);
  stats->set_wait_weights_seconds(waited(WaitCause::kWeights));
  stats->set_wait_attack_seconds(waited(WaitCause::kAttack));
  stats->set_wait_lease_seconds(waited(WaitCause::kLease));
  stats->set_wait_push_seconds(waited(WaitCause::kPush));
  stats->set_wait_data_seconds(waited(WaitCause::kData));
  stats->set_busy_seconds(absl::ToDoubleSeconds(totals.busy));
  stats->set_pulled_bytes(totals.pulled_bytes.network);
  stats->set_pushed_bytes(totals.pushed_bytes.network);
  stats->set_shared_pulled_bytes(totals.pulled_bytes.shared);
  stats->set_shared_pushed_bytes(totals.pushed_bytes.shared);
  stats->set_attack_cache_hits(totals.attack_cache_hits);
  stats->set_attack_pulls(totals.attack_pulls);
  stats->set_cached_bytes(totals.cached_bytes);
  stats->set_units_done(totals.units_done);
  stats->set_attack_examples(totals.attack_examples);
}

}  // namespace conadv
