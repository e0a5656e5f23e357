// SPDX-License-Identifier: Apache-2.0
#include "cli/client/shard_survey.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/auth_context.h>

#include <memory>

#include "common/security/certificate.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"

namespace conadv {
namespace {

std::optional<absl::Time> EndOfCertificate(const grpc::ClientContext& context) {
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr) return std::nullopt;
  for (const grpc::string_ref& pem : peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    const auto chain = CertificateChain::Parse({pem.data(), pem.size()});
    if (chain.ok()) return chain->not_after();
  }
  return std::nullopt;
}

ShardAnswer AskShard(const std::string& address, absl::Duration timeout,
                     const ClientCredentials& credentials) {
  ShardAnswer answer;
  answer.address = address;
  const auto channel = MakeChannel(address, credentials);
  const auto inspector = v1::Inspector::NewStub(channel);
  {
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(timeout));
    answer.reached = FromGrpc(inspector->Status(&context, v1::StatusRequest(), &answer.status));
    if (answer.reached.ok()) answer.certificate_ends = EndOfCertificate(context);
  }
  if (!answer.reached.ok()) return answer;
  {
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(timeout));
    v1::DescribeResponse described;
    const auto stub = v1::ParameterServer::NewStub(channel);
    if (stub->Describe(&context, v1::DescribeRequest(), &described).ok()) {
      answer.layout_hash = described.layout_hash();
    }
  }
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout));
  v1::SnapshotsResponse snapshots;
  inspector->Snapshots(&context, v1::SnapshotsRequest(), &snapshots);
  for (const auto& snapshot : snapshots.snapshots()) {
    answer.published[snapshot.version()] = absl::FromUnixMicros(snapshot.published_unix_micros());
  }
  return answer;
}

}  // namespace

std::vector<ShardAnswer> SurveyShards(const std::string& server, absl::Duration timeout,
                                      const ClientCredentials& credentials) {
  std::vector<ShardAnswer> answers = {AskShard(server, timeout, credentials)};
  const v1::StatusResponse first = answers.front().status;
  if (first.servers().empty()) return answers;
  answers.clear();
  for (const std::string& address : first.servers()) {
    answers.push_back(AskShard(address, timeout, credentials));
  }
  return answers;
}

}  // namespace conadv
