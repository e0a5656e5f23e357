// SPDX-License-Identifier: Apache-2.0
// The worker's pipeline with one compute lane and with two: the same units of a convnet, weights
// and pushes that cost nothing. Two lanes on two free cores do at least 1.7 times as much; a BLAS
// that serialises its callers does less.
#include <glog/logging.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "worker/compute/torch_compute.h"
#include "worker/data/memory_dataset.h"
#include "worker/device/cpu_device.h"
#include "worker/model/source/open_model.h"
#include "worker/schedule/pipeline.h"

namespace conadv {
namespace {

Job MakeJob(uint32_t slot_size) {
  Job job;
  job.seed = 1;
  job.model.builtin = "convnet";
  job.model.width = 16;
  job.dataset.mean = {0.5F};
  job.dataset.deviation = {0.5F};
  job.training.tau = 1;
  job.training.slots = 8;
  job.training.global_batch = job.training.slots * slot_size;
  job.training.mixture_batch_norm = true;
  job.attack.step_size = job.attack.epsilon = 8.0F / 255;
  job.attack.steps = 1;
  return job;
}

std::shared_ptr<const Dataset> MakeDataset() {
  ExampleArrays arrays;
  arrays.image_size = {1, 28, 28};
  arrays.classes = 10;
  Random random(1, Purpose::kAugmentation);
  for (int i = 0; i < 4096; ++i) arrays.labels.push_back(static_cast<uint8_t>(random.Below(10)));
  arrays.pixels.resize(arrays.examples() * arrays.image_size.bytes());
  for (uint8_t& pixel : arrays.pixels) pixel = static_cast<uint8_t>(random.Next32());
  return std::make_shared<MemoryDataset>(std::move(arrays));
}

// Every version is the same.
class ConstantSource final : public WeightSource {
 public:
  explicit ConstantSource(std::shared_ptr<const Arena> weights) : weights_(std::move(weights)) {}
  void Pull(const PullSelector& selector, Done done) override {
    done(VersionedWeights{Version(selector.value), weights_});
  }

 private:
  const std::shared_ptr<const Arena> weights_;
};

class FreeSink final : public ContributionSink {
 public:
  void Push(const Contribution&, std::shared_ptr<const Arena> gradients, Done done) override {
    gradients = nullptr;
    done(absl::OkStatus());
  }
};

struct Subject {
  std::shared_ptr<Device> device;
  Job job;
  std::shared_ptr<const Dataset> dataset;
  NetworkFactory factory;
  std::shared_ptr<const Layout> layout;
  std::shared_ptr<const Arena> weights;
};

Subject MakeSubject(uint32_t slot_size) {
  Subject subject;
  subject.device = MakeCpuDevice();
  subject.job = MakeJob(slot_size);
  subject.dataset = MakeDataset();
  auto model = OpenModel(subject.job.model, subject.job.dataset, {1, 28, 28, 10}, 1);
  CHECK(model.ok()) << model.status();
  subject.factory = model->factory;
  const auto network = subject.factory();
  auto layout = Layout::Create(TensorsOf(*network, {Branch::kAuxiliary}), 1);
  CHECK(layout.ok()) << layout.status();
  subject.layout = std::make_shared<const Layout>(*std::move(layout));
  auto weights = std::make_shared<Arena>(subject.layout->total_size());
  CopyInitialWeights(*network, *subject.layout, weights->span());
  subject.weights = std::move(weights);
  return subject;
}

// Units a second.
double Measure(const Subject& subject, int lanes, int units) {
  WorkerStatistics statistics;
  ConstantSource source(subject.weights);
  FreeSink sink;
  WeightCache cache(&source, 3, &statistics);
  ArenaPool gradients(subject.layout->total_size(), 8);
  TorchCompute compute(subject.job, subject.dataset, subject.layout, subject.factory,
                       subject.device, lanes);
  Executor executor(
      lanes, static_cast<size_t>(3 * units), [&] { subject.device->PrepareThread(); }, &statistics,
      Clock::Real());
  Executor loaders(
      lanes, static_cast<size_t>(3 * units), [&] { subject.device->PrepareThread(); }, nullptr,
      Clock::Real(), "loader");
  PlanOptions options;
  options.tau = subject.job.training.tau;
  options.streams = StreamsOf(subject.job.training);
  options.lanes = static_cast<size_t>(lanes);
  options.push_window = static_cast<size_t>(2 * lanes + 2);
  options.load_window = static_cast<size_t>(3 * lanes);
  Mutex mutex;
  CondVar changed;
  int done = 0;
  PipelineEvents events;
  events.done = [&](Unit, Lineage) {
    MutexLock lock(&mutex);
    ++done;
    changed.NotifyOne();
  };
  events.failed = [](Unit, Lineage, const absl::Status& status) { LOG(FATAL) << status; };
  events.broken = [](const absl::Status& status) { LOG(FATAL) << status; };
  Pipeline pipeline(options, subject.job.training.slot_size(),
                    {&cache, &sink, &compute, &executor, &loaders, &gradients, &statistics},
                    events);
  std::vector<Unit> grant;
  for (int i = 0; i < units; ++i) {
    grant.push_back({Step(i / subject.job.training.slots), Slot(i % subject.job.training.slots)});
  }
  const absl::Time begin = Clock::Real().Now();
  pipeline.Grant(grant, Lineage());
  {
    MutexLock lock(&mutex);
    while (done < units) changed.Wait(&mutex);
  }
  const double seconds = absl::ToDoubleSeconds(Clock::Real().Now() - begin);
  loaders.Stop();
  executor.Stop();
  return units / seconds;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  const int units = argc > 1 ? std::max(1, std::atoi(argv[1])) : 48;
  const conadv::Subject subject = conadv::MakeSubject(/*slot_size=*/96);
  conadv::Measure(subject, 2, 4);  // the first passes are slow
  double one = 0, two = 0;
  // The best of a few, in turns: other processes only ever take time away.
  for (int round = 0; round < 3; ++round) {
    one = std::max(one, conadv::Measure(subject, 1, units));
    two = std::max(two, conadv::Measure(subject, 2, units));
  }
  std::printf("1 lane: %.1f units/s\n2 lanes: %.1f units/s\nratio: %.2f\n", one, two, two / one);
  return 0;
}
