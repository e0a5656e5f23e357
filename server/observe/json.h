// SPDX-License-Identifier: Apache-2.0
// Messages as protobuf's own JSON, with the names of the proto files and every field that has a
// value or a default. Pure functions.
#ifndef CONADV_SERVER_OBSERVE_JSON_H_
#define CONADV_SERVER_OBSERVE_JSON_H_

#include <google/protobuf/message.h>

#include <string>

#include "server/http/message.h"

namespace conadv {

std::string JsonText(const google::protobuf::Message& message);
HttpResponse JsonResponse(std::string text);

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_JSON_H_
