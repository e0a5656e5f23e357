// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

constexpr size_t kMaxNameLength = 63;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

// Fields and enum values that a newer job.proto has and this build cannot honour.
void CheckUnknownFields(const google::protobuf::Message& message, const std::string& path,
                        Violations* violations) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    violations->Require(
        false, path.empty() ? "job" : path,
        absl::StrCat("field number ", unknown.field(i).number(),
                     " or its value is unknown to this build; use the coordinator's version"));
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr) continue;
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    if (!field->is_repeated()) {
      CheckUnknownFields(reflection.GetMessage(message, field), name, violations);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      CheckUnknownFields(reflection.GetRepeatedMessage(message, field, i),
                         absl::StrCat(name, "[", i, "]"), violations);
    }
  }
}

}  // namespace

absl::StatusOr<Job> ValidateJob(const v1::Job& given) {
  v1::Job job = given;
  FillAlgorithm(&job);
  Violations violations;
  CheckUnknownFields(job, "", &violations);
  violations.Require(IsName(job.name()), "name", "must be 1 to 63 of a-z, 0-9 and -",
                     absl::StrCat("\"", Printable(job.name()), "\""));
  CheckTask(job, &violations);
  CheckUpdates(job, &violations);
  CONADV_RETURN_IF_ERROR(violations.ToStatus());
  return Resolve(job);
}

}  // namespace conadv
