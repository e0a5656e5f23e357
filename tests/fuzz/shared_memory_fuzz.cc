// SPDX-License-Identifier: Apache-2.0
// What comes over a local socket is refused with a reason, or is a request, or an answer, that says
// the same once it is written and read again.
//   input := whose (1 byte: even, a member's request; odd, a server's answer) a serialized message
#include <string>

#include "common/protocol/shared_memory_message.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

void TestRequest(const std::string& bytes) {
  // Protobuf makes its descriptors at their first use, whatever the input is.
  [[maybe_unused]] static const bool made =
      ParseSharedRequest(EncodeSharedRequest({1, SharedPush()})).ok();
  const AllocationMeter meter;
  const absl::StatusOr<SharedRequest> request = ParseSharedRequest(bytes);
  RequireBounded(meter, 16384 + 256 * bytes.size());
  if (!request.ok()) {
    return RequireRefusal(request.status(), absl::StatusCode::kInvalidArgument, bytes.size());
  }
  Require(request->call != 0, "a request has a number");
  const std::string written = EncodeSharedRequest(*request);
  const absl::StatusOr<SharedRequest> again = ParseSharedRequest(written);
  Require(again.ok(), "a request is read again", again.status().ToString());
  Require(again->call == request->call && again->content.index() == request->content.index(),
          "a request stays what it is");
  Require(EncodeSharedRequest(*again) == written, "a request is written the same");
}

void TestResponse(const std::string& bytes) {
  // And so it does with what it says of a text that is none.
  [[maybe_unused]] static const bool made =
      ParseSharedResponse(EncodeSharedResponse({1, ByNetwork{"\xff"}})).ok();
  const AllocationMeter meter;
  const absl::StatusOr<SharedResponse> response = ParseSharedResponse(bytes);
  RequireBounded(meter, 16384 + 256 * bytes.size());
  if (!response.ok()) {
    return RequireRefusal(response.status(), absl::StatusCode::kInternal, bytes.size());
  }
  const auto* status = std::get_if<absl::Status>(&response->content);
  Require(status == nullptr || !status->ok(), "an error is one");
  const std::string written = EncodeSharedResponse(*response);
  const absl::StatusOr<SharedResponse> again = ParseSharedResponse(written);
  Require(again.ok(), "an answer is read again", again.status().ToString());
  Require(EncodeSharedResponse(*again) == written, "an answer is written the same");
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  data[0] % 2 == 0 ? conadv::fuzz::TestRequest(bytes) : conadv::fuzz::TestResponse(bytes);
  return 0;
}
