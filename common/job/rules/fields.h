// SPDX-License-Identifier: Apache-2.0
// The fields a message has, for what people are told when they name one that is not there. Pure
// functions.
#ifndef CONADV_COMMON_JOB_RULES_FIELDS_H_
#define CONADV_COMMON_JOB_RULES_FIELDS_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/strings/string_view.h"

namespace conadv {

// "a, b, c".
std::string FieldNames(const google::protobuf::Descriptor& message);
std::string EnumNames(const google::protobuf::EnumDescriptor& type);

// The path below `root` that `path` most likely meant: one with the same last name, or a few
// letters off. Empty if there is none.
std::string ClosestField(const google::protobuf::Descriptor& root, absl::string_view path);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_RULES_FIELDS_H_
