# SPDX-License-Identifier: Apache-2.0
"""One version of a whole model. Immutable, thread-safe."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Sequence

import numpy
import numpy.typing

from conadv._wire import crc32c, safetensors
from conadv.layout import AUGMENTED, AUXILIARY, Layout, Placement

if TYPE_CHECKING:
    from torch import Tensor as TorchTensor

Array = numpy.typing.NDArray[numpy.float32]


class Weights(Mapping[str, Array]):
    """Tensors by name, in the model's order: read-only views of the memory that they were received into.

    All of them are of one version and one lineage, on whatever shards they lie. A version number means other weights
    in another lineage, unless the run is SYNC and reproducible: then the same."""

    def __init__(self, job: str, version: int, lineage: int, averaged: bool, layout: Layout,
                 arenas: Sequence[Array]) -> None:
        self.job = job
        self.version = version
        self.lineage = lineage
        self.averaged = averaged
        self.layout = layout
        self._arenas: List[Array] = list(arenas)  # by shard
        self._placements: Dict[str, Placement] = {p.tensor.name: p for p in layout.placements}

    def _view(self, placement: Placement) -> Array:
        tensor = placement.tensor
        flat = self._arenas[placement.shard][placement.offset:placement.offset + tensor.size]
        return flat.reshape(tensor.shape)

    def __getitem__(self, name: str) -> Array:
        view = self._view(self._placements[name])
        view.flags.writeable = False
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._placements)

    def __len__(self) -> int:
        return len(self._placements)

    # By identity: to compare the values is what numpy.array_equal is for.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        kind = "the average of version" if self.averaged else "version"
        return f"<conadv.Weights of {self.job}: {kind} {self.version}, {len(self)} tensors>"

    def torch(self) -> "Dict[str, TorchTensor]":
        """As torch tensors that share the memory: clone what you mean to change."""
        import torch

        return {name: torch.from_numpy(self._view(placement)) for name, placement in self._placements.items()}

    def state_dict(self) -> "Dict[str, TorchTensor]":
        """What evaluation sees, for module.load_state_dict(…, strict=False): without the twins that mixture BatchNorm
        has for its other passes. Not strict, as frozen tensors and BatchNorm's counters are not among what servers hold."""
        skip = {AUXILIARY, AUGMENTED}
        return {name: tensor for name, tensor in self.torch().items()
                if self._placements[name].tensor.branch not in skip}

    def crc32c(self) -> int:
        """Of the tensors' bytes in the model's order: `weights_crc32c` of `conadv pull` and `conadv train`."""
        crc = 0
        for placement in self.layout.placements:
            crc = crc32c.extend(crc, self._view(placement).reshape(-1).astype("<f4", copy=False).data)
        return crc

    def save(self, path: str) -> None:
        """A safetensors file, byte for byte what `conadv pull` writes; all or nothing."""
        metadata = {"job": self.job, "version": str(self.version), "layout_hash": f"{self.layout.hash:016x}",
                    "weights_crc32c": f"{self.crc32c():08x}"}
        if self.averaged:
            metadata["averaged"] = "true"
        safetensors.write(path, self.items(), metadata)

    def __array__(self, *_: Any) -> Any:
        raise TypeError("Weights are several arrays: take one by its name")
