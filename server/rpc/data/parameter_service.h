// SPDX-License-Identifier: Apache-2.0
// The data plane's service: each method decodes and hands over. Thread-safe.
#ifndef CONADV_SERVER_RPC_DATA_PARAMETER_SERVICE_H_
#define CONADV_SERVER_RPC_DATA_PARAMETER_SERVICE_H_

#include <string>
#include <utility>

#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/clip/norm_table.h"
#include "server/record/version_log.h"
#include "server/rpc/connections/taken_bytes.h"
#include "server/rpc/stream/first_messages.h"
#include "server/shard/shard.h"
#include "server/transfer/push_watch.h"

namespace conadv {

// Pull and Push are raw: their payloads never pass through generated classes.
using RawParameterServer =
    v1::ParameterServer::WithRawCallbackMethod_Pull<v1::ParameterServer::WithRawCallbackMethod_Push<
        v1::ParameterServer::WithCallbackMethod_Describe<
            v1::ParameterServer::WithCallbackMethod_Watch<
                v1::ParameterServer::WithCallbackMethod_CombineNorms<
                    v1::ParameterServer::Service>>>>>;

class ParameterService final : public RawParameterServer {
 public:
  // What others follow.
  struct Logs {
    VersionLog* versions = nullptr;
    VersionLog* decided = nullptr;
  };
  // All outlive the service. `norms` is nullptr where none come together. `taken` counts what
  // comes by the mebibyte.
  ParameterService(Shard* shard, const Logs& logs, NormTable* norms, TakenBytes* taken,
                   FirstMessages* first_messages, Incarnation incarnation, const Clock* clock,
                   absl::Duration patience)
      : shard_(shard),
        logs_(logs),
        norms_(norms),
        taken_(taken),
        first_messages_(first_messages),
        incarnation_(incarnation),
        patience_(patience),
        pushes_(clock) {}

  // Where processes of this machine may come instead. Before any call.
  void TellSharedMemory(std::string name) { shared_memory_ = std::move(name); }

  // Call it now and then: ends calls of peers that do nothing, if others wait for what they hold.
  void MakeRoom();

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Pull(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* Push(grpc::CallbackServerContext* context,
                                                  grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* CombineNorms(grpc::CallbackServerContext* context,
                                         const v1::CombineNormsRequest* request,
                                         v1::CombineNormsResponse* response) override;

 private:
  Shard* const shard_;
  const Logs logs_;
  NormTable* const norms_;
  TakenBytes* const taken_;
  FirstMessages* const first_messages_;
  const Incarnation incarnation_;
  const absl::Duration patience_;
  std::string shared_memory_;
  PushWatch pushes_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_DATA_PARAMETER_SERVICE_H_
