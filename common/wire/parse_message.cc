// SPDX-License-Identifier: Apache-2.0
#include "common/wire/parse_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

#include <cstdint>

#include "common/wire/wire_type.h"

namespace conadv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

// As deep as protobuf itself goes.
constexpr int kMostDepth = 100;

// `type` is nullptr for what is not known to be a message.
bool LengthsFit(absl::string_view bytes, const Descriptor* type, int depth) {
  const int size = static_cast<int>(bytes.size());
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), size);
  while (in.CurrentPosition() < size) {
    uint32_t tag = 0;
    uint32_t length = 0;
    uint64_t ignored = 0;
    if (!in.ReadVarint32(&tag)) return false;
    switch (tag & 7) {
      case kVarint:
        if (!in.ReadVarint64(&ignored)) return false;
        continue;
      case kFixed64: length = 8; break;
      case kFixed32: length = 4; break;
      case kBytes:
        if (!in.ReadVarint32(&length)) return false;
        break;
      default: return false;
    }
    const int at = in.CurrentPosition();
    if (length > static_cast<uint32_t>(size - at)) return false;
    const FieldDescriptor* field =
        type == nullptr ? nullptr : type->FindFieldByNumber(static_cast<int>(tag >> 3));
    const bool nested =
        (tag & 7) == kBytes && field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE;
    if (nested && (depth == 0 || !LengthsFit(bytes.substr(static_cast<size_t>(at), length),
                                             field->message_type(), depth - 1))) {
      return false;
    }
    in.Skip(static_cast<int>(length));
  }
  return true;
}

}  // namespace

bool ParseMessage(absl::string_view bytes, google::protobuf::Message* message) {
  return bytes.size() <= INT32_MAX && LengthsFit(bytes, message->GetDescriptor(), kMostDepth) &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace conadv
