// SPDX-License-Identifier: Apache-2.0
#include "worker/standalone/evaluate_file.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/os/file.h"
#include "common/tensor/safetensors.h"
#include "worker/data/open.h"
#include "worker/evaluate/evaluate.h"
#include "worker/evaluate/test_sets.h"
#include "worker/model/source/open_model.h"
#include "worker/standalone/weights_file.h"

namespace conadv {
namespace {

using Json = nlohmann::ordered_json;

struct Subject {
  Job job;
  Model model;
  std::shared_ptr<const Layout> layout;
  std::shared_ptr<const Arena> weights;
  uint64_t version = 0;  // as the file says
  TestSets test;
};

absl::StatusOr<Job> ReadJob(const FileEvaluation& evaluation) {
  CONADV_ASSIGN_OR_RETURN(const std::string text, FileSystem::Real().Read(evaluation.job));
  CONADV_ASSIGN_OR_RETURN(const v1::Job proto, ParseJobText(text, evaluation.job));
  CONADV_ASSIGN_OR_RETURN(Job job, ValidateJob(proto));
  if (!evaluation.data_dir.empty()) job.dataset.path = evaluation.data_dir;
  return job;
}

absl::Status ReadWeights(const std::string& path, Subject* subject) {
  CONADV_ASSIGN_OR_RETURN(std::string bytes, FileSystem::Real().Read(path));
  absl::StatusOr<SafetensorsFile> file = DecodeSafetensors(std::move(bytes));
  absl::StatusOr<std::shared_ptr<const Arena>> weights =
      file.ok() ? ArenaOf(*file, *subject->layout)
                : absl::StatusOr<std::shared_ptr<const Arena>>(file.status());
  if (!weights.ok()) {
    return absl::Status(weights.status().code(),
                        absl::StrCat(path, ": ", weights.status().message()));
  }
  subject->weights = *std::move(weights);
  const auto version = file->metadata.find("version");
  // For people's eyes: a file of another program's has none.
  if (version == file->metadata.end() || !absl::SimpleAtoi(version->second, &subject->version)) {
    subject->version = 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<Subject> OpenSubject(const FileEvaluation& evaluation) {
  Subject subject;
  CONADV_ASSIGN_OR_RETURN(subject.job, ReadJob(evaluation));
  const Job& job = subject.job;
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<const Dataset> train,
                          OpenDataset(job.dataset, Split::kTrain, job.dataset.limit));
  CONADV_ASSIGN_OR_RETURN(subject.test, OpenTestSets(job, *train));
  const ImageSize size = train->image_size();
  CONADV_ASSIGN_OR_RETURN(
      subject.model,
      OpenModel(job.model, job.dataset, {size.channels, size.height, size.width, train->classes()},
                job.seed));
  const std::unique_ptr<Network> network = subject.model.factory();
  CONADV_ASSIGN_OR_RETURN(Layout layout,
                          Layout::Create(TensorsOf(*network, /*twins=*/{}), /*shards=*/1));
  subject.layout = std::make_shared<const Layout>(std::move(layout));
  if (evaluation.weights.empty()) {
    auto weights = std::make_shared<Arena>(subject.layout->total_size());
    CopyInitialWeights(*network, *subject.layout, weights->span());
    subject.weights = std::move(weights);
  } else {
    CONADV_RETURN_IF_ERROR(ReadWeights(evaluation.weights, &subject));
  }
  return subject;
}

Json ToJson(const std::vector<NamedAccuracy>& accuracies) {
  Json list = Json::array();
  for (const NamedAccuracy& accuracy : accuracies) {
    list.push_back({{"name", accuracy.name}, {"accuracy", accuracy.accuracy}});
  }
  return list;
}

Json ToJson(const EvaluationProgress& progress) {
  return {{"stage", progress.stage},
          {"examples", progress.examples},
          {"done", progress.done},
          {"right", progress.right},
          {"standing", progress.standing}};
}

absl::StatusOr<Json> EvaluateSubject(const Subject& subject, const FileEvaluation& how,
                                     const std::function<void(const std::string&)>& write) {
  const Job& job = subject.job;
  const absl::Time begin = Clock::Real().Now();
  EvaluationRun run;
  run.robust = true;
  run.threads = how.threads;
  run.seed = job.seed;
  // The BatchNorm that a mixture attacks is not bound.
  if (job.training.attacks() && !job.training.mixture_batch_norm) {
    run.training_attack = job.attack;
  }
  run.go_on = [&how] { return !how.stopped(); };
  run.on_progress = [&write](const EvaluationProgress& progress) {
    write(ToJson(progress).dump());
  };
  CONADV_ASSIGN_OR_RETURN(const Evaluation found,
                          Evaluate(subject.model.factory, subject.layout, subject.weights,
                                   *subject.test.clean, *how.device, job.evaluation, run));
  CONADV_ASSIGN_OR_RETURN(
      const std::vector<NamedAccuracy> corruptions,
      EvaluateCorruptions(subject.model.factory, subject.layout, subject.weights,
                          subject.test.corrupted, *how.device, job.evaluation, run));
  Json result = {{"version", subject.version},
                 {"examples", found.examples},
                 {"clean_accuracy", found.clean_accuracy},
                 {"clean_loss", found.clean_loss}};
  result["robust_accuracy"] = found.robust ? Json(found.robust_accuracy) : Json(nullptr);
  result["attacks"] = ToJson(found.attacks);
  result["corruptions"] = ToJson(corruptions);
  result["warnings"] = found.warnings;
  result["seconds"] = absl::ToDoubleSeconds(Clock::Real().Now() - begin);
  return result;
}

}  // namespace

absl::Status EvaluateFile(const FileEvaluation& evaluation,
                          const std::function<void(const std::string& line)>& write) {
  try {
    CONADV_ASSIGN_OR_RETURN(const Subject subject, OpenSubject(evaluation));
    CONADV_ASSIGN_OR_RETURN(const Json result, EvaluateSubject(subject, evaluation, write));
    write(Json({{"result", result}}).dump());
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("evaluating: ", error.what()));
  }
  return absl::OkStatus();
}

}  // namespace conadv
