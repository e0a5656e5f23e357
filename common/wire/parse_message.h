// SPDX-License-Identifier: Apache-2.0
// Protobuf messages from peers whose bytes we received ourselves. Pure functions.
#ifndef CONADV_COMMON_WIRE_PARSE_MESSAGE_H_
#define CONADV_COMMON_WIRE_PARSE_MESSAGE_H_

#include <google/protobuf/message.h>

#include "absl/strings/string_view.h"

namespace conadv {

// False: not a message of this type. Every length is held against the bytes that are there before
// anything is parsed: protobuf makes room for a string of up to 50 MB on its length's word alone.
bool ParseMessage(absl::string_view bytes, google::protobuf::Message* message);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_PARSE_MESSAGE_H_
