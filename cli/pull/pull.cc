// SPDX-License-Identifier: Apache-2.0
#include "cli/pull/pull.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/client/credentials.h"
#include "cli/client/server_wait.h"
#include "cli/client/weights.h"
#include "cli/command/security_flags.h"
#include "cli/format/json_output.h"
#include "cli/format/tables.h"
#include "cli/process/supervisor.h"
#include "cli/pull/output_file.h"
#include "cli/pull/pull_flags.h"
#include "cli/versions/version_files.h"
#include "cli/versions/version_watch.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/program/exit_code.h"
#include "common/wire/addresses.h"

namespace conadv {
namespace {

void Report(const Weights& weights, const std::string& path, bool json, std::ostream& out) {
  if (json) {
    out << JsonLine(DescribeWeights(weights, path)) << "\n" << std::flush;
    return;
  }
  out << (weights.averaged ? "the average of version " : "version ") << weights.version << ": "
      << weights.layout.placements().size() << " tensors, " << FormatBytes(weights.values->bytes())
      << ", crc32c " << CrcText(weights.crc32c()) << ", in " << path << "\n"
      << std::flush;
}

absl::Status PullOnce(const FlagValues& flags, const std::string& coordinator,
                      const WaitOptions& options, std::ostream& out) {
  for (const char* name : {"every", "keep"}) {
    if (flags.Given(name)) return UsageError(absl::StrCat("--", name, " goes with --watch"));
  }
  CONADV_ASSIGN_OR_RETURN(PullSelector selector, SelectorOf(flags));
  selector = selector.Averaged(flags.Switch("averaged"));
  CONADV_ASSIGN_OR_RETURN(const OutputFile output, OutputFile::At(flags.Text("out")));
  ServerWait wait(options);
  CONADV_ASSIGN_OR_RETURN(const Weights weights, PullWeights(coordinator, selector, &wait));
  CONADV_RETURN_IF_ERROR(
      output.Write(EncodeWeights(weights), FileSystem::Real(), wait.left(), std::cerr));
  // What is said about the weights must not stand among them.
  Report(weights, output.path(), flags.Switch("json"),
         output.is_standard_output() ? std::cerr : out);
  return absl::OkStatus();
}

absl::Status PullEvery(const FlagValues& flags, const std::string& coordinator,
                       const WaitOptions& wait, std::ostream& out) {
  for (const char* name : {"version", "lag"}) {
    if (flags.Given(name)) {
      return UsageError(absl::StrCat("--watch and --", name, " exclude each other"));
    }
  }
  if (!flags.Given("every")) {
    return UsageError("--watch needs --every=K: which versions to write, as --every=100");
  }
  CONADV_ASSIGN_OR_RETURN(
      VersionFiles files,
      VersionFiles::In(flags.Text("out"), flags.Count("keep"), &FileSystem::Real()));
  CONADV_ASSIGN_OR_RETURN(const std::unique_ptr<Supervisor> interrupts, Supervisor::Create());
  VersionWatchOptions options;
  options.coordinator = coordinator;
  options.every = flags.Count("every");
  options.averaged = flags.Switch("averaged");
  options.wait = wait;
  options.wait.pause = [&](absl::Duration time) {
    return interrupts->Next(Clock::Real().Now() + time).kind != ProcessEvent::Kind::kInterrupted;
  };
  return WatchVersions(options, &files, [&](const Weights& weights, const std::string& path) {
    Report(weights, path, flags.Switch("json"), out);
    return out.good();
  });
}

absl::Status Pull(const FlagValues& flags, std::ostream& out) {
  for (const char* name : {"server", "out"}) {
    if (!flags.Given(name)) return UsageError(absl::StrCat("--", name, " is needed"));
  }
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> servers,
                          AsUsage(ExpandAddresses(flags.Text("server"))));
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  const WaitOptions wait = CommandWait(flags.Seconds("timeout"), credentials);
  return flags.Switch("watch") ? PullEvery(flags, servers.front(), wait, out)
                               : PullOnce(flags, servers.front(), wait, out);
}

}  // namespace

Command PullCommand() {
  return {
      "pull",
      "write one version of the weights to a safetensors file, or every K-th",
      "The file has the same version in every tensor, from whatever shards. Without --version and\n"
      "--lag it is the newest. Servers that are away and versions that are not there yet are "
      "waited\n"
      "for. --out may be a pipe or /dev/stdout: what is said about the weights then goes to "
      "standard\n"
      "error.\n"
      "\n"
      "With --watch, --out is a directory. Every K-th version and the last become "
      "version-N.safetensors "
      "in\n"
      "it, whole or not at all, and latest.json names the newest. What comes faster than it can be "
      "read\n"
      "is left out and told of. It ends with the run, whose servers wait until the last version is "
      "written.\n",
      "conadv pull --server=127.0.0.1:7000 --lag=1 --out=weights.safetensors",
      WithSecurityFlags(
          {{"server", FlagKind::kText, "HOST:PORT", "", "the coordinator: shard 0's address"},
           {"version", FlagKind::kCount, "N", "", "this version"},
           {"lag", FlagKind::kCount, "K", "", "the newest minus K, or the oldest there is"},
           {"averaged", FlagKind::kSwitch, "", "false",
            "the average of its weights, of a job with optimizer.average"},
           {"watch", FlagKind::kSwitch, "", "false", "write one version after the other"},
           {"every", FlagKind::kPositive, "K", "",
            "with --watch: the multiples of K, and the last"},
           {"keep", FlagKind::kCount, "N", "0",
            "with --watch: of the files it has written, the newest N; 0: all"},
           {"out", FlagKind::kText, "PATH", "", "the file to write; with --watch, the directory"},
           {"timeout", FlagKind::kSeconds, "SECONDS", "60",
            "how long it may take in all; with --watch, how long servers that are away are waited "
            "for"},
           {"json", FlagKind::kSwitch, "", "false", "what was written, as a line of JSON"}}),
      Pull};
}

}  // namespace conadv
