// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/pull_reactor.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/byte_buffer.h"
#include "common/wire/parse_message.h"
#include "common/wire/status.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

constexpr size_t kChunkElements = kChunkBytes / sizeof(float);

absl::StatusOr<Selector> SelectorOf(const v1::PullRequest& request) {
  switch (request.selector_case()) {
    case v1::PullRequest::kVersion: return Selector{Selector::kVersion, request.version()};
    case v1::PullRequest::kLatest: return Selector{Selector::kLatest, 0};
    case v1::PullRequest::kLag: return Selector{Selector::kLag, request.lag()};
    case v1::PullRequest::kAtLeast: return Selector{Selector::kAtLeast, request.at_least()};
    case v1::PullRequest::SELECTOR_NOT_SET: break;
  }
  return absl::InvalidArgumentError("selector: set one of version, latest, lag, at_least");
}

absl::StatusOr<v1::PullRequest> ParseRequest(const grpc::ByteBuffer& buffer) {
  CONADV_ASSIGN_OR_RETURN(const std::string bytes, BytesOf(buffer));
  v1::PullRequest request;
  if (!ParseMessage(bytes, &request)) {
    return absl::InvalidArgumentError("PullRequest: not a valid protobuf message");
  }
  return request;
}

class PullReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  PullReactor(Shard* shard, Incarnation incarnation, grpc::CallbackServerContext* context)
      : shard_(shard), incarnation_(incarnation), context_(context) {}

  void Start(const grpc::ByteBuffer& buffer) {
    const absl::StatusOr<v1::PullRequest> request = ParseRequest(buffer);
    if (!request.ok()) return Finish(ToGrpc(request.status()));
    const absl::StatusOr<Selector> selector = SelectorOf(*request);
    if (!selector.ok()) return Finish(ToGrpc(selector.status()));
    const absl::Status lineage = shard_->CheckLineage(Lineage(request->lineage()));
    if (!lineage.ok()) return Finish(ToGrpc(lineage));
    layout_hash_ = request->layout_hash();
    // Members name the lineage that they compute with.
    const bool guest = request->lineage() == 0;
    read_ = shard_->snapshots().Get(
        *selector, guest,
        [this](absl::StatusOr<Snapshot> snapshot) { OnSnapshot(std::move(snapshot)); },
        [this] { LetGo(); });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the puller went away"));
    // gRPC calls this, OnCancel and OnDone only after Start has returned, so read_ needs no lock.
    shard_->snapshots().Move(read_);
    WriteNext();
  }

  void OnCancel() override {
    // Whoever takes the wait out of the store finishes the call.
    if (shard_->snapshots().Cancel(read_)) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the puller went away"));
    }
  }

  void OnDone() override {
    weights_ = nullptr;
    message_.Clear();
    shard_->snapshots().End(read_);
    delete this;
  }

 private:
  // With the store's lock held: the call is not done before its End, which waits for that lock.
  // gRPC runs no callback inside TryCancel, but on a thread of its own or when this one returns to
  // it. A status of ours would have to queue behind what the peer does not take.
  void LetGo() {
    LOG(WARNING) << "pull by " << context_->peer()
                 << " is ended: it takes nothing, and others wait for its place";
    context_->TryCancel();
  }

  void OnSnapshot(absl::StatusOr<Snapshot> snapshot) {
    if (!snapshot.ok()) return Finish(ToGrpc(snapshot.status()));
    const std::shared_ptr<const Shard::Run> run = shard_->run();
    if (layout_hash_ != 0 && layout_hash_ != run->layout.hash()) {
      return Finish(ToGrpc(absl::InvalidArgumentError(absl::StrCat(
          "layout_hash: this run's is ", run->layout.hash(), ", got ", layout_hash_))));
    }
    weights_ = snapshot->weights;
    v1::PullHeader header;
    header.set_version(snapshot->version.value());
    header.set_incarnation(incarnation_.value());
    header.set_size(weights_->size());
    header.set_layout_hash(run->layout.hash());
    header.set_lineage(shard_->lineage().value());
    header_ = header.SerializeAsString();
    WriteNext();
  }

  void WriteNext() {
    const size_t left = weights_->size() - next_;
    const size_t size = std::min(kChunkElements, left);
    if (size == 0 && header_.empty()) return Finish(grpc::Status::OK);
    message_ = MakeChunkBuffer(std::exchange(header_, ""), next_, weights_, next_, size);
    next_ += size;
    if (size == left) {
      StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
    } else {
      StartWrite(&message_);
    }
  }

  Shard* const shard_;
  const Incarnation incarnation_;
  grpc::CallbackServerContext* const context_;
  uint64_t layout_hash_ = 0;
  ReadId read_ = 0;  // 0: none began
  std::shared_ptr<const Arena> weights_;
  std::string header_;
  size_t next_ = 0;
  grpc::ByteBuffer message_;
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
