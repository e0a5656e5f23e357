// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/render.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/format/tables.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

std::string PhaseText(v1::StatusResponse::Phase phase) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(v1::StatusResponse::Phase_Name(phase)),
                             {{"_", " "}});
}

std::string EvaluationText(const v1::ReportRequest& evaluation) {
  std::string text = absl::StrFormat("version %d: clean accuracy %.4f", evaluation.version(),
                                     evaluation.clean_accuracy());
  if (evaluation.robust()) {
    absl::StrAppendFormat(&text, ", robust accuracy %.4f", evaluation.robust_accuracy());
  }
  return absl::StrCat(text, ", on ", evaluation.examples(), " examples");
}

std::string AccuraciesText(
    const google::protobuf::RepeatedPtrField<v1::NamedAccuracy>& accuracies) {
  std::vector<std::string> texts;
  for (const v1::NamedAccuracy& accuracy : accuracies) {
    texts.push_back(absl::StrFormat("%s %.4f", Printable(accuracy.name()), accuracy.accuracy()));
  }
  return absl::StrJoin(texts, ", ");
}

void AppendEvaluation(const v1::ReportRequest& evaluation,
                      std::vector<std::pair<std::string, std::string>>* pairs) {
  pairs->emplace_back("evaluation", EvaluationText(evaluation));
  if (!evaluation.attacks().empty()) {
    pairs->emplace_back("after attacks", AccuraciesText(evaluation.attacks()));
  }
  if (!evaluation.corruptions().empty()) {
    pairs->emplace_back("corrupted", AccuraciesText(evaluation.corruptions()));
  }
  for (const std::string& warning : evaluation.warnings()) {
    pairs->emplace_back("warning", Printable(warning));
  }
}

std::string LeasedText(const v1::WorkersResponse::Member& member) {
  constexpr int kMostShown = 4;
  std::vector<std::string> units;
  for (const v1::Unit& unit : member.leased()) {
    if (static_cast<int>(units.size()) == kMostShown) {
      units.push_back(absl::StrCat("and ", member.leased_size() - kMostShown, " more"));
      break;
    }
    units.push_back(absl::StrCat("(", unit.step(), ", ", unit.slot(), ")"));
  }
  return absl::StrJoin(units, " ");
}

std::string LossText(const v1::StatusResponse& status) {
  std::vector<std::string> losses;
  for (const std::string& stream : status.streams()) {
    const auto add = [&](double loss) {
      losses.push_back(absl::StrFormat("%s %.4f", stream, loss));
    };
    if (stream == "clean") add(status.clean_loss());
    if (stream == "augmented") add(status.augmented_loss());
    if (stream == "adversarial") add(status.adversarial_loss());
  }
  return absl::StrJoin(losses, ", ");
}

std::string Seconds(double seconds) { return absl::StrFormat("%.1f s", seconds); }

// With what was set while it ran.
std::string TauText(const v1::StatusResponse& status) {
  std::string text = absl::StrCat(status.tau());
  const uint64_t updates = status.steps() == 0 ? 1 : status.final_version() / status.steps();
  for (const v1::TauChange& change : status.settings().tau()) {
    absl::StrAppend(&text, "; ", change.tau(), " from version ", change.step() * updates);
  }
  return text;
}

}  // namespace

std::string RenderStatus(const v1::StatusResponse& status) {
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.emplace_back("job",
                     absl::StrCat(Printable(status.job()), " (", status.algorithm(), ", tau ",
                                  TauText(status), ", ", status.consistency(), ")"));
  pairs.emplace_back("phase", PhaseText(status.phase()));
  if (!status.message().empty()) pairs.emplace_back("message", Printable(status.message()));
  if (!status.warning().empty()) pairs.emplace_back("warning", Printable(status.warning()));
  pairs.emplace_back("step", status.steps() == 0
                                 ? absl::StrCat(status.step())
                                 : absl::StrCat(status.step(), " of ", status.steps()));
  pairs.emplace_back("version", absl::StrCat(status.version(), " of ", status.final_version()));
  pairs.emplace_back("shard", absl::StrCat(status.shard(), " of ", status.shards(), ": ",
                                           absl::StrJoin(status.servers(), " ")));
  pairs.emplace_back("workers", absl::StrCat(status.workers()));
  // The server that counted the time before is gone.
  pairs.emplace_back("time", absl::StrCat(FormatElapsed(absl::Seconds(status.seconds())),
                                          status.restored_version() == 0
                                              ? ""
                                              : absl::StrCat(" since the run went on from version ",
                                                             status.restored_version())));
  pairs.emplace_back("speed", absl::StrFormat("%.0f examples/s", status.examples_per_second()));
  if (status.passes() > 0) {
    pairs.emplace_back(
        "cost", absl::StrFormat("%.4g passes over each example (VANILLA: 1)", status.passes()));
  }
  pairs.emplace_back("loss", LossText(status));
  pairs.emplace_back(
      "staleness", absl::StrFormat("attack %.2f, update %.2f versions",
                                   status.attack_staleness_mean(), status.update_staleness_mean()));
  pairs.emplace_back("rate", absl::StrFormat("%.6g", status.rate()));
  if (status.has_last_evaluation()) {
    AppendEvaluation(status.last_evaluation(), &pairs);
  }
  pairs.emplace_back("memory", absl::StrCat(FormatBytes(status.memory_bytes()), " of at most ",
                                            FormatBytes(status.memory_limit_bytes())));
  pairs.emplace_back("checkpoint", status.checkpoint_error().empty()
                                       ? absl::StrCat("version ", status.checkpoint_version())
                                       : Printable(status.checkpoint_error()));
  return FormatPairs(pairs);
}

std::string RenderWorkers(const v1::WorkersResponse& workers) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::WorkersResponse::Member& member : workers.members()) {
    rows.push_back({absl::StrCat(member.worker_id()), Printable(member.name()),
                    absl::AsciiStrToLower(v1::Role_Name(member.role())), Printable(member.peer()),
                    absl::StrCat(member.threads()), absl::StrCat(member.units_done()),
                    Seconds(member.seconds_since_message()),
                    FormatElapsed(absl::Seconds(member.seconds_joined())),
                    absl::StrCat(LeasedText(member), member.straggles() ? " (straggles)" : "")});
  }
  return FormatTable({"ID", "NAME", "ROLE", "PEER", "THREADS", "UNITS DONE", "LAST HEARD", "JOINED",
                      "LEASED (STEP, SLOT)"},
                     rows);
}

std::string RenderSnapshots(const v1::SnapshotsResponse& snapshots, absl::Time now) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::SnapshotsResponse::Snapshot& snapshot : snapshots.snapshots()) {
    const absl::Time published = absl::FromUnixMicros(snapshot.published_unix_micros());
    rows.push_back({absl::StrCat(snapshot.version()),
                    Seconds(absl::ToDoubleSeconds(now - published)), FormatBytes(snapshot.bytes()),
                    absl::StrCat(snapshot.pulls())});
  }
  return absl::StrCat(FormatTable({"VERSION", "AGE", "SIZE", "PULLS"}, rows), "\nat most ",
                      snapshots.retain(), " versions are kept; ", snapshots.waiting_pulls(),
                      " pulls wait for a version that is not there yet\n");
}

}  // namespace conadv
