// SPDX-License-Identifier: Apache-2.0
// What shared memory costs between a conadv-server and a worker of the same machine: a version's
// way to a pull that waits for it, and a push, against a copy of as many bytes.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "common/job/parse.h"
#include "tests/bench/shared_memory/local_worker.h"
#include "tests/bench/table/row.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

ABSL_FLAG(int, rounds, 7, "steps of the large model that count; of the small one 50 times as many");
ABSL_FLAG(double, large, 1024, "MiB of the large model");

namespace conadv::bench {
namespace {

struct Seen {
  std::vector<double> mapped;  // milliseconds
  std::vector<double> push;    // GB/s
  std::vector<double> copy;    // GB/s
};

double SecondsOfCopy(const Arena& from, Arena* to) {
  const auto begin = std::chrono::steady_clock::now();
  std::memcpy(to->data(), from.data(), from.bytes());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// `rounds` steps of a model of so many bytes, each with a copy beside it; the first ones, in which
// both sides get to know each other's memory, do not count.
absl::StatusOr<Seen> Measure(double megabytes, int rounds) {
  constexpr int kWarmUp = 8;
  TinyRun run;
  run.parameters = static_cast<uint64_t>(megabytes * (1 << 20) / sizeof(float));
  run.steps = static_cast<uint64_t>(rounds + kWarmUp);
  v1::Job job = JobOf(run);
  job.mutable_optimizer()->mutable_sgd()->set_momentum(0);
  const TempDir directory;
  WriteFile(directory / "job.textproto", JobText(job));
  Process server(
      {absl::StrCat(CONADV_BIN_DIR, "/conadv-server"), "--job=" + (directory / "job.textproto")});
  const auto address = server.ReadAfter("listening on ", absl::Minutes(1));
  if (!address.ok()) return address.status();
  LocalWorker worker(*address, run);
  Arena copy(worker.gradient().size());
  Seen seen;
  const double gigabytes = 1e-9 * static_cast<double>(worker.gradient().bytes());
  int unit = 0;
  const absl::Status status = worker.Run([&](const UnitTimes& times) {
    const double copied = SecondsOfCopy(worker.gradient(), &copy);
    if (unit++ < kWarmUp) return;
    seen.mapped.push_back(1e3 * times.mapped);
    seen.push.push_back(gigabytes / times.push);
    seen.copy.push_back(gigabytes / copied);
  });
  if (!status.ok()) return status;
  const auto exit = server.Wait(absl::Minutes(1));
  return exit.ok() && exit->ok() ? absl::StatusOr<Seen>(seen)
                                 : absl::InternalError("the server failed: " + server.error());
}

int Main() {
  constexpr double kSmall = 1;
  constexpr double kReachMillis = 0.1;
  constexpr double kReachOfCopy = 0.5;
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (const double megabytes : {kSmall, absl::GetFlag(FLAGS_large)}) {
    const auto seen = Measure(megabytes, megabytes == kSmall ? 50 * rounds : rounds);
    if (!seen.ok()) {
      std::fprintf(stderr, "%s\n", std::string(seen.status().message()).c_str());
      return 1;
    }
    const std::string size = absl::StrCat(megabytes, " MiB");
    Row pull;
    pull.name = absl::StrCat("same-host pull, published to mapped by who waits, ", size);
    pull.unit = "ms";
    pull.ours = seen->mapped;
    pull.reach = kReachMillis;
    pull.at_most = true;
    Print(pull);
    Row push;
    push.name = absl::StrCat("same-host push until acknowledged, ", size);
    push.unit = "GB/s";
    push.reference = "memcpy, one core";
    push.ours = seen->push;
    push.theirs = seen->copy;
    push.reach = kReachOfCopy;
    Print(push);
  }
  return 0;
}

}  // namespace
}  // namespace conadv::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return conadv::bench::Main();
}
