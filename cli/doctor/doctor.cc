// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/doctor.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/client/credentials.h"
#include "cli/client/shard_survey.h"
#include "cli/command/security_flags.h"
#include "cli/command/server_flag.h"
#include "cli/doctor/examine.h"
#include "cli/format/json_output.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/security/certificate.h"

namespace conadv {
namespace {

// Our own and what leads to it, and the roots that we trust.
std::vector<Finding> ExamineFiles(const SecurityFiles& files, absl::Time now) {
  std::vector<Finding> findings;
  for (const std::string& path : {files.cert, files.ca}) {
    if (path.empty()) continue;
    const absl::StatusOr<std::string> pem = FileSystem::Real().Read(path);
    const absl::StatusOr<CertificateChain> chain =
        pem.ok() ? CertificateChain::Parse(*pem) : pem.status();
    findings.push_back(
        chain.ok() ? ExamineCertificate(absl::StrCat("certificate ", path), chain->ends(), now)
                   : Finding{true, absl::StrCat("certificate ", path),
                             std::string(chain.status().message()), "give a certificate in PEM"});
  }
  return findings;
}

absl::Status RunDoctor(const FlagValues& flags, std::ostream& out) {
  CONADV_ASSIGN_OR_RETURN(const std::string server, ServerOf(flags));
  const absl::Time now = Clock::Real().WallNow();
  std::vector<Finding> findings = ExamineFiles(SecurityFilesOf(flags), now);
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  const std::vector<ShardAnswer> shards =
      SurveyShards(server, flags.Seconds("timeout"), credentials);
  for (Finding& finding : Examine(shards, Clock::Real().WallNow())) {
    findings.push_back(std::move(finding));
  }
  const auto wrong = std::count_if(findings.begin(), findings.end(),
                                   [](const Finding& finding) { return finding.wrong; });
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    if (flags.Switch("json")) {
      list.push_back({{"wrong", finding.wrong},
                      {"about", finding.about},
                      {"what", finding.what},
                      {"advice", finding.advice}});
      continue;
    }
    out << (finding.wrong ? "WRONG  " : "ok     ") << finding.about << ": " << finding.what << "\n";
    if (!finding.advice.empty()) out << "       " << finding.advice << "\n";
  }
  if (flags.Switch("json")) out << JsonLine({{"wrong", wrong}, {"findings", list}}) << "\n";
  out << std::flush;
  if (wrong == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(wrong, wrong == 1 ? " thing is wrong" : " things are wrong"));
}

}  // namespace

Command DoctorCommand() {
  return {
      "doctor",
      "ask every shard of a running job, and say what is wrong",
      "It looks at whether each shard answers, at versions, lineages, layouts, clocks, memory, "
      "the\n"
      "last checkpoints and the room for more, what the run waits for, and how long certificates "
      "are\n"
      "valid, the shards' and those given to it; for what is wrong it says what to do. Exit code 1 "
      "if anything is.\n",
      "conadv doctor --server=127.0.0.1:7000",
      WithSecurityFlags(
          {ServerFlag(),
           {"timeout", FlagKind::kSeconds, "SECONDS", "5", "how long each shard may take"},
           {"json", FlagKind::kSwitch, "", "false", "what was found, as a line of JSON"}}),
      RunDoctor};
}

}  // namespace conadv
