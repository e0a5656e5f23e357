// SPDX-License-Identifier: Apache-2.0
#include "cli/train/run_metrics.h"

#include <utility>
#include <vector>

#include "cli/format/json_output.h"
#include "cli/results/run_paths.h"
#include "common/os/host_name.h"
#include "common/wire/channel.h"

namespace conadv {
namespace {

// A file's name has to end in something.
std::string HostOfEvents() {
  std::string name = HostName();
  return name.empty() ? "localhost" : name;
}

}  // namespace

RunMetrics::RunMetrics(const std::string& directory, const TrainingOptions& training,
                       const FileSystem* files, const Clock* clock,
                       std::function<void(const std::string&)> note)
    : file_(MetricsPath(directory), files),
      board_(BoardDirectory(directory), HostOfEvents(), training, files, clock, std::move(note)) {}

void RunMetrics::Follow(const std::string& coordinator, std::function<void()> wake) {
  feed_ = std::make_unique<MetricsFeed>(MakeChannel(coordinator), std::move(wake));
}

void RunMetrics::Stop() {
  if (feed_ == nullptr) return;
  feed_.reset();
  board_.End();
}

MetricsArrived RunMetrics::Take() {
  MetricsArrived arrived;
  std::vector<MetricsFeed::Item> items = feed_->Take();
  arrived.final_version = feed_->final_version();
  arrived.may_have_more = feed_->following();
  for (MetricsFeed::Item& item : items) {
    if (item.begins.has_value()) {
      // What is wrong with it, the next Write says.
      file_.GoBackTo(*item.begins, arrived.final_version).IgnoreError();
      board_.Begin(*item.begins, arrived.final_version, file_.seconds_before());
      arrived.items.emplace_back(LineageBegins{*item.begins, file_.seconds_before()});
      continue;
    }
    v1::MetricsRecord record = std::move(item.record);
    if (record.has_step()) {
      record.mutable_step()->set_seconds(record.step().seconds() + file_.seconds_before());
    }
    file_.Append(JsonLine(ToJson(record)));
    board_.Take(record);
    arrived.items.emplace_back(std::move(record));
  }
  return arrived;
}

MetricsWritten RunMetrics::Write() {
  MetricsWritten written;
  written.status = file_.Flush();
  written.missing = file_.lost() + file_.waiting() + (feed_ == nullptr ? 0 : feed_->missed());
  board_.Write();
  return written;
}

}  // namespace conadv
