// SPDX-License-Identifier: Apache-2.0
// Answers as JSON. Numbers are numbers, also those of 64 bits, which protobuf's own mapping quotes;
// random ids and hashes (fixed64, fixed32) are hexadecimal text. Pure functions.
#ifndef CONADV_CLI_FORMAT_JSON_OUTPUT_H_
#define CONADV_CLI_FORMAT_JSON_OUTPUT_H_

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>

namespace conadv {

// Every field by its name in the proto file, defaults too, in the order of their numbers; a message
// that is not set is null; of a oneof only the member that is set is there, and a value that proto3
// calls `optional` only if it is set. Not finite is null.
nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// One line. Text that is not UTF-8 is replaced, not an error.
std::string JsonLine(const nlohmann::ordered_json& json);

}  // namespace conadv

#endif  // CONADV_CLI_FORMAT_JSON_OUTPUT_H_
