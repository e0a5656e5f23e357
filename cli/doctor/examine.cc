// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/examine.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client/server_wait.h"
#include "cli/format/tables.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

// Shards publish a version within milliseconds of each other; more is their clocks.
constexpr absl::Duration kMostSkew = absl::Seconds(2);
// Shards are at most so many versions apart; more time passes between two answers.
constexpr uint64_t kMostApart = 1000;
constexpr absl::Duration kSoon = absl::Hours(24 * 14);
// Of the limit: more is nearly full.
constexpr double kMuchMemory = 0.95;
// On its disk; less is soon full.
constexpr uint64_t kRoomForCheckpoints = 2;

std::string NameOf(size_t shard, const ShardAnswer& answer) {
  return absl::StrCat("shard ", shard, " at ", answer.address);
}

Finding ExamineShard(size_t number, size_t count, const ShardAnswer& shard) {
  Finding finding;
  finding.about = NameOf(number, shard);
  if (!shard.reached.ok()) {
    finding.wrong = true;
    const std::string reason = ReasonOf(shard.reached, "");
    if (absl::IsUnauthenticated(shard.reached) || absl::IsPermissionDenied(shard.reached)) {
      finding.what = absl::StrCat("refuses us: ", reason);
      finding.advice = "give this command what it asks for: a token or a certificate of that role";
      return finding;
    }
    finding.what = absl::StrCat("does not answer: ", reason);
    finding.advice =
        "look whether it runs and what its log says, and whether this address and --tls_ca are "
        "right";
    return finding;
  }
  const v1::StatusResponse& status = shard.status;
  if (count > 1 && status.shard() != number) {
    return {true, finding.about, absl::StrCat("says that it is shard ", status.shard()),
            "correct the order of --servers, which every process has to be given alike"};
  }
  if (!status.checkpoint_error().empty()) {
    return {true, finding.about,
            absl::StrCat("writes no checkpoints: ", Printable(status.checkpoint_error())),
            "make room on its disk, or mend it; training goes on, and would lose what came since"};
  }
  const auto used = static_cast<double>(status.memory_bytes());
  if (status.memory_limit_bytes() > 0 &&
      used > kMuchMemory * static_cast<double>(status.memory_limit_bytes())) {
    return {true, finding.about, "is near its limit of memory",
            "give it more, or use a smaller server.retain"};
  }
  finding.what =
      absl::StrCat("answers; version ", status.version(), ", ", status.memory_bytes() >> 20,
                   " of at most ", status.memory_limit_bytes() >> 20, " MiB");
  if (status.checkpoint_bytes() == 0) return finding;
  const std::string disk = absl::StrCat(
      "its checkpoints take ", FormatBytes(status.checkpoint_bytes()), " each, and their disk had ",
      FormatBytes(status.checkpoint_free_bytes()), " left after the last");
  // The older ones go once the newer one is whole.
  if (status.checkpoint_free_bytes() < kRoomForCheckpoints * status.checkpoint_bytes()) {
    return {true, finding.about, disk,
            "make room there, or keep fewer: server.checkpoint_keep; training goes on without "
            "checkpoints, and would lose what came since the last"};
  }
  absl::StrAppend(&finding.what, "; ", disk);
  return finding;
}

// Whether all who answer say the same.
template <class Value>
Finding Agree(const std::vector<ShardAnswer>& shards, const std::string& about,
              const std::string& advice, const Value& value) {
  std::vector<std::string> said;
  std::set<uint64_t> values;
  for (size_t i = 0; i < shards.size(); ++i) {
    if (!shards[i].reached.ok()) continue;
    values.insert(value(shards[i]));
    said.push_back(absl::StrCat("shard ", i, ": ", absl::Hex(value(shards[i]))));
  }
  if (values.size() <= 1) return {false, about, "the same on every shard that answers", ""};
  return {true, about, absl::StrCat("differ: ", absl::StrJoin(said, ", ")), advice};
}

Finding ExamineVersions(const std::vector<ShardAnswer>& shards) {
  uint64_t least = UINT64_MAX;
  uint64_t most = 0;
  for (const ShardAnswer& shard : shards) {
    if (!shard.reached.ok()) continue;
    least = std::min<uint64_t>(least, shard.status.version());
    most = std::max<uint64_t>(most, shard.status.version());
  }
  if (most < least) return {false, "versions", "nobody answers", ""};
  if (most - least <= kMostApart) {
    return {false, "versions", absl::StrCat("from ", least, " to ", most), ""};
  }
  return {true, "versions", absl::StrCat("from ", least, " to ", most, ": too far apart"),
          "look at the shard that is behind: it may be stuck"};
}

Finding ExamineClocks(const std::vector<ShardAnswer>& shards, absl::Time now) {
  absl::Duration worst;
  std::string who;
  const auto see = [&](absl::Duration skew, const std::string& which) {
    if (skew <= worst) return;
    worst = skew;
    who = which;
  };
  for (size_t i = 0; i < shards.size(); ++i) {
    for (const auto& [version, when] : shards[i].published) {
      // Nothing can have been published after now.
      see(when - now, absl::StrCat("shard ", i, " is ahead of this machine"));
      const auto other = shards[0].published.find(version);
      if (other == shards[0].published.end()) continue;
      see(absl::AbsDuration(when - other->second),
          absl::StrCat("shard ", i, " and shard 0 differ"));
    }
  }
  if (worst <= kMostSkew) return {false, "clocks", "agree within two seconds", ""};
  return {true, "clocks", absl::StrCat(who, " by ", absl::FormatDuration(worst)),
          "let every machine take its time from one place (NTP); only what people read, and "
          "certificates, depend on it"};
}

Finding ExamineRun(const ShardAnswer& coordinator) {
  const v1::StatusResponse& status = coordinator.status;
  if (!status.warning().empty()) {
    return {true, "run", Printable(status.warning()),
            "shard 0's log says since when; what conadv does about it by itself stands under "
            "'When things go wrong' in the README"};
  }
  if (status.phase() == v1::StatusResponse::TRAINING && status.workers() == 0) {
    return {true, "run", "no worker is there", "start workers, or look at why theirs ended"};
  }
  if (status.phase() < v1::StatusResponse::TRAINING ||
      status.phase() == v1::StatusResponse::RESTORING) {
    return {true, "run", Printable(status.message()), "start what it waits for"};
  }
  return {false, "run",
          absl::StrCat(v1::StatusResponse::Phase_Name(status.phase()), ", ", status.workers(),
                       " workers, checkpoint of version ", status.checkpoint_version()),
          ""};
}

}  // namespace

std::vector<Finding> Examine(const std::vector<ShardAnswer>& shards, absl::Time now) {
  std::vector<Finding> findings;
  for (size_t i = 0; i < shards.size(); ++i) {
    findings.push_back(ExamineShard(i, shards.size(), shards[i]));
    if (!shards[i].certificate_ends.has_value()) continue;
    findings.push_back(ExamineCertificate(absl::StrCat("certificate of ", NameOf(i, shards[i])),
                                          *shards[i].certificate_ends, now));
  }
  if (shards.empty() || !shards[0].reached.ok()) return findings;
  if (shards.size() < shards[0].status.shards()) {
    findings.push_back({true, "shards",
                        absl::StrCat("only this one of ", shards[0].status.shards(),
                                     " was asked: ", Printable(shards[0].status.message())),
                        "ask shard 0; and if you did, start the shards that it waits for"});
  }
  findings.push_back(ExamineVersions(shards));
  findings.push_back(Agree(shards, "lineages",
                           "wait a moment, as shards go back to a checkpoint together; if it "
                           "stays so, start the shard anew that differs from shard 0",
                           [](const ShardAnswer& shard) { return shard.status.lineage(); }));
  findings.push_back(Agree(shards, "layouts",
                           "the shards are of different runs or were given different numbers of "
                           "shards: start the one that differs anew, with this run's job",
                           [](const ShardAnswer& shard) { return shard.layout_hash; }));
  findings.push_back(ExamineClocks(shards, now));
  if (shards[0].status.shard() == 0) findings.push_back(ExamineRun(shards[0]));
  return findings;
}

Finding ExamineCertificate(const std::string& about, absl::Time ends, absl::Time now) {
  const int64_t hours = absl::ToInt64Hours(ends - now);
  const std::string left =
      hours < 48 ? absl::StrCat(hours, " hours") : absl::StrCat(hours / 24, " days");
  if (ends <= now)
    return {true, about, "has expired", "make a new one; it is read again by itself"};
  const bool soon = ends - now < kSoon;
  return {soon, about, absl::StrCat("ends in ", left),
          soon ? "make a new one in time; it is read again by itself" : ""};
}

}  // namespace conadv
