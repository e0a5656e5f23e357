// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inspect/ticking_stream.h"

#include <grpcpp/alarm.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/thread/mutex.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "server/rpc/stream/log_stream.h"

namespace conadv {
namespace {

class TickingStream final : public grpc::ServerWriteReactor<v1::StalenessResponse> {
 public:
  static TickingStream* Start(const ServerParts& parts, absl::Duration interval) {
    auto stream = std::make_shared<TickingStream>(parts, interval);
    stream->self_ = stream;
    stream->WriteView();
    return stream.get();
  }

  TickingStream(const ServerParts& parts, absl::Duration interval)
      : parts_(parts), interval_(interval) {}

 private:
  void WriteView() {
    message_ = ViewStaleness(parts_);
    StartWrite(&message_);
  }

  void OnWriteDone(bool ok) override {
    bool cancelled;
    {
      MutexLock lock(&mutex_);
      cancelled = cancelled_ || !ok;
      if (!cancelled) {
        // While the alarm is pending only OnTick can finish the call, so the stream is there. A
        // reference in the callback would never go: the alarm keeps its callback, and the stream
        // its alarm.
        alarm_.Set(DeadlineIn(interval_), [this](bool expired) {
          const std::shared_ptr<TickingStream> self = self_;
          self->OnTick(expired);
        });
      }
    }
    if (cancelled) Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher is gone"));
  }

  void OnTick(bool expired) {
    if (expired) return WriteView();
    Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher is gone"));
  }

  // Ends the wait early: OnTick is told and finishes the call.
  void OnCancel() override {
    MutexLock lock(&mutex_);
    cancelled_ = true;
    alarm_.Cancel();
  }

  void OnDone() override { self_.reset(); }

  const ServerParts parts_;
  const absl::Duration interval_;
  v1::StalenessResponse message_;
  std::shared_ptr<TickingStream> self_;  // until the call is done
  Mutex mutex_;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::StalenessResponse>* StartTickingStream(const ServerParts& parts,
                                                                    double interval_seconds) {
  if (interval_seconds == 0) interval_seconds = 1;
  if (!(interval_seconds >= 0.05 && interval_seconds <= 3600)) {
    return new RefusedStream<v1::StalenessResponse>(ToGrpc(absl::InvalidArgumentError(
        absl::StrCat("interval_seconds: must be 0.05 to 3600, got ", interval_seconds))));
  }
  return TickingStream::Start(parts, absl::Seconds(interval_seconds));
}

}  // namespace conadv
