#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves for TensorBoard, read by other code than wrote it: event_files_test.py BINARIES.

The framing, the crc and the messages are written down here a second time, from TensorFlow's documentation."""
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import runs

BINARIES = None
STEPS, TAU = 24, 2

# name: (number, type, repeated)
MESSAGES = {
    "Histogram": {"min": (1, "double"), "max": (2, "double"), "num": (3, "double"), "sum": (4, "double"),
                  "sum_squares": (5, "double"), "bucket_limit": (6, "double", True), "bucket": (7, "double", True)},
    "Value": {"tag": (1, "string"), "simple_value": (2, "float"), "histo": (5, "Histogram")},
    "Summary": {"value": (1, "Value", True)},
    "SessionLog": {"status": (1, "int32")},
    "SourceMetadata": {"writer": (1, "string")},
    "Event": {"wall_time": (1, "double"), "step": (2, "int64"), "file_version": (3, "string"), "summary": (5, "Summary"),
              "session_log": (7, "SessionLog"), "source_metadata": (10, "SourceMetadata")},
}
START = 1


def event_class():
    """tensorflow.Event, as far as it is written down above."""
    field = descriptor_pb2.FieldDescriptorProto
    types = {"double": field.TYPE_DOUBLE, "float": field.TYPE_FLOAT, "string": field.TYPE_STRING,
             "int32": field.TYPE_INT32, "int64": field.TYPE_INT64}
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="read", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for key, (number, kind, *repeated) in fields.items():
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if kind in types:
                message.field.add(name=key, number=number, type=types[kind], label=label)
            else:
                message.field.add(name=key, number=number, type=field.TYPE_MESSAGE, type_name=f".read.{kind}", label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("read.Event")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


EVENT = event_class()


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


TABLE = list(crc_table())


def masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(path):
    data, at, events = path.read_bytes(), 0, []
    while at < len(data):
        length, length_crc = struct.unpack_from("<QI", data, at)
        assert masked_crc32c(data[at:at + 8]) == length_crc
        body = data[at + 12:at + 12 + length]
        assert masked_crc32c(body) == struct.unpack_from("<I", data, at + 12 + length)[0]
        events.append(EVENT.FromString(body))
        at += 16 + length
    return events


def series(files):
    """{tag: {step: value}} as TensorBoard shows it: a START voids what came before at its step and later ones."""
    tags = {}
    for events in files:
        for event in events:
            if event.session_log.status == START:
                tags = {tag: {s: v for s, v in values.items() if s < event.step} for tag, values in tags.items()}
            for value in event.summary.value:
                of_tag = tags.setdefault(value.tag, {})
                # The version that a run goes on from may be evaluated again.
                again = event.step in of_tag and not value.tag.startswith("evaluation/")
                assert not again, f"{value.tag} has two values at {event.step}"
                of_tag[event.step] = value.histo if value.HasField("histo") else value.simple_value
    return tags


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class EventFilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.directory.name) / "run"
        runs.train(BINARIES, cls.out, {
            "model.builtin": "mlp", "training.algorithm": "CONADV", "training.tau": TAU, "dataset.limit": 64,
            "training.global_batch": 16, "training.slots": 2, "training.steps": STEPS, "schedule.peak": 0.01,
            "attack.step": "SIGN", "attack.step_size": 0.1, "attack.epsilon": 0.1, "server.checkpoint_every": 4,
            "server.checkpoint_keep": STEPS, "evaluation.every": 8, "evaluation.attack_steps": 1,
            "evaluation.epsilon": 0.1, "optimizer.global_clip_norm": 1, "attack.cosine_every": 4}, workers=2)
        cls.first = cls.files()
        # As if the run had been killed before its last checkpoint. Which earlier ones there are is not for us to say: one
        # that is not written by the time the next is due is left out.
        manifests = sorted((cls.out / "checkpoints").glob("*/*/manifest.json"))
        shutil.rmtree(manifests[-1].parent.parent)
        cls.goes_on_from = int(manifests[-2].parent.parent.name)
        subprocess.run([BINARIES / "conadv", "train", f"--resume={cls.out}", "--json"], check=True, capture_output=True)
        cls.second = cls.files()

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def files(cls):
        paths = sorted((cls.out / "tensorboard").iterdir())
        assert all(path.name.startswith("events.out.tfevents.") for path in paths)
        return [events_of(path) for path in paths]

    def records(self):
        return [json.loads(line) for line in (self.out / "metrics.jsonl").read_text().splitlines()]

    def test_a_file_begins_with_its_version_and_where_the_run_goes_on(self):
        self.assertEqual([len(self.first), len(self.second)], [1, 2])
        for events, begins in zip(self.second, (1, self.goes_on_from + 1)):
            self.assertEqual(events[0].file_version, "brain.Event:2")
            self.assertEqual(events[1].session_log.status, START)
            self.assertEqual(events[1].step, begins)

    def test_a_resumed_run_leaves_the_first_file_as_it_was(self):
        self.assertEqual(self.first[0], self.second[0])

    def test_every_update_and_evaluation_of_metrics_jsonl_is_there(self):
        shown = series(self.second)
        tags = {"loss/clean": "clean_loss", "loss/adversarial": "adversarial_loss", "accuracy/clean": "clean_accuracy",
                "accuracy/adversarial": "adversarial_accuracy", "gradient/clean_norm": "clean_norm",
                "gradient/adversarial_norm": "adversarial_norm", "gradient/cosine": "cosine", "rate": "rate",
                "staleness/attack_mean": "attack_staleness", "staleness/update_mean": "update_staleness",
                "seconds": "seconds", "gradient/norm": "gradient_norm"}
        updates = [record["step"] for record in self.records() if "step" in record]
        self.assertEqual([update["version"] for update in updates], list(range(1, STEPS + 1)))
        for tag, field in tags.items():
            self.assertEqual(shown[tag], {update["version"]: float32(update[field]) for update in updates}, tag)
        measured = {update["version"]: float32(update["attack_cosine"]) for update in updates if "attack_cosine" in update}
        self.assertTrue(measured)
        self.assertEqual(shown["staleness/attack_cosine"], measured)
        evaluations = [record["evaluation"] for record in self.records() if "evaluation" in record]
        self.assertIn(STEPS, [evaluation["version"] for evaluation in evaluations])
        for field in ("clean_accuracy", "clean_loss"):
            self.assertEqual(shown[f"evaluation/{field}"], {e["version"]: float32(e[field]) for e in evaluations})
        self.assertEqual(shown["evaluation/robust_accuracy"],
                         {e["version"]: float32(e["robust_accuracy"]) for e in evaluations if e["robust"]})

    def test_histograms_count_the_staleness_of_every_update(self):
        shown = series(self.first)
        attack = list(shown["staleness/attack"].values())
        self.assertEqual(sum(histogram.num for histogram in attack), STEPS)
        self.assertEqual(sum(histogram.sum for histogram in attack), sum(min(t, TAU) for t in range(STEPS)))
        self.assertEqual(list(attack[0].bucket_limit), [0.5, 1.5, 2.5])
        self.assertEqual(list(attack[0].bucket), [1, 1, 8])
        for histogram in shown["staleness/update"].values():
            self.assertEqual([histogram.max, list(histogram.bucket)], [0, [histogram.num]])
        self.assertTrue(all(value > 0 for value in shown["examples_per_second"].values()))


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
