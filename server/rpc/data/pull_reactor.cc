// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/data/pull_reactor.h"

#include <glog/logging.h>

#include "common/base/status_macros.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/status.h"
#include "server/transfer/pull_session.h"

namespace conadv {
namespace {

absl::StatusOr<PullQuery> ParseQuery(const grpc::ByteBuffer& request) {
  CONADV_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(request));
  return ParsePullQuery(bytes);
}

class PullReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  PullReactor(Shard* shard, Incarnation incarnation, grpc::CallbackServerContext* context)
      : context_(context), session_(shard, incarnation) {}

  void Start(const grpc::ByteBuffer& request) {
    const absl::StatusOr<PullQuery> query = ParseQuery(request);
    if (!query.ok()) return Finish(ToGrpc(query.status()));
    const auto on_ready = [this](const absl::Status& status) {
      status.ok() ? WriteNext() : Finish(ToGrpc(status));
    };
    session_.Start(*query, on_ready, [this] { Evict(); });
  }

  // gRPC calls this, OnCancel and OnDone only after Start has returned.
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the puller went away"));
    session_.OnTaken();
    WriteNext();
  }

  void OnCancel() override {
    // Whoever takes the wait out of the store finishes the call.
    if (session_.Cancel()) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the puller went away"));
    }
  }

  void OnDone() override {
    // Before the version's place is free: the message refers to the weights.
    message_.Clear();
    delete this;
  }

 private:
  // With the store's lock held: the call is not done before the session's end, which waits for that
  // lock, and gRPC runs no callback inside TryCancel, but on a thread of its own or when this one
  // returns to it. A status of ours would queue behind what the peer does not take.
  void Evict() {
    LOG(WARNING) << "pull by " << context_->peer()
                 << " is ended: it takes nothing, and others wait for its place";
    context_->TryCancel();
  }

  void WriteNext() {
    const PullSession::Part part = session_.Next();
    message_ = MakeChunkBuffer(part.header, part.begin, session_.type(), session_.weights(),
                               part.begin, part.size);
    if (part.last) {
      StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
    } else {
      StartWrite(&message_);
    }
  }

  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer message_;
  PullSession session_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartPull(Shard* shard, Incarnation incarnation,
                                                      grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer& request) {
  auto* reactor = new PullReactor(shard, incarnation, context);
  reactor->Start(request);
  return reactor;
}

}  // namespace conadv
