// SPDX-License-Identifier: Apache-2.0
#include "cli/operate/operate.h"

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/client/credentials.h"
#include "cli/client/operator_client.h"
#include "cli/command/security_flags.h"
#include "cli/command/server_flag.h"
#include "cli/format/json_output.h"
#include "common/base/status_macros.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

const Flag kJsonFlag = {"json", FlagKind::kSwitch, "", "false", "the answer as a line of JSON"};

Flag TimeoutFlag(const char* seconds) {
  return {"timeout", FlagKind::kSeconds, "SECONDS", seconds, "how long it may take"};
}

absl::StatusOr<OperatorClient> ClientOf(const FlagValues& flags) {
  CONADV_ASSIGN_OR_RETURN(std::string server, ServerOf(flags));
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  return OperatorClient(std::move(server), flags.Seconds("timeout"), credentials);
}

template <class Response>
void Print(const FlagValues& flags, const Response& response, absl::string_view text,
           std::ostream& out) {
  out << (flags.Switch("json") ? JsonLine(ToJson(response)) : std::string(text)) << "\n"
      << std::flush;
}

absl::Status SaveCheckpoint(const FlagValues& flags, std::ostream& out) {
  CONADV_ASSIGN_OR_RETURN(OperatorClient client, ClientOf(flags));
  CONADV_ASSIGN_OR_RETURN(const v1::SaveCheckpointResponse saved, client.SaveCheckpoint());
  Print(flags, saved, absl::StrCat("every shard has a checkpoint of version ", saved.version()),
        out);
  return absl::OkStatus();
}

absl::Status Drain(const FlagValues& flags, std::ostream& out) {
  CONADV_ASSIGN_OR_RETURN(OperatorClient client, ClientOf(flags));
  CONADV_ASSIGN_OR_RETURN(const v1::DrainResponse drained, client.Drain(flags.Text("worker")));
  Print(flags, drained,
        absl::StrCat(drained.name(), " (", drained.worker_id(), ") finishes what it has begun of ",
                     drained.units(), " units and leaves; ",
                     drained.workers_left() == 0
                         ? "no other worker is there, and the run waits for one"
                         : absl::StrCat(drained.workers_left(), " go on")),
        out);
  return absl::OkStatus();
}

absl::Status Set(const FlagValues& flags, std::ostream& out) {
  const std::string setting = flags.Text("setting");
  const size_t equals = setting.find('=');
  if (equals == setting.npos) {
    return UsageError(absl::StrCat("FIELD=VALUE is needed, as in training.tau=3; got ", setting));
  }
  CONADV_ASSIGN_OR_RETURN(OperatorClient client, ClientOf(flags));
  v1::SetRequest request;
  request.set_field(setting.substr(0, equals));
  request.set_value(setting.substr(equals + 1));
  if (flags.Given("from")) request.set_from_version(flags.Count("from"));
  CONADV_ASSIGN_OR_RETURN(const v1::SetResponse set, client.Set(request));
  Print(flags, set,
        absl::StrCat(request.field(), " is ", request.value(), " from version ", set.from_version(),
                     " on; until then it is ", set.before()),
        out);
  return absl::OkStatus();
}

}  // namespace

Command CheckpointCommand() {
  return {"checkpoint",
          "have a running job write a checkpoint now",
          "Returns once every shard has a checkpoint of the version that is the latest now, or of "
          "a\n"
          "later one, on its disk. Training goes on meanwhile.\n",
          "conadv checkpoint --server=127.0.0.1:7000",
          WithSecurityFlags({ServerFlag(), TimeoutFlag("120"), kJsonFlag}),
          SaveCheckpoint};
}

Command DrainCommand() {
  return {"drain",
          "have a worker finish what it has begun, and leave",
          "It gets nothing new, pushes what it has begun, and ends with exit code 0; its other "
          "units go\n"
          "to others. conadv train does not start it again. In Kubernetes a Deployment would: "
          "there a\n"
          "worker runs with --when_done=wait, stays until its pod is deleted, and does nothing.\n",
          "conadv drain worker-1 --server=127.0.0.1:7000",
          WithSecurityFlags({{"worker", FlagKind::kArgument, "WORKER", "",
                              "its name or number, as conadv workers shows them"},
                             ServerFlag(),
                             TimeoutFlag("10"),
                             kJsonFlag}),
          Drain};
}

Command SetCommand() {
  return {
      "set",
      "change a field of a running job",
      "What can be changed is training.tau, within what server.retain keeps versions for. It "
      "holds\n"
      "from a version on that is printed, for every worker alike, and after any fault: it is on "
      "disk\n"
      "before it takes effect. conadv status shows it. With --from a SYNC run has the same bits "
      "every\n"
      "time.\n",
      "conadv set training.tau=3 --server=127.0.0.1:7000",
      WithSecurityFlags({{"setting", FlagKind::kArgument, "FIELD=VALUE", "", "as in the job file"},
                         ServerFlag(),
                         {"from", FlagKind::kPositive, "VERSION", "",
                          "the first update that it changes; else the first that nobody has begun"},
                         TimeoutFlag("60"),
                         kJsonFlag}),
      Set};
}

}  // namespace conadv
