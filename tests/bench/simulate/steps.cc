// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/simulate/cluster.h"
#include "tests/bench/simulate/rows.h"
#include "tests/bench/table/row.h"

namespace conadv::bench {
namespace {

struct Steps {
  std::vector<double> vanilla;
  std::vector<double> disadv;
  std::vector<double> conadv;
};

// The same with each algorithm, in turn; milliseconds.
Steps Measure(int rounds, const ClusterOptions& options) {
  const auto with = [&options](v1::Training::Algorithm algorithm, uint32_t tau) {
    ClusterOptions run = options;
    run.algorithm = algorithm;
    run.tau = tau;
    return [run] { return StepMillis(run); };
  };
  auto seen = Interleave(rounds, {with(v1::Training::VANILLA, 0), with(v1::Training::DISADV, 0),
                                  with(v1::Training::CONADV, 1)});
  return {std::move(seen[0]), std::move(seen[1]), std::move(seen[2])};
}

Row RowOf(const std::string& name, const std::string& reference, std::vector<double> ours,
          std::vector<double> theirs) {
  Row row;
  row.name = name;
  row.unit = "ms";
  row.reference = reference;
  row.ours = std::move(ours);
  row.theirs = std::move(theirs);
  return row;
}

void PrintSameHost(const Steps& steps, const std::string& model, const std::string& note) {
  const std::string where = absl::StrCat(", 3 lanes of 50 ms passes, ", model, ", 4 workers");
  Row conadv = RowOf("ConAdv step" + where, "VANILLA step", steps.conadv, steps.vanilla);
  conadv.reach = 1.05;
  conadv.at_most = true;
  conadv.note = note;
  Print(conadv);
  Row disadv = RowOf("DisAdv step" + where, "ConAdv step", steps.disadv, steps.conadv);
  disadv.reach = 1.8;
  disadv.note = note;
  Print(disadv);
}

}  // namespace

void SameHostSteps(int rounds) {
  ClusterOptions options;
  options.processes = 4;
  options.simulate = "parameters=25M";
  PrintSameHost(Measure(rounds, options), "100 MB",
                "beside the passes a step adds 400 MB of gradients a stream, all at once");
  // What is left of it where the bytes are few.
  options.simulate = "parameters=250K";
  options.steps = 40;
  PrintSameHost(Measure(rounds, options), "1 MB", "");
}

void DelayedSteps(int rounds) {
  ClusterOptions options;
  options.processes = 2;
  options.simulate = "attack=40ms,clean=40ms,adversarial=40ms,lanes=1,parameters=22K";
  options.steps = 25;
  options.network_delay = absl::Milliseconds(20);
  const Steps steps = Measure(rounds, options);
  const std::string where = ", 1 lane of 40 ms passes, 20 ms network, 2 workers";
  Row conadv = RowOf("ConAdv step" + where, "VANILLA step", steps.conadv, steps.vanilla);
  conadv.reach = 1.6;
  conadv.at_most = true;
  conadv.note = "at best (40 + 40 + 40) / (40 + 40): the attack takes as long as a round trip";
  Print(conadv);
  Print(RowOf("DisAdv step" + where, "VANILLA step", steps.disadv, steps.vanilla));
}

void DelayedBytes(int rounds) {
  const auto with = [](const char* parameters) {
    return [parameters] {
      ClusterOptions options;
      options.simulate = absl::StrCat("clean=40ms,lanes=1,parameters=", parameters);
      options.steps = 8;
      options.network_delay = absl::Milliseconds(20);
      return StepMillis(options);
    };
  };
  const auto seen = Interleave(rounds, {with("1M"), with("10K")});
  Row row = RowOf("VANILLA step of 4 MB, 1 lane of 40 ms passes, 20 ms network, 1 worker",
                  "the same of 40 KB", seen[0], seen[1]);
  row.note = "the link has room for all: what is more are round trips that wait for windows";
  Print(row);
}

void Overlap(int rounds) {
  const auto compare = [rounds](const std::string& name, ClusterOptions options) {
    const auto with = [&options](bool overlap) {
      ClusterOptions run = options;
      run.overlap = overlap;
      return [run] { return StepMillis(run); };
    };
    const auto seen = Interleave(rounds, {with(true), with(false)});
    Print(RowOf(name + ", gradients leave during their pass", "after it", seen[0], seen[1]));
  };
  ClusterOptions options;
  options.simulate = "clean=1s,lanes=1,parameters=4M";
  options.steps = 8;
  options.network_delay = absl::Milliseconds(20);
  compare("VANILLA step of 16 MB, 1 lane of 1 s passes, 20 ms network, 1 worker", options);
  options.network_delay = absl::ZeroDuration();
  options.simulate = "attack=100ms,clean=100ms,adversarial=100ms,parameters=25M";
  options.algorithm = v1::Training::CONADV;
  options.tau = 1;
  options.processes = 2;
  options.shared_memory = false;
  compare("ConAdv step of 100 MB, 3 lanes of 100 ms passes, TCP loopback, 2 workers", options);
  options.shared_memory = true;
  compare("ConAdv step of 100 MB, 3 lanes of 100 ms passes, shared memory, 2 workers", options);
}

void WeakScaling(int rounds) {
  const auto with = [](uint32_t workers) {
    return [workers] {
      ClusterOptions options;
      options.processes = workers < 8 ? workers : 8;
      options.workers = workers / options.processes;
      options.simulate = "clean=50ms,lanes=1,parameters=1M";
      options.steps = 15;
      return 1e3 * workers / StepMillis(options);
    };
  };
  const std::vector<uint32_t> workers = {1, 4, 16, 64};
  std::vector<std::function<double()>> samples;
  for (const uint32_t count : workers) samples.emplace_back(with(count));
  const auto seen = Interleave(rounds, samples);
  for (size_t i = 1; i < workers.size(); ++i) {
    std::vector<double> ideal = seen[0];
    for (double& units : ideal) units *= workers[i];
    Row row = RowOf(absl::StrCat(workers[i], " workers, 50 ms passes, 4 MB, weak scaling"),
                    absl::StrCat(workers[i], " times one worker"), seen[i], ideal);
    row.unit = "units/s";
    if (i + 1 == workers.size()) row.reach = 0.9;
    row.note = absl::StrCat(8 * workers[i], " MB a step");
    Print(row);
  }
}

}  // namespace conadv::bench
