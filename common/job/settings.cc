// SPDX-License-Identifier: Apache-2.0
// ApplySettings, by reflection: a new field of the job file can be set without a change here.
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/job/rules/fields.h"

namespace conadv {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What is wrong is said in other words.
class SilentErrors final : public google::protobuf::io::ErrorCollector {
  void AddError(int, int, const std::string&) override {}
};

absl::Status Expected(absl::string_view what, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("expects ", what, ", got \"", text, "\""));
}

template <class Whole>
absl::StatusOr<Whole> ParseWhole(absl::string_view text) {
  Whole value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return Expected(absl::StrCat("a whole number from ", std::numeric_limits<Whole>::min(), " to ",
                                 std::numeric_limits<Whole>::max()),
                    text);
  }
  return value;
}

template <class Real>
absl::StatusOr<Real> ParseReal(absl::string_view text) {
  double value = 0;
  if (!absl::SimpleAtod(text, &value)) return Expected("a number", text);
  const Real narrowed = static_cast<Real>(value);
  if (std::isfinite(value) != std::isfinite(narrowed) || (value != 0) != (narrowed != 0)) {
    return Expected("a number that a 32-bit float can hold", text);
  }
  return narrowed;
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "true") return true;
  if (lower == "false") return false;
  return Expected("true or false", text);
}

absl::StatusOr<int> ParseEnum(const google::protobuf::EnumDescriptor& type,
                              absl::string_view text) {
  const auto* value = type.FindValueByName(absl::AsciiStrToUpper(text));
  if (value == nullptr) return Expected(absl::StrCat("one of ", EnumNames(type)), text);
  return value->number();
}

// Sets `field`, or appends to it if it is repeated.
absl::Status SetScalar(const FieldDescriptor& field, absl::string_view text, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const auto store = [&](auto value, auto set, auto add) -> absl::Status {
    if (!value.ok()) return value.status();
    if (field.is_repeated()) {
      (reflection.*add)(message, &field, *std::move(value));
    } else {
      (reflection.*set)(message, &field, *std::move(value));
    }
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return store(ParseWhole<int32_t>(text), &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return store(ParseWhole<int64_t>(text), &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return store(ParseWhole<uint32_t>(text), &Reflection::SetUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return store(ParseWhole<uint64_t>(text), &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store(ParseReal<float>(text), &Reflection::SetFloat, &Reflection::AddFloat);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return store(ParseReal<double>(text), &Reflection::SetDouble, &Reflection::AddDouble);
    case FieldDescriptor::CPPTYPE_BOOL:
      return store(ParseBool(text), &Reflection::SetBool, &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return store(ParseEnum(*field.enum_type(), text), &Reflection::SetEnumValue,
                   &Reflection::AddEnumValue);
    case FieldDescriptor::CPPTYPE_STRING:
      return store(absl::StatusOr<std::string>(std::string(text)), &Reflection::SetString,
                   &Reflection::AddString);
    case FieldDescriptor::CPPTYPE_MESSAGE: break;
  }
  return absl::InternalError("not a scalar");
}

// Replaces a list of messages by `text`, as a job file has it after the field's name and a colon:
// "{flip: 0.5}", or "[{flip: 0.5}, {cutout: 8}]". Nothing empties it.
absl::Status SetMessages(const FieldDescriptor& field, absl::string_view text, Message* message) {
  const std::unique_ptr<Message> parsed(message->New());
  google::protobuf::TextFormat::Parser parser;
  SilentErrors errors;
  parser.RecordErrorsTo(&errors);
  const std::string line = text.empty() ? "" : absl::StrCat(field.name(), ": ", text);
  const bool parses = parser.ParseFromString(line, parsed.get());
  // A text may close its braces and go on with other fields.
  std::vector<const FieldDescriptor*> given;
  parsed->GetReflection()->ListFields(*parsed, &given);
  if (!parses || given.size() > 1) {
    return Expected(absl::StrCat("{...}, or [{...}, {...}], of ", FieldNames(*field.message_type()),
                                 ", as in a job file, or nothing"),
                    text);
  }
  message->GetReflection()->SwapFields(message, parsed.get(), {&field});
  return absl::OkStatus();
}

absl::Status SetLast(const FieldDescriptor& field, absl::string_view text, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (field.message_type() != nullptr) {
    if (field.is_repeated()) return SetMessages(field, text, message);
    if (field.containing_oneof() == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          field.name(), " is a group; set one of its fields: ", FieldNames(*field.message_type())));
    }
    // "{}" as in a job file.
    if (!text.empty() && text != "{}") {
      return absl::InvalidArgumentError(absl::StrCat(
          "write it without a value to choose ", field.name(),
          field.message_type()->field_count() == 0
              ? ""
              : absl::StrCat(", or set one of its fields: ", FieldNames(*field.message_type()))));
    }
    reflection.MutableMessage(message, &field);
    return absl::OkStatus();
  }
  if (!field.is_repeated()) return SetScalar(field, text, message);
  reflection.ClearField(message, &field);
  // In brackets, as in a job file, or without.
  if (absl::StartsWith(text, "[") && absl::EndsWith(text, "]")) {
    text = absl::StripAsciiWhitespace(text.substr(1, text.size() - 2));
  }
  if (text.empty()) return absl::OkStatus();
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    CONADV_RETURN_IF_ERROR(SetScalar(field, absl::StripAsciiWhitespace(item), message));
  }
  return absl::OkStatus();
}

absl::Status NoSuchField(const Message& root, const Message& parent, absl::string_view path,
                         absl::string_view parent_path, absl::string_view name) {
  const std::string closest = ClosestField(*root.GetDescriptor(), path);
  return absl::InvalidArgumentError(
      absl::StrCat(parent_path.empty() ? "the job" : parent_path, " has no field \"", name, "\"",
                   closest.empty() ? "." : absl::StrCat("; did you mean ", closest, "?"),
                   " Its fields: ", FieldNames(*parent.GetDescriptor())));
}

absl::Status ApplySetting(absl::string_view setting, Message* root) {
  const size_t equals = setting.find('=');
  if (equals == absl::string_view::npos) {
    return absl::InvalidArgumentError("must be path=value, like training.tau=2");
  }
  const absl::string_view path = setting.substr(0, equals);
  const absl::string_view value = setting.substr(equals + 1);
  const std::vector<absl::string_view> names = absl::StrSplit(path, '.');
  Message* message = root;
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(std::string(names[i]));
    const std::string parent_path = absl::StrJoin(names.begin(), names.begin() + i, ".");
    if (field == nullptr) return NoSuchField(*root, *message, path, parent_path, names[i]);
    if (i + 1 == names.size()) return SetLast(*field, value, message);
    if (field->message_type() != nullptr && field->is_repeated()) {
      return absl::InvalidArgumentError(absl::StrCat(
          field->name(), " is a list; set all of it, as in a job file: ",
          absl::StrJoin(names.begin(), names.begin() + i + 1, "."), "=[{...}, {...}]"));
    }
    if (field->message_type() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->name(), " is a value, it has no field \"", names[i + 1], "\""));
    }
    message = message->GetReflection()->MutableMessage(message, field);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplySettings(absl::Span<const std::string> settings, v1::Job* job) {
  v1::Job changed = *job;
  std::vector<std::string> errors;
  for (const std::string& setting : settings) {
    const absl::Status status = ApplySetting(setting, &changed);
    if (!status.ok()) errors.push_back(Printable(absl::StrCat(setting, ": ", status.message())));
  }
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  job->Swap(&changed);
  return absl::OkStatus();
}

}  // namespace conadv
