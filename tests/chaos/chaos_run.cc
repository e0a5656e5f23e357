// SPDX-License-Identifier: Apache-2.0
#include "tests/chaos/chaos_run.h"

#include <grpcpp/client_context.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/os/file.h"
#include "common/wire/channel.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "tests/chaos/injector.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using Json = nlohmann::json;

// How often the run is looked at.
constexpr absl::Duration kLook = absl::Milliseconds(20);
constexpr absl::Duration kAnswer = absl::Milliseconds(200);

// The version a run has reached, as its coordinator says; the last known while it does not.
class VersionWatch {
 public:
  explicit VersionWatch(const std::string& coordinator)
      : stub_(v1::Inspector::NewStub(MakeChannel(coordinator))) {}

  uint64_t Read() {
    grpc::ClientContext context;
    // Also because nothing but a call that waits makes a channel connect: one that fails at once
    // leaves the connection where it is.
    context.set_wait_for_ready(true);
    context.set_deadline(absl::ToChronoTime(absl::Now() + kAnswer));
    v1::StatusResponse status;
    if (stub_->Status(&context, {}, &status).ok()) status_ = status;
    return status_.version();
  }
  // Seconds since `fault` struck, once there is a version that was published after it.
  void OnStruck(const Fault& fault) {
    const bool kills = fault.kind == FaultKind::kKill || fault.kind == FaultKind::kCorrupt;
    if (!kills || fault.process == "evaluator" || struck_.has_value()) return;
    struck_ = Struck{absl::Now(), absl::StartsWith(fault.process, "server"), status_.lineage(),
                     status_.version()};
  }
  void Measure(ChaosResult* result) {
    if (!struck_.has_value()) return;
    // A server's loss begins another lineage. A worker's does not, unless a server goes as well.
    const bool another = status_.lineage() != struck_->lineage;
    if (struck_->server ? !another || status_.version() <= status_.restored_version()
                        : !another && status_.version() <= struck_->version) {
      return;
    }
    auto& recoveries = struck_->server ? result->server_recoveries : result->worker_recoveries;
    if (struck_->server || !another) {
      recoveries.push_back(absl::ToDoubleSeconds(absl::Now() - struck_->at));
    }
    struck_.reset();
  }

 private:
  struct Struck {
    absl::Time at;
    bool server;
    uint64_t lineage;
    uint64_t version;
  };
  const std::unique_ptr<v1::Inspector::Stub> stub_;
  v1::StatusResponse status_;
  std::optional<Struck> struck_;
};

std::vector<std::string> Arguments(const ChaosOptions& options, const std::string& job,
                                   const std::string& out) {
  std::vector<std::string> arguments = {options.program,
                                        "train",
                                        "--json",
                                        "--threads=1",
                                        absl::StrCat("--job=", job),
                                        absl::StrCat("--servers=", options.servers),
                                        absl::StrCat("--workers=", options.workers),
                                        absl::StrCat("--out=", out)};
  for (const std::string& setting : options.settings) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  return arguments;
}

std::string ReadAll(const std::string& path) { return FileSystem::Real().Read(path).value_or(""); }

void ReadSummary(const std::string& output, ChaosResult* result) {
  const Json summary = Json::parse(output, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object()) {
    result->problem = "no summary";
    return;
  }
  result->crc = summary.value("weights_crc32c", "");
  result->version = summary.value("version", uint64_t{0});
  result->restarts = summary.value("restarts", uint64_t{0});
  result->updates_recomputed = summary.value("updates_recomputed", uint64_t{0});
}

}  // namespace

std::string ChaosJob(const std::string& data) {
  return absl::StrCat(R"(
    name: "chaos" seed: 3
    model { builtin: "mlp" width: 64 }
    dataset { path: ")",
                      data, R"(" mean: 0.3 deviation: 0.4 }
    training { tau: 1 global_batch: 64 slots: 4 steps: )",
                      kChaosSteps, R"( }
    attack { step: RAW step_size: 0.1 epsilon: 0 }
    optimizer { sgd { momentum: 0.9 weight_decay: 0.001 } }
    schedule { peak: 0.05 }
    server { lease_seconds: 2 checkpoint_every: 10 unit_timeout_seconds: 5 }
    evaluation { attack_steps: 0 }
  )");
}

ChaosResult RunWithFaults(const ChaosOptions& options, const FaultPlan& plan) {
  const TempDir directory;
  const std::string out = directory / "out";
  const std::string job = directory / "job.textproto";
  WriteFile(job, ChaosJob(options.data));
  ChaosResult result;
  const absl::Time begin = absl::Now();
  Process train(Arguments(options, job, out));
  const auto coordinator = train.ReadErrorAfter("coordinator: ", options.patience);
  if (!coordinator.ok()) {
    result.problem = "no coordinator";
    result.log = train.error();
    return result;
  }
  {
    VersionWatch version(*coordinator);
    Injector injector(train.pid(), out + "/checkpoints", options.seed);
    auto next = plan.begin();
    absl::StatusOr<ExitStatus> exit = absl::DeadlineExceededError("");
    while (!exit.ok() && absl::Now() - begin < options.patience) {
      injector.Heal(absl::Now());
      const uint64_t reached = version.Read();
      version.Measure(&result);
      if (next != plan.end() && reached >= next->version) {
        const absl::Status struck = injector.Strike(*next, absl::Now());
        if (struck.ok()) ++result.injected[next->kind];
        if (struck.ok()) version.OnStruck(*next);
        // Who is not there now will be.
        if (!absl::IsUnavailable(struck)) ++next;
      }
      exit = train.Wait(kLook);
    }
    if (!exit.ok()) {
      result.problem = "it hangs";
    } else if (!exit->ok()) {
      result.problem = "it ended with " + exit->ToString();
    }
  }
  result.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  result.log = train.error();
  if (!result.problem.empty()) {
    for (const char* process : {"server-0", "server-1", "worker-0", "worker-1", "worker-2"}) {
      absl::StrAppend(&result.log, "--- ", process, "\n",
                      ReadAll(absl::StrCat(out, "/logs/", process, ".log")));
    }
    return result;
  }
  ReadSummary(train.output(), &result);
  if (result.problem.empty()) {
    result.problem = CheckLineage(ReadAll(out + "/metrics.jsonl"), result.version);
  }
  return result;
}

std::string CheckLineage(const std::string& metrics, uint64_t versions) {
  std::set<std::pair<uint64_t, uint64_t>> units;
  uint64_t version = 0;
  for (const absl::string_view text : absl::StrSplit(metrics, '\n', absl::SkipEmpty())) {
    const Json line = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return absl::StrCat("metrics.jsonl has a line that is no JSON: ", text);
    if (!line.contains("step")) continue;
    const Json& step = line["step"];
    if (step.value("version", uint64_t{0}) != ++version) {
      return absl::StrCat("metrics.jsonl: no version ", version);
    }
    if (!units.emplace(step.value("step", uint64_t{0}), step.value("slot", uint64_t{0})).second) {
      return absl::StrCat("metrics.jsonl: the unit of version ", version, " is there twice");
    }
  }
  if (version == versions) return "";
  return absl::StrCat("metrics.jsonl ends with version ", version, " of ", versions);
}

}  // namespace conadv
