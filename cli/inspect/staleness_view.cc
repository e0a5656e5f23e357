// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/staleness_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/format/tables.h"
#include "cli/inspect/render.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

constexpr size_t kMostLooks = 500;
constexpr size_t kMostBucketsShown = 8;
// Of each table, below its header, before the histograms give way.
constexpr size_t kFewestRows = 3;
constexpr absl::string_view kLevels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string Cut(const std::string& text, size_t columns) {
  if (DisplayWidth(text) <= columns) return text;
  size_t end = 0, width = 0;
  while (end < text.size() && width < columns) {
    ++width;
    do {
      ++end;
    } while (end < text.size() && (text[end] & 0xC0) == 0x80);
  }
  return text.substr(0, end);
}

std::string Padded(const std::string& text, size_t columns) {
  const std::string cut = Cut(text, columns);
  return absl::StrCat(cut, std::string(columns - DisplayWidth(cut), ' '));
}

double MeanOf(const v1::Histogram& histogram) {
  return histogram.count() == 0
             ? -1
             : static_cast<double>(histogram.sum()) / static_cast<double>(histogram.count());
}

// Of what `now` has and `before` had not; < 0: nothing.
double RecentMean(const v1::Histogram& now, const v1::Histogram& before) {
  if (now.count() < before.count() || now.sum() < before.sum()) return MeanOf(now);
  if (now.count() == before.count()) return -1;
  return static_cast<double>(now.sum() - before.sum()) /
         static_cast<double>(now.count() - before.count());
}

std::string MeanText(double mean) { return mean < 0 ? "-" : absl::StrFormat("%.2f", mean); }

std::string Sparkline(const std::deque<double>& means, size_t columns) {
  double top = 1;
  for (const double mean : means) top = std::max(top, mean);
  std::string text;
  for (size_t i = means.size() - std::min(means.size(), columns); i < means.size(); ++i) {
    constexpr size_t kTop = std::size(kLevels) - 1;
    absl::StrAppend(&text, means[i] < 0 ? " " : kLevels[std::lround(means[i] / top * kTop)]);
  }
  return text;
}

// Title, the means of the looks, a bar for each bucket.
std::vector<std::string> HistogramLines(absl::string_view title, const v1::Histogram& histogram,
                                        const std::deque<double>& means, size_t columns,
                                        size_t buckets) {
  std::vector<std::string> lines = {absl::StrFormat(
      "%s now %s mean %s p99 %d max %d", title, MeanText(means.empty() ? -1 : means.back()),
      MeanText(MeanOf(histogram)), histogram.p99(), histogram.max())};
  lines.push_back(Sparkline(means, columns));
  uint64_t most = 1;
  for (const v1::Histogram::Bucket& bucket : histogram.buckets()) {
    most = std::max(most, bucket.count());
  }
  for (const v1::Histogram::Bucket& bucket : histogram.buckets()) {
    if (lines.size() == buckets + 2) {
      if (buckets < 2) break;  // no room to say so
      lines.back() =
          absl::StrCat("and ", histogram.buckets_size() - static_cast<int>(buckets) + 1, " more");
      break;
    }
    const std::string range = BucketText(bucket);
    const std::string count = absl::StrCat(bucket.count());
    const size_t taken = std::max<size_t>(range.size(), 5) + count.size() + 2;
    const size_t room = columns > taken ? columns - taken : 0;
    const double share = static_cast<double>(bucket.count()) / static_cast<double>(most);
    lines.push_back(absl::StrFormat("%5s %s %s", range, Bar(share, room), count));
  }
  return lines;
}

size_t BucketsOf(const v1::StalenessResponse& answer) {
  return static_cast<size_t>(
      std::max(answer.attack_staleness().buckets_size(), answer.update_staleness().buckets_size()));
}

const v1::WorkerStaleness* Find(const v1::StalenessResponse& answer, uint64_t id) {
  for (const v1::WorkerStaleness& worker : answer.workers()) {
    if (worker.worker_id() == id) return &worker;
  }
  return nullptr;
}

// Busy, and waiting for weights, attack, data, leases, pushes.
std::array<double, 6> SecondsOf(const v1::WorkerStats& stats) {
  return {stats.busy_seconds(),      stats.wait_weights_seconds(), stats.wait_attack_seconds(),
          stats.wait_data_seconds(), stats.wait_lease_seconds(),   stats.wait_push_seconds()};
}

// Where the time of its threads went since `before`, as whole per cents.
std::vector<std::string> Shares(const v1::WorkerStats& now, const v1::WorkerStats& before) {
  std::array<double, 6> parts = SecondsOf(now);
  const std::array<double, 6> then = SecondsOf(before);
  double all = 0;
  for (size_t i = 0; i < parts.size(); ++i) all += parts[i] = std::max(0.0, parts[i] - then[i]);
  std::vector<std::string> cells;
  for (const double part : parts) {
    cells.push_back(all > 0 ? absl::StrFormat("%.0f %%", 100 * part / all) : "-");
  }
  return cells;
}

std::vector<std::string> TableLines(const std::vector<std::string>& headers,
                                    std::vector<std::vector<std::string>> rows, size_t most) {
  if (most == 0) return {};
  const size_t all = rows.size();
  const size_t shown = all + 1 <= most ? all : most - std::min<size_t>(most, 2);
  rows.resize(shown);
  std::vector<std::string> lines =
      absl::StrSplit(FormatTable(headers, rows), '\n', absl::SkipEmpty());
  if (shown < all && lines.size() < most) {
    lines.push_back(absl::StrCat("and ", all - shown, " more"));
  }
  return lines;
}

std::vector<std::vector<std::string>> VersionRows(const v1::StalenessResponse& answer,
                                                  absl::Time wall) {
  std::vector<std::vector<std::string>> rows;
  for (int i = answer.versions_size() - 1; i >= 0; --i) {
    const v1::VersionContributors& version = answer.versions(i);
    const absl::Duration age = wall - absl::FromUnixMicros(version.published_unix_micros());
    rows.push_back({absl::StrCat(version.version()),
                    absl::StrFormat("%.1f s", absl::ToDoubleSeconds(age)),
                    ContributorsText(version)});
  }
  return rows;
}

}  // namespace

std::vector<std::vector<std::string>> StalenessView::WorkerRows() const {
  std::vector<std::vector<std::string>> rows;
  for (const v1::WorkerStaleness& worker : answer_.workers()) {
    if (!worker.present()) continue;
    const v1::WorkerStaleness* const was = Find(before_, worker.worker_id());
    const v1::WorkerStaleness& then =
        was != nullptr ? *was : v1::WorkerStaleness::default_instance();
    const double seconds = absl::ToDoubleSeconds(since_);
    // Each unit has one.
    const uint64_t units = worker.update_staleness().count();
    const auto took = static_cast<double>(units - std::min(units, then.update_staleness().count()));
    rows.push_back({Printable(worker.name()),
                    MeanText(RecentMean(worker.attack_staleness(), then.attack_staleness())),
                    MeanText(RecentMean(worker.update_staleness(), then.update_staleness())),
                    seconds > 0 ? absl::StrFormat("%.1f", took / seconds) : "-"});
    const Reports& reports = reports_.at(worker.worker_id());
    for (std::string& cell : Shares(reports.last, reports.before)) {
      rows.back().push_back(std::move(cell));
    }
  }
  return rows;
}

void StalenessView::Trend::Add(const v1::Histogram& now, const v1::Histogram& before) {
  means.push_back(RecentMean(now, before));
  if (means.size() > kMostLooks) means.pop_front();
}

void StalenessView::Add(const v1::StalenessResponse& answer, absl::Time at) {
  before_ = std::move(answer_);
  answer_ = answer;
  since_ = at_ == absl::InfinitePast() ? absl::ZeroDuration() : at - at_;
  at_ = at;
  attack_.Add(answer_.attack_staleness(), before_.attack_staleness());
  update_.Add(answer_.update_staleness(), before_.update_staleness());
  std::map<uint64_t, Reports> reports;
  for (const v1::WorkerStaleness& worker : answer_.workers()) {
    Reports& of_worker = reports[worker.worker_id()];
    const auto known = reports_.find(worker.worker_id());
    if (known != reports_.end()) of_worker = std::move(known->second);
    if (SecondsOf(worker.stats()) == SecondsOf(of_worker.last)) continue;
    of_worker.before = std::move(of_worker.last);
    of_worker.last = worker.stats();
  }
  reports_ = std::move(reports);
}

std::vector<std::string> StalenessView::Lines(size_t columns, size_t rows, absl::Time wall,
                                              absl::string_view note) const {
  const double seconds = absl::ToDoubleSeconds(since_);
  std::vector<std::string> lines = {absl::StrCat("version ", answer_.version())};
  if (seconds > 0 && answer_.version() >= before_.version()) {
    const auto made = static_cast<double>(answer_.version() - before_.version());
    absl::StrAppendFormat(&lines[0], ", %.1f a second", made / seconds);
  }
  if (answer_.has_attack_cosine()) {
    const v1::AttackCosine& cosine = answer_.attack_cosine();
    absl::StrAppendFormat(&lines[0], "; attack cosine %.3f (mean %.3f)", cosine.newest(),
                          cosine.mean());
  }
  absl::StrAppend(&lines[0], "; q ends");
  lines.emplace_back();

  // The last line is the note's.
  const size_t last = note.empty() ? rows : rows - std::min<size_t>(rows, 1);
  const auto room = [&] { return last > lines.size() ? last - lines.size() : 0; };
  const size_t tables = 2 * (kFewestRows + 2);  // with a header and a line before it each
  const size_t buckets = std::min(
      {BucketsOf(answer_), kMostBucketsShown, room() > tables + 3 ? room() - tables - 2 : 1});
  const size_t half = columns > 4 ? (columns - 4) / 2 : columns;
  const auto attack =
      HistogramLines("ATTACK", answer_.attack_staleness(), attack_.means, half, buckets);
  const auto update =
      HistogramLines("UPDATE", answer_.update_staleness(), update_.means, half, buckets);
  for (size_t i = 0; i < std::max(attack.size(), update.size()); ++i) {
    lines.push_back(absl::StrCat(Padded(i < attack.size() ? attack[i] : "", half), "    ",
                                 i < update.size() ? update[i] : ""));
  }

  const auto workers = WorkerRows();
  const auto versions = VersionRows(answer_, wall);
  const auto append = [&](const std::vector<std::string>& table) {
    if (table.empty()) return;
    lines.emplace_back();
    lines.insert(lines.end(), table.begin(), table.end());
  };
  const size_t for_versions = std::min(versions.size() + 2, kFewestRows + 2);
  append(TableLines({"WORKER", "ATTACK", "UPDATE", "UNIT/S", "BUSY", "WAIT:WEIGHTS", "ATTACK",
                     "DATA", "LEASE", "PUSH"},
                    workers, room() > for_versions + 1 ? room() - for_versions - 1 : 0));
  append(TableLines({"VERSION", "AGE", "MADE BY (SLOTS)"}, versions, room() > 1 ? room() - 1 : 0));

  lines.resize(std::min(lines.size(), last));
  if (!note.empty() && rows > 0) {
    lines.resize(last);
    lines.push_back(Printable(note));
  }
  for (std::string& line : lines) line = Cut(line, columns);
  return lines;
}

}  // namespace conadv
