// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/format/tables.h"
#include "cli/inspect/render.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

constexpr size_t kBarWidth = 40;
constexpr int kMostBuckets = 16;
constexpr int kMostVersions = 10;

double Mean(const v1::Histogram& histogram) {
  if (histogram.count() == 0) return 0;
  return static_cast<double>(histogram.sum()) / static_cast<double>(histogram.count());
}

// "title: mean 1.0, p50 1, p99 1, max 1 (count 640)" and a bar for each bucket.
std::string HistogramText(const std::string& title, const v1::Histogram& histogram) {
  if (histogram.count() == 0) return absl::StrCat(title, ": nothing yet\n");
  std::string text = absl::StrFormat("%s: mean %.2f, p50 %d, p99 %d, max %d (%d contributions)\n",
                                     title, Mean(histogram), histogram.p50(), histogram.p99(),
                                     histogram.max(), histogram.count());
  uint64_t most = 1;
  size_t width = 0;
  for (const v1::Histogram::Bucket& bucket : histogram.buckets()) {
    most = std::max(most, bucket.count());
    width = std::max(width, BucketText(bucket).size());
  }
  int shown = 0;
  for (const v1::Histogram::Bucket& bucket : histogram.buckets()) {
    if (++shown > kMostBuckets) {
      absl::StrAppend(&text, "  and ", histogram.buckets_size() - kMostBuckets,
                      " more; --json has them all\n");
      break;
    }
    const double share = static_cast<double>(bucket.count()) / static_cast<double>(most);
    absl::StrAppendFormat(&text, "  %*s  %s %d\n", static_cast<int>(width), BucketText(bucket),
                          Bar(share, kBarWidth), bucket.count());
  }
  return text;
}

// Where it arose, in versions a contribution.
std::string OriginsText(
    const std::vector<std::pair<absl::string_view, uint64_t>>& versions_by_origin,
    uint64_t contributions) {
  if (contributions == 0) return "";
  std::vector<std::string> parts;
  for (const auto& [origin, versions] : versions_by_origin) {
    parts.push_back(absl::StrFormat(
        "%s %.2f", origin, static_cast<double>(versions) / static_cast<double>(contributions)));
  }
  return absl::StrCat("  arose in: ", absl::StrJoin(parts, ", "), "\n");
}

std::string AttackOriginsText(const v1::StalenessResponse& staleness) {
  const v1::StalenessOrigins& origins = staleness.origins();
  std::vector<std::pair<absl::string_view, uint64_t>> parts = {
      {"lease", origins.attack_lease()},
      {"queue", origins.attack_queue()},
      {"compute", origins.attack_compute()}};
  if (origins.attack_unsaid() > 0) parts.emplace_back("unsaid", origins.attack_unsaid());
  return OriginsText(parts, staleness.attack_staleness().count());
}

std::string UpdateOriginsText(const v1::StalenessResponse& staleness) {
  const v1::StalenessOrigins& origins = staleness.origins();
  return OriginsText({{"compute", origins.update_compute()}, {"apply", origins.update_apply()}},
                     staleness.update_staleness().count());
}

std::string CosineText(const v1::StalenessResponse& staleness) {
  if (!staleness.has_attack_cosine()) return "";
  const v1::AttackCosine& cosine = staleness.attack_cosine();
  return absl::StrFormat(
      "  attack cosine: mean %.3f, least %.3f, newest %.3f (%d units measured)\n", cosine.mean(),
      cosine.least(), cosine.newest(), cosine.units());
}

std::string ContributionsTable(const v1::StalenessResponse& staleness) {
  std::vector<std::vector<std::string>> rows;
  const auto append = [&](const std::string& name, const v1::Histogram& attack,
                          const v1::Histogram& update, uint64_t accepted, uint64_t duplicates,
                          uint64_t rejected) {
    std::vector<std::string> row = {name};
    for (const v1::Histogram* histogram : {&attack, &update}) {
      const bool any = histogram->count() > 0;
      row.push_back(any ? absl::StrFormat("%.2f", Mean(*histogram)) : "-");
      row.push_back(any ? absl::StrCat(histogram->p50()) : "-");
      row.push_back(any ? absl::StrCat(histogram->p99()) : "-");
    }
    for (const uint64_t count : {accepted, duplicates, rejected}) {
      row.push_back(absl::StrCat(count));
    }
    rows.push_back(std::move(row));
  };
  for (const v1::WorkerStaleness& worker : staleness.workers()) {
    append(absl::StrCat(Printable(worker.name()), worker.present() ? "" : " (gone)"),
           worker.attack_staleness(), worker.update_staleness(), worker.accepted(),
           worker.duplicates(), worker.rejected());
  }
  append("all", staleness.attack_staleness(), staleness.update_staleness(), staleness.accepted(),
         staleness.duplicates(), staleness.rejected());
  return FormatTable({"CONTRIBUTIONS", "ATTACK MEAN", "P50", "P99", "UPDATE MEAN", "P50", "P99",
                      "ACCEPTED", "DUPLICATE", "REJECTED"},
                     rows);
}

std::string WaitsTable(const v1::StalenessResponse& staleness) {
  const auto seconds = [](double value) { return absl::StrFormat("%.1f s", value); };
  std::vector<std::vector<std::string>> rows;
  for (const v1::WorkerStaleness& worker : staleness.workers()) {
    const v1::WorkerStats& stats = worker.stats();
    rows.push_back({Printable(worker.name()), seconds(stats.busy_seconds()),
                    seconds(stats.wait_weights_seconds()), seconds(stats.wait_attack_seconds()),
                    seconds(stats.wait_data_seconds()), seconds(stats.wait_lease_seconds()),
                    seconds(stats.wait_push_seconds()), FormatMicros(stats.pull_micros().p50()),
                    FormatMicros(stats.pull_micros().p99()),
                    FormatMicros(stats.push_micros().p50()),
                    FormatMicros(stats.push_micros().p99())});
  }
  return FormatTable({"TIME", "BUSY", "WAIT: WEIGHTS", "ATTACK", "DATA", "LEASE", "PUSH",
                      "PULL P50", "P99", "PUSH P50", "P99"},
                     rows);
}

std::string BytesTable(const v1::StalenessResponse& staleness) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::WorkerStaleness& worker : staleness.workers()) {
    const v1::WorkerStats& stats = worker.stats();
    rows.push_back({Printable(worker.name()), FormatBytes(stats.pulled_bytes()),
                    FormatBytes(stats.shared_pulled_bytes()), FormatBytes(stats.cached_bytes()),
                    FormatBytes(stats.pushed_bytes()), FormatBytes(stats.shared_pushed_bytes()),
                    absl::StrCat(stats.attack_cache_hits()), absl::StrCat(stats.attack_pulls()),
                    absl::StrCat(stats.units_done()), absl::StrCat(stats.attack_examples())});
  }
  return FormatTable({"BYTES", "PULLED", "SHARED", "FROM CACHE", "PUSHED", "SHARED",
                      "ATTACK CACHE HITS", "ATTACK PULLS", "UNITS", "ATTACKED EXAMPLES"},
                     rows);
}

std::string VersionsTable(const v1::StalenessResponse& staleness, absl::Time now) {
  std::vector<std::vector<std::string>> rows;
  const int first = std::max(0, staleness.versions_size() - kMostVersions);
  for (int i = staleness.versions_size() - 1; i >= first; --i) {
    const v1::VersionContributors& version = staleness.versions(i);
    const absl::Time published = absl::FromUnixMicros(version.published_unix_micros());
    rows.push_back({absl::StrCat(version.version()), absl::StrCat(version.step()),
                    absl::StrFormat("%.1f s", absl::ToDoubleSeconds(now - published)),
                    ContributorsText(version)});
  }
  return FormatTable({"VERSION", "STEP", "AGE", "MADE BY (SLOTS)"}, rows);
}

}  // namespace

std::string BucketText(const v1::Histogram::Bucket& bucket) {
  if (bucket.low() == bucket.high()) return absl::StrCat(bucket.low());
  return absl::StrCat(bucket.low(), "-", bucket.high());
}

std::string ContributorsText(const v1::VersionContributors& version) {
  std::vector<std::string> contributors;
  for (const v1::VersionContributors::Contributor& contributor : version.contributors()) {
    contributors.push_back(
        absl::StrCat(Printable(contributor.worker()), " x ", contributor.slots()));
  }
  return absl::StrJoin(contributors, ", ");
}

std::string RenderStaleness(const v1::StalenessResponse& staleness, absl::Time now) {
  return absl::StrCat(
      "version ", staleness.version(), "; staleness is counted in versions\n\n",
      HistogramText("attack staleness", staleness.attack_staleness()), AttackOriginsText(staleness),
      CosineText(staleness), "\n", HistogramText("update staleness", staleness.update_staleness()),
      UpdateOriginsText(staleness), "\n", ContributionsTable(staleness), "\n",
      WaitsTable(staleness), "\n", BytesTable(staleness), staleness.versions().empty() ? "" : "\n",
      staleness.versions().empty() ? "" : VersionsTable(staleness, now));
}

}  // namespace conadv
