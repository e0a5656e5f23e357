// SPDX-License-Identifier: Apache-2.0
#include "cli/train/run_metrics.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/format/json_output.h"
#include "cli/results/run_paths.h"
#include "common/wire/channel.h"

namespace conadv {
namespace {

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

}  // namespace

RunMetrics::RunMetrics(const std::string& directory, const TrainingOptions& training,
                       const FileSystem* files, const Clock* clock,
                       std::function<void(const std::string&)> note)
    : clock_(clock),
      note_(std::move(note)),
      file_(MetricsPath(directory), files),
      events_(training),
      chart_(BoardDirectory(directory), HostName(), files) {}

void RunMetrics::Follow(const std::string& coordinator, std::function<void()> wake) {
  feed_ = std::make_unique<MetricsFeed>(MakeChannel(coordinator), std::move(wake));
}

void RunMetrics::Stop() {
  if (feed_ == nullptr) return;
  feed_.reset();
  Chart(events_.End(clock_->WallNow()));
  WriteChart();
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
      Chart(events_.Begin(*item.begins, arrived.final_version, file_.seconds_before(),
                          clock_->WallNow()));
      arrived.items.emplace_back(LineageBegins{*item.begins, file_.seconds_before()});
      continue;
    }
    v1::MetricsRecord record = std::move(item.record);
    if (record.has_step()) {
      record.mutable_step()->set_seconds(record.step().seconds() + file_.seconds_before());
    }
    file_.Append(JsonLine(ToJson(record)));
    Chart(events_.Take(record, clock_->WallNow()));
    arrived.items.emplace_back(std::move(record));
  }
  return arrived;
}

MetricsWritten RunMetrics::Write() {
  MetricsWritten written;
  written.status = file_.Flush();
  written.missing = file_.lost() + file_.waiting() + (feed_ == nullptr ? 0 : feed_->missed());
  WriteChart();
  return written;
}

void RunMetrics::Chart(const RunEvents::Events& events) {
  for (const tensorboard::Event& event : events) chart_.Append(event);
}

void RunMetrics::WriteChart() {
  const bool was_ok = chart_status_.ok();
  chart_status_ = chart_.Flush(clock_->WallNow());
  if (chart_status_.ok() == was_ok) return;
  note_(chart_status_.ok()
            ? absl::StrCat(
                  chart_.path(), " is written again",
                  chart_.lost() == 0 ? "" : absl::StrCat("; it lacks ", chart_.lost(), " events"))
            : absl::StrCat("warning: ", chart_status_.message(),
                           " (training goes on without charts; their events wait in memory)"));
}

}  // namespace conadv
