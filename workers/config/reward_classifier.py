"""[reward_classifier]: the network that tells success from pictures, and how it is trained."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Above0, AtLeast0, Count, CountOr0, Device, Problems, Section

Name = Annotated[str, msgspec.Meta(min_length=1)]
Between0And1 = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
OWN_ENCODERS = ("cnn", "resnet10", "resnet18")


class ClassifierConfig(Section, frozen=True, kw_only=True):
    datasets: tuple[Name, ...] = ()
    """Folders or hub ids of the datasets to learn from; without any, the one of [dataset]."""
    cameras: tuple[Name, ...] = ()
    """Cameras it looks at, by name; without any, all."""
    num_cameras: Count | None = None
    """How many cameras these must be; refused where there are others. Without it, as many as there are."""
    model_type: Literal["cnn", "transformer"] = "cnn"
    """Whether `model_name` is a convolutional network or a vision transformer."""
    model_name: Name = "cnn"
    """`cnn` (small, from scratch), `resnet10`, `resnet18`, a hub id or `.safetensors` file of other ResNet-10 weights;
    with `model_type = "transformer"`, hub id or folder of a Hugging Face vision transformer."""
    freeze_vision_encoder: bool = True
    """Keep published weights as they are, so that pictures are encoded once; the `cnn` has none and is trained."""
    num_classes: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    """Classes of `next.reward`: 2 are failure (0) and success (above 0); with more it is the number of the class."""
    success_class: CountOr0 | None = None
    """Which of more than two classes is success; without it, the last."""
    hidden_dim: Count = 256
    """Width of the layer that sees all cameras."""
    latent_dim: Count = 256
    """Size of the encoding of one camera's picture."""
    image_embedding_pooling_dim: Count = 8
    """Learned spatial embeddings of each channel of the encoder's map."""
    dropout_rate: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.1
    """Share of activations dropped while training, in front of both layers."""
    learning_rate: Above0 = 3e-4
    """Step size of AdamW."""
    weight_decay: AtLeast0 = 0.01
    """Decay of the weights (AdamW)."""
    grad_clip_norm: Above0 = 1.0
    """Largest gradient norm of an update."""
    use_amp: bool = False
    """Train in bfloat16 where that loses nothing (automatic mixed precision): for GPUs."""
    device: Device = "cpu"
    """Device it is trained on."""
    torch_threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2
    """Processor threads of the training."""
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 64
    """Frames in a batch; each class is drawn equally often, however rare it is."""
    max_epochs: Count = 40
    """Epochs after which training ends in any case; one is a pass over the frames, or 2,048 of them where there are
    more."""
    patience: Count = 8
    """Epochs without a lower held-out error after which it ends early; the best weights are kept."""
    held_out: Between0And1 = 0.25
    """Share of the episodes, with success and without, that are kept from training to measure it."""
    label_smoothing: Annotated[float, msgspec.Meta(ge=0.0, lt=0.5)] = 0.05
    """How far labels are believed wrong: keeps a few of them from being learned by heart."""
    cross_check: bool = True
    """Leave labels out that the other episodes contradict; false, when you looked and they are right: all count."""
    random_shift_px: CountOr0 = 4
    """Largest random shift of pictures in training, in pixels each way; 0: none."""
    colour_jitter: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.3
    """Largest random change of brightness, contrast and colour in training, as a share; 0: none."""
    random_patches: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.3
    """Probability that a patch of one colour covers a part of a picture in training, as a thing or a hand would."""
    false_positive_rate: Between0And1 = 0.01
    """Share of frames without success that may look like one: the recommended threshold keeps to it."""
    worst_errors: Annotated[int, msgspec.Meta(ge=0, le=200)] = 24
    """How many of the worst false positives, and of the worst false negatives, are shown as pictures."""
    least_frames: Annotated[int, msgspec.Meta(ge=2)] = 20
    """Frames of each class without which nothing is trained; about 200 positives make a good one."""

    def problems(self) -> Problems:
        if self.success_class is not None and self.num_classes == 2:
            yield ("success_class",), "does nothing with two classes, where 1 is success; remove this key"
        elif self.success_class is not None and self.success_class >= self.num_classes:
            yield ("success_class",), f"there are {self.num_classes} classes, counted from 0"
        if self.num_cameras is not None and self.cameras and len(self.cameras) != self.num_cameras:
            yield ("num_cameras",), f"{len(self.cameras)} are named in cameras"
        if self.model_name == "cnn" and not self.freeze_vision_encoder:
            yield ("freeze_vision_encoder",), 'does nothing here: the "cnn" is always trained'
        if self.model_type == "transformer":
            if self.model_name in OWN_ENCODERS:
                yield ("model_name",), f'"{self.model_name}" is no transformer; name a hub id or a folder'
            for key in _OF_CNN:
                if getattr(self, key) != getattr(_DEFAULT, key):
                    yield (key,), 'does nothing with model_type = "transformer"; remove this key'
        elif not _names_cnn(self.model_name):
            known = ", ".join(OWN_ENCODERS)
            yield (
                ("model_name",),
                f"must be {known}, a hub id of ResNet-10 weights, or a .safetensors file of them",
            )


def _names_cnn(name: str) -> bool:
    """Known, a file, or like user/name."""
    return name in OWN_ENCODERS or name.endswith(".safetensors") or name.count("/") == 1


_OF_CNN = ("latent_dim", "image_embedding_pooling_dim")
_DEFAULT = ClassifierConfig()
