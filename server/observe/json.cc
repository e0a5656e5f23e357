// SPDX-License-Identifier: Apache-2.0
#include "server/observe/json.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

namespace conadv {

std::string JsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  // Fails for an Any of an unknown type alone.
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) text = "{}";
  return text;
}

HttpResponse JsonResponse(std::string text) {
  HttpResponse response;
  response.type = "application/json";
  response.body = std::move(text);
  return response;
}

}  // namespace conadv
