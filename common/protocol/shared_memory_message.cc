// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/shared_memory_message.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/retry_delay.h"
#include "common/base/status_macros.h"
#include "common/wire/parse_message.h"
#include "conadv/v1/parameter_server.pb.h"
#include "conadv/v1/shared_memory.pb.h"

namespace conadv {
namespace {

// Of an error: a datagram has its limit, and what peers send is part of some.
constexpr size_t kMostErrorBytes = 4096;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

void ToProto(const SegmentName& name, v1::SharedSegment* out) {
  out->set_id(name.id);
  out->set_bytes(name.bytes);
}

// A push, or a part of one that follows.
template <class Message>
void WritePart(const SharedPart& part, Message* out) {
  out->set_place(part.place);
  out->set_offset(part.offset);
  out->set_size(part.size);
}

template <class Message>
SharedPart ReadPart(const Message& part) {
  return {part.place(), part.offset(), part.size()};
}

SegmentName FromProto(const v1::SharedSegment& name) { return {name.id(), name.bytes()}; }

void ToProto(const absl::Status& status, v1::SharedMemoryResponse::Error* out) {
  out->set_code(static_cast<int>(status.code()));
  absl::string_view message = status.message().substr(0, kMostErrorBytes);
  // No character is cut in two.
  while (message.size() == kMostErrorBytes &&
         (static_cast<unsigned char>(status.message()[message.size()]) & 0xc0) == 0x80) {
    message.remove_suffix(1);
  }
  out->set_message(std::string(message));
  const auto delay = RetryDelayOf(status);
  if (delay.has_value()) {
    out->set_retry_millis(static_cast<uint64_t>(absl::ToInt64Milliseconds(*delay)));
  }
}

absl::Status FromProto(const v1::SharedMemoryResponse::Error& error) {
  constexpr uint64_t kMostMillis = 3600'000;
  if (error.code() <= 0 || error.code() > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return absl::InternalError(absl::StrCat("an error of code ", error.code()));
  }
  absl::Status status(static_cast<absl::StatusCode>(error.code()), error.message());
  if (error.retry_millis() == 0) return status;
  return WithRetryDelay(
      std::move(status),
      absl::Milliseconds(static_cast<int64_t>(std::min(error.retry_millis(), kMostMillis))));
}

}  // namespace

std::string EncodeSharedRequest(const SharedRequest& request) {
  v1::SharedMemoryRequest message;
  message.set_call(request.call);
  std::visit(Overloaded{[&message](const PullQuery& query) {
                          message.mutable_pull()->ParseFromString(EncodePullQuery(query));
                        },
                        [&message](const SharedPush& push) {
                          auto* const out = message.mutable_push();
                          out->mutable_header()->ParseFromString(push.header);
                          ToProto(push.segment, out->mutable_segment());
                          WritePart(push.part, out);
                          out->set_more(push.more);
                        },
                        [&message](const SharedParts& parts) {
                          auto* const out = message.mutable_parts();
                          for (const SharedPart& part : parts.parts) {
                            WritePart(part, out->add_parts());
                          }
                          out->set_last(parts.last);
                        },
                        [&message](const CancelCall&) { message.set_cancel(true); },
                        [&message](const ReleaseVersion&) { message.set_release(true); }},
             request.content);
  return message.SerializeAsString();
}

absl::StatusOr<SharedRequest> ParseSharedRequest(absl::string_view bytes) {
  v1::SharedMemoryRequest message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InvalidArgumentError("SharedMemoryRequest: not a valid protobuf message");
  }
  if (message.call() == 0) return absl::InvalidArgumentError("call: must not be 0");
  SharedRequest request;
  request.call = message.call();
  switch (message.kind_case()) {
    case v1::SharedMemoryRequest::kPull: {
      CONADV_ASSIGN_OR_RETURN(request.content, ParsePullQuery(message.pull().SerializeAsString()));
      return request;
    }
    case v1::SharedMemoryRequest::kPush: {
      const auto& push = message.push();
      if (!push.header().has_contribution()) {
        return absl::InvalidArgumentError("push.header: a contribution comes this way alone");
      }
      if (push.segment().id() == 0) {
        return absl::InvalidArgumentError("push.segment: its id must not be 0");
      }
      request.content = SharedPush{push.header().SerializeAsString(), FromProto(push.segment()),
                                   ReadPart(push), push.more()};
      return request;
    }
    case v1::SharedMemoryRequest::kParts: {
      SharedParts parts{{}, message.parts().last()};
      for (const auto& part : message.parts().parts()) {
        if (part.size() == 0) return absl::InvalidArgumentError("parts: one of them is empty");
        parts.parts.push_back(ReadPart(part));
      }
      request.content = std::move(parts);
      return request;
    }
    case v1::SharedMemoryRequest::kCancel: request.content = CancelCall{}; return request;
    case v1::SharedMemoryRequest::kRelease: request.content = ReleaseVersion{}; return request;
    case v1::SharedMemoryRequest::KIND_NOT_SET: break;
  }
  return absl::InvalidArgumentError("kind: set one of pull, push, parts, cancel, release");
}

std::string EncodeSharedResponse(const SharedResponse& response) {
  v1::SharedMemoryResponse message;
  message.set_call(response.call);
  std::visit(
      Overloaded{
          [&message](const SharedPulled& pulled) {
            message.mutable_pulled()->mutable_header()->ParseFromString(pulled.header);
            ToProto(pulled.segment, message.mutable_pulled()->mutable_segment());
          },
          [&message](const PushReply& reply) {
            message.mutable_pushed()->ParseFromString(EncodePushReply(reply));
          },
          [&message](const absl::Status& status) { ToProto(status, message.mutable_error()); },
          [&message](const ByNetwork& answer) { message.set_by_network(answer.why); },
          [&message](const ForgetSegment& segment) { message.set_forget(segment.id); }},
      response.content);
  return message.SerializeAsString();
}

absl::StatusOr<SharedResponse> ParseSharedResponse(absl::string_view bytes) {
  v1::SharedMemoryResponse message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InternalError("SharedMemoryResponse: not a valid protobuf message");
  }
  SharedResponse response;
  response.call = message.call();
  switch (message.kind_case()) {
    case v1::SharedMemoryResponse::kPulled:
      response.content = SharedPulled{message.pulled().header().SerializeAsString(),
                                      FromProto(message.pulled().segment())};
      return response;
    case v1::SharedMemoryResponse::kPushed: {
      CONADV_ASSIGN_OR_RETURN(response.content,
                              ParsePushReply(message.pushed().SerializeAsString()));
      return response;
    }
    case v1::SharedMemoryResponse::kError:
      response.content = FromProto(message.error());
      return response;
    case v1::SharedMemoryResponse::kByNetwork:
      response.content = ByNetwork{message.by_network()};
      return response;
    case v1::SharedMemoryResponse::kForget:
      response.content = ForgetSegment{message.forget()};
      return response;
    case v1::SharedMemoryResponse::KIND_NOT_SET: break;
  }
  return absl::InternalError("SharedMemoryResponse: it says nothing");
}

absl::StatusOr<ServerDescription> ParseServerDescription(absl::string_view bytes) {
  v1::DescribeResponse message;
  if (!ParseMessage(bytes, &message)) {
    return absl::InternalError("the answer to Describe is not protobuf");
  }
  return ServerDescription{Incarnation(message.incarnation()), message.shared_memory()};
}

}  // namespace conadv
