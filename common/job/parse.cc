// SPDX-License-Identifier: Apache-2.0
#include "common/job/parse.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <climits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/printable.h"
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Errors final : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(absl::string_view file_name) : file_name_(file_name) {}

  // Protobuf counts lines and columns from 0, and -1 is the file as a whole.
  void AddError(int line, int column, const std::string& message) override {
    lines_.push_back(line < 0 ? absl::StrCat(file_name_, ": ", Printable(message))
                              : absl::StrCat(file_name_, ":", line + 1, ":", column + 1, ": ",
                                             Printable(message)));
  }
  void AddWarning(int line, int column, const std::string& message) override {
    AddError(line, column, message);
  }
  bool empty() const { return lines_.empty(); }
  std::string text() const { return absl::StrJoin(lines_, "\n"); }

 private:
  const std::string file_name_;
  std::vector<std::string> lines_;
};

void SetDefault(const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(message, &field, field.default_value_int32());
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(message, &field, field.default_value_int64());
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(message, &field, field.default_value_uint32());
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(message, &field, field.default_value_uint64());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.SetFloat(message, &field, field.default_value_float());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(message, &field, field.default_value_double());
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(message, &field, field.default_value_bool());
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnum(message, &field, field.default_value_enum());
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(message, &field, field.default_value_string());
    case FieldDescriptor::CPPTYPE_MESSAGE: return;
  }
}

// Writes every default into `message`. A oneof keeps what it has: its members exclude each other.
void FillDefaults(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const google::protobuf::Descriptor& descriptor = *message->GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_repeated()) {
      if (field.message_type() == nullptr) continue;
      for (int item = 0; item < reflection.FieldSize(*message, &field); ++item) {
        FillDefaults(reflection.MutableRepeatedMessage(message, &field, item));
      }
      continue;
    }
    const bool set = reflection.HasField(*message, &field);
    if (!set && field.containing_oneof() != nullptr) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FillDefaults(reflection.MutableMessage(message, &field));
    } else if (!set) {
      SetDefault(field, message);
    }
  }
}

}  // namespace

absl::StatusOr<v1::Job> ParseJobText(absl::string_view text, absl::string_view file_name) {
  if (text.size() > INT_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(file_name, ": too large to be a job file"));
  }
  // Editors of some systems begin a file with a byte-order mark.
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  if (absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff")) {
    return absl::InvalidArgumentError(absl::StrCat(file_name, ": it is UTF-16; save it as UTF-8"));
  }
  Errors errors(file_name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  v1::Job job;
  if (!parser.Parse(&input, &job) || !errors.empty()) {
    return absl::InvalidArgumentError(errors.text());
  }
  return job;
}

std::string JobText(const v1::Job& job) {
  v1::Job full = job;
  FillAlgorithm(&full);
  FillDefaults(&full);
  // What is spelled out is what will be done, and what a job may say.
  v1::Training& training = *full.mutable_training();
  if (training.algorithm() != v1::Training::CONADV && !job.training().has_tau())
    training.set_tau(0);
  if (training.consistency() != v1::Training::SSP && !job.training().has_staleness_bound()) {
    training.clear_staleness_bound();
  }
  if (training.algorithm() != v1::Training::FAST_ADVPROP &&
      !job.training().has_adversarial_share()) {
    training.clear_adversarial_share();
  }
  if (training.algorithm() != v1::Training::FREE && !job.training().has_replays()) {
    training.clear_replays();
  }
  if (training.consistency() != v1::Training::SYNC && !job.has_reproducible()) {
    full.set_reproducible(false);
  }
  // Here it says something whether a field is there.
  v1::Optimizer& optimizer = *full.mutable_optimizer();
  *optimizer.mutable_tensors() = job.optimizer().tensors();
  if (!job.optimizer().has_average()) optimizer.clear_average();
  if (full.schedule().decay_case() == v1::Schedule::DECAY_NOT_SET) {
    full.mutable_schedule()->mutable_constant();
  }
  std::string text;
  google::protobuf::TextFormat::PrintToString(full, &text);
  return text;
}

}  // namespace conadv
