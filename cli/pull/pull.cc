// SPDX-License-Identifier: Apache-2.0
#include "cli/pull/pull.h"

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/client/credentials.h"
#include "cli/client/server_wait.h"
#include "cli/client/weights.h"
#include "cli/command/security_flags.h"
#include "cli/format/json_output.h"
#include "cli/format/tables.h"
#include "cli/pull/output_file.h"
#include "cli/pull/pull_flags.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/program/exit_code.h"
#include "common/wire/addresses.h"

namespace conadv {
namespace {

absl::Status Pull(const FlagValues& flags, std::ostream& out) {
  for (const char* name : {"server", "out"}) {
    if (!flags.Given(name)) return UsageError(absl::StrCat("--", name, " is needed"));
  }
  CONADV_ASSIGN_OR_RETURN(PullSelector selector, SelectorOf(flags));
  selector = selector.Averaged(flags.Switch("averaged"));
  CONADV_ASSIGN_OR_RETURN(const OutputFile output, OutputFile::At(flags.Text("out")));
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> servers,
                          AsUsage(ExpandAddresses(flags.Text("server"))));
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  ServerWait wait(CommandWait(flags.Seconds("timeout"), credentials));
  CONADV_ASSIGN_OR_RETURN(const Weights weights, PullWeights(servers.front(), selector, &wait));
  CONADV_RETURN_IF_ERROR(
      output.Write(EncodeWeights(weights), FileSystem::Real(), wait.left(), std::cerr));
  // What is said about the weights must not stand among them.
  std::ostream& report = output.is_standard_output() ? std::cerr : out;
  if (flags.Switch("json")) {
    report << JsonLine({{"job", weights.job},
                        {"version", weights.version.value()},
                        {"averaged", weights.averaged},
                        {"tensors", weights.layout.placements().size()},
                        {"weights_crc32c", CrcText(weights.crc32c())},
                        {"out", output.path()}})
           << "\n";
  } else {
    report << (weights.averaged ? "the average of version " : "version ") << weights.version << ": "
           << weights.layout.placements().size() << " tensors, "
           << FormatBytes(weights.values->bytes()) << ", crc32c " << CrcText(weights.crc32c())
           << ", in " << output.path() << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

Command PullCommand() {
  return {
      "pull",
      "write one version of the weights to a safetensors file",
      "The file has the same version in every tensor, from whatever shards. Without --version and\n"
      "--lag it is the newest. Servers that are away and versions that are not there yet are "
      "waited\n"
      "for. --out may be a pipe or /dev/stdout: what is said about the weights then goes to "
      "standard\n"
      "error.\n",
      "conadv pull --server=127.0.0.1:7000 --lag=1 --out=weights.safetensors",
      WithSecurityFlags(
          {{"server", FlagKind::kText, "HOST:PORT", "", "the coordinator: shard 0's address"},
           {"version", FlagKind::kCount, "N", "", "this version"},
           {"lag", FlagKind::kCount, "K", "", "the newest minus K, or the oldest there is"},
           {"averaged", FlagKind::kSwitch, "", "false",
            "the average of its weights, of a job with optimizer.average"},
           {"out", FlagKind::kText, "FILE", "", "the file to write"},
           {"timeout", FlagKind::kSeconds, "SECONDS", "60", "how long it may take in all"},
           {"json", FlagKind::kSwitch, "", "false", "what was written, as a line of JSON"}}),
      Pull};
}

}  // namespace conadv
