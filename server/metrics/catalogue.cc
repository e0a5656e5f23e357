// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/catalogue.h"

namespace conadv {
namespace {

constexpr MetricKind kGauge = MetricKind::kGauge;
constexpr MetricKind kCounter = MetricKind::kCounter;
constexpr MetricKind kHistogram = MetricKind::kHistogram;

// Counters and versions that a roll-back would set back carry the label lineage, which then is
// another one; those of a process's whole life carry the label process.
constexpr MetricInfo kMetrics[] = {
    // The run and this shard.
    {"conadv_run_info", kGauge,
     "1; the labels say which job this is: run, algorithm, consistency, tau, shard"},
    {"conadv_shards", kGauge, "Shards that the run has"},
    {"conadv_ready", kGauge, "1 if this shard serves the newest version of the run, else 0"},
    {"conadv_phase", kGauge, "1 for the phase that the run is in, 0 for the others (shard 0)"},
    {"conadv_version", kGauge, "Newest version that this shard serves"},
    {"conadv_restored_version", kGauge, "Version that this lineage began with"},
    {"conadv_final_version", kGauge, "Version after the last step"},
    {"conadv_step", kGauge, "Oldest step that is not finished (shard 0)"},
    {"conadv_steps", kGauge, "Steps that the run has (shard 0)"},
    {"conadv_training_seconds", kGauge, "Seconds since this lineage began to train (shard 0)"},
    // Updates.
    {"conadv_updates_total", kCounter, "Updates that this lineage has made"},
    {"conadv_examples_total", kCounter, "Training examples of these updates"},
    {"conadv_update_duration_seconds", kHistogram, "Seconds from one update to the next"},
    {"conadv_examples_per_second", kGauge, "Training examples a second, over the newest updates"},
    {"conadv_learning_rate", kGauge, "Rate of the last update"},
    {"conadv_loss", kGauge, "Mean loss of the last update, by stream"},
    {"conadv_batch_accuracy", kGauge,
     "Fraction of the last update's examples that were classified right, by stream"},
    {"conadv_gradient_norm", kGauge,
     "Norm of this shard's part of the last update's mean gradient, by stream"},
    {"conadv_gradient_cosine", kGauge,
     "Cosine between the first stream's gradient and another's, of this shard's part, by stream"},
    // Staleness.
    {"conadv_attack_staleness_versions", kHistogram,
     "Versions between the weights that an attack used and those that the update used, by unit"},
    {"conadv_update_staleness_versions", kHistogram,
     "Versions between the weights that a gradient used and those it was applied to, by unit"},
    {"conadv_attack_staleness_origin_versions_total", kCounter,
     "The attack staleness above by where it arose: lease, before the worker had the unit; queue, "
     "while the unit, and then its adversarial examples, waited in the worker; compute, while the "
     "attack was computed; unsaid, the worker did not say"},
    {"conadv_update_staleness_origin_versions_total", kCounter,
     "The update staleness above by where it arose: compute, while the gradient was computed and "
     "pushed; apply, while it waited to be applied"},
    {"conadv_attack_cosine", kGauge,
     "Mean over the examples of the newest unit that measured it (attack.cosine_every) of the "
     "cosine between the attack's first gradient and what it would be at the update's weights"},
    {"conadv_attack_cosine_units_total", kCounter, "Units that measured it"},
    {"conadv_lease_ahead_steps_total", kCounter,
     "Steps between the oldest unfinished one and that of a unit when it was leased, summed over "
     "leases (shard 0)"},
    // Evaluations.
    {"conadv_evaluation_version", kGauge, "Version that was evaluated last (shard 0)"},
    {"conadv_evaluation_accuracy", kGauge,
     "Fraction that the last evaluation found right, by kind: clean or robust (shard 0)"},
    {"conadv_evaluation_loss", kGauge, "Clean loss that the last evaluation found (shard 0)"},
    {"conadv_evaluation_duration_seconds", kGauge,
     "Seconds that the last evaluation took (shard 0)"},
    // Contributions and units.
    {"conadv_contributions_total", kCounter,
     "Streams of contributions that were pushed here, by outcome: accepted, duplicate, rejected"},
    {"conadv_units_total", kCounter,
     "Units of work, by what became of them: leased, done, duplicate (done again), failed, "
     "taken_back (from a worker that was gone or too slow) (shard 0)"},
    {"conadv_units_leased", kGauge, "Units that workers have now (shard 0)"},
    {"conadv_workers", kGauge,
     "Workers that take part, by state: working, idle, straggling (shard 0)"},
    {"conadv_members", kGauge, "Members other than workers, by role (shard 0)"},
    // Of all workers, as they say themselves.
    {"conadv_worker_bytes_total", kCounter,
     "Bytes of weights and gradients that workers moved since each of them started, by direction "
     "(pull, push) and source (network, shared_memory, cache: not moved at all) (shard 0)"},
    {"conadv_worker_units_total", kCounter, "Units that workers say they have done (shard 0)"},
    {"conadv_worker_attack_examples_total", kCounter, "Examples that were attacked (shard 0)"},
    {"conadv_worker_attack_weights_total", kCounter,
     "Versions that attacks wanted, by source: cache, or pull (shard 0)"},
    {"conadv_worker_busy_seconds_total", kCounter,
     "Seconds in which workers' compute threads computed (shard 0)"},
    {"conadv_worker_wait_seconds_total", kCounter,
     "Seconds in which they had nothing to compute, by what the worker's oldest unit waited for: "
     "lease, data, weights, attack, push (shard 0)"},
    {"conadv_pull_duration_seconds", kHistogram,
     "Seconds of workers' pulls, from the request to the last byte (shard 0)"},
    {"conadv_push_duration_seconds", kHistogram,
     "Seconds of workers' pushes, from the first byte to the answer (shard 0)"},
    // Memory, versions, checkpoints.
    {"conadv_memory_bytes", kGauge,
     "Bytes of versions, optimizer state, contributions, a checkpoint's copy and records"},
    {"conadv_memory_limit_bytes", kGauge, "The most that these may be"},
    {"conadv_snapshots", kGauge, "Versions that are kept"},
    {"conadv_snapshots_limit", kGauge, "Versions that are kept at most: server.retain"},
    {"conadv_waiting_pulls", kGauge, "Pulls that wait for a version that is yet to come"},
    {"conadv_checkpoint_version", kGauge, "Newest version that this shard has a checkpoint of"},
    {"conadv_checkpoint_common_version", kGauge,
     "Newest version that every shard has a checkpoint of: what the run would go back to (shard "
     "0)"},
    {"conadv_checkpoint_age_seconds", kGauge,
     "Seconds since this lineage wrote its last checkpoint here"},
    {"conadv_checkpoint_duration_seconds", kGauge, "Seconds that this took"},
    {"conadv_checkpoint_bytes", kGauge, "Bytes of the last checkpoint that this shard wrote"},
    {"conadv_checkpoint_free_bytes", kGauge, "Bytes that its disk had left then"},
    {"conadv_checkpoints_total", kCounter,
     "Checkpoints of this lineage, by outcome: written, failed"},
    // Of this process's life, and of the run's where it keeps checkpoints.
    {"conadv_lineages_total", kCounter,
     "Lineages that this shard has served: each but the first is a return to a checkpoint"},
    {"conadv_made_updates_total", kCounter, "Updates that this shard has made"},
    {"conadv_lost_updates_total", kCounter,
     "Those of them that a return to a checkpoint undid: they were made again"},
    {"conadv_made_examples_total", kCounter, "Training examples of the updates made"},
    {"conadv_lost_examples_total", kCounter, "Training examples of the updates lost"},
    {"conadv_trained_seconds_total", kCounter,
     "Seconds since this shard first trained, until the last update"},
    {"conadv_lost_seconds_total", kCounter,
     "Those of them that left nothing in the weights: updates that were undone, and the way back"},
};

}  // namespace

absl::Span<const MetricInfo> MetricCatalogue() { return kMetrics; }

}  // namespace conadv
