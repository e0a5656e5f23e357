// SPDX-License-Identifier: Apache-2.0
#include "server/record/worker_sums.h"

#include <algorithm>
#include <cmath>

#include "common/stats/histogram_proto.h"

namespace conadv {
namespace {

// More than any worker does: what is above is no measure.
constexpr double kMost = 1e18;

double Sane(double value) { return std::isfinite(value) ? std::clamp(value, 0.0, kMost) : 0; }

SecondsDistribution DistributionOf(const v1::Histogram& micros) {
  const absl::StatusOr<Histogram> histogram = FromProto(micros);
  return histogram.ok() ? SecondsDistribution::Of(*histogram) : SecondsDistribution();
}

// Nothing of `to` is less.
bool Rises(const WorkerSums& from, const WorkerSums& to) {
  const auto rises = [](const auto& a, const auto& b) {
    return std::equal(a.begin(), a.end(), b.begin(), [](auto x, auto y) { return x <= y; });
  };
  return rises(from.values, to.values) && rises(from.pull.counts, to.pull.counts) &&
         rises(from.push.counts, to.push.counts) && from.pull.sum <= to.pull.sum &&
         from.push.sum <= to.push.sum;
}

void Add(const SecondsDistribution& from, const SecondsDistribution& to, SecondsDistribution* all) {
  for (size_t i = 0; i < to.counts.size(); ++i) all->counts[i] += to.counts[i] - from.counts[i];
  all->sum += to.sum - from.sum;
}

}  // namespace

WorkerSums WorkerSums::Of(const v1::WorkerStats& stats) {
  WorkerSums sums;
  const auto set = [&sums](Field field, double value) { sums.values[field] = Sane(value); };
  set(kNetworkPulledBytes, static_cast<double>(stats.pulled_bytes()));
  set(kNetworkPushedBytes, static_cast<double>(stats.pushed_bytes()));
  set(kSharedPulledBytes, static_cast<double>(stats.shared_pulled_bytes()));
  set(kSharedPushedBytes, static_cast<double>(stats.shared_pushed_bytes()));
  set(kCachedBytes, static_cast<double>(stats.cached_bytes()));
  set(kAttackCacheHits, static_cast<double>(stats.attack_cache_hits()));
  set(kAttackPulls, static_cast<double>(stats.attack_pulls()));
  set(kUnitsDone, static_cast<double>(stats.units_done()));
  set(kAttackExamples, static_cast<double>(stats.attack_examples()));
  set(kWaitWeightsSeconds, stats.wait_weights_seconds());
  set(kWaitAttackSeconds, stats.wait_attack_seconds());
  set(kWaitLeaseSeconds, stats.wait_lease_seconds());
  set(kWaitPushSeconds, stats.wait_push_seconds());
  set(kWaitDataSeconds, stats.wait_data_seconds());
  set(kBusySeconds, stats.busy_seconds());
  sums.pull = DistributionOf(stats.pull_micros());
  sums.push = DistributionOf(stats.push_micros());
  return sums;
}

void AllWorkerSums::Set(const std::string& worker, const WorkerSums& sums) {
  last_.Touch(worker, [&](WorkerSums& last) {
    const WorkerSums from = Rises(last, sums) ? last : WorkerSums();
    for (size_t i = 0; i < WorkerSums::kFields; ++i) {
      all_.values[i] += sums.values[i] - from.values[i];
    }
    Add(from.pull, sums.pull, &all_.pull);
    Add(from.push, sums.push, &all_.push);
    last = sums;
    return 0;
  });
}

}  // namespace conadv
