"""What QKeras's cost models say of random configurations: AutoQKeras's forgiving factor by bits on
1,000, and by energy (run_qtools) on 100.

    python make_costs.py > costs.json

Made with Python 3.11, TensorFlow 2.12.1, QKeras 0.9.0. The networks are the project's: slots are
QActivation layers, layers are QKeras's after folding, ReLU and dropout are left out, as neither
model of costs counts them. The quantizers are quantized_bits: only their bits count. A
configuration is a string of bits, a letter a slot in the network's order (activations, kernels and
biases as they come): a is 4, b 8, c 16, d 31.
"""

import json
import os
import random

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from keras.layers import Activation, AveragePooling2D, Flatten, Input
from keras.models import Model
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D, quantized_bits
from qkeras.autoqkeras.forgiving_metrics import ForgivingFactorBits, ForgivingFactorPower

LETTERS = {4: "a", 8: "b", 16: "c", 31: "d"}
CONFIG = {name: ["parameters", "activations"] for name in ["default"]}


def activation(bits):
    return f"quantized_bits({bits},0,1,alpha=1.0)"


class Builder:
    """Each call makes a layer whose quantizers' bits come from a configuration."""

    def __init__(self, bits):
        self.bits = iter(bits)

    def quantizer(self):
        return quantized_bits(next(self.bits), 0, 1, alpha=1.0)

    def slot(self, x):
        return QActivation(activation(next(self.bits)))(x)

    def weighted(self, kind, x, *args, **kwargs):
        name = "depthwise_quantizer" if kind is QDepthwiseConv2D else "kernel_quantizer"
        kernel, bias = self.quantizer(), self.quantizer()
        return kind(*args, bias_quantizer=bias, **{name: kernel}, **kwargs)(x)


def ds_cnn(builder, softmax):
    inputs = x = Input((49, 10, 1))
    x = builder.slot(x)
    x = builder.weighted(QConv2D, x, 64, (10, 4), strides=2, padding="same")
    x = builder.slot(x)
    for _ in range(4):
        x = builder.weighted(QDepthwiseConv2D, x, (3, 3), padding="same")
        x = builder.slot(x)
        x = builder.weighted(QConv2D, x, 64, (1, 1), padding="same")
        x = builder.slot(x)
    x = AveragePooling2D((25, 5))(x)
    x = builder.slot(x)
    x = Flatten()(x)
    x = builder.weighted(QDense, x, 12)
    x = builder.slot(x)
    # The thesis's bits do not count ds_cnn's softmax.
    return Model(inputs, Activation("softmax")(x) if softmax else x)


def fc_autoencoder(builder, softmax):
    inputs = x = Input((640,))
    x = builder.slot(x)
    for units in [128] * 4 + [8] + [128] * 4 + [640]:
        x = builder.weighted(QDense, x, units)
        x = builder.slot(x)
    return Model(inputs, x)


# Activations, kernels and biases in the order of the layers.
NETWORKS = {
    "ds_cnn": (ds_cnn, "a" + "kba" * 9 + "a" + "kba"),
    "fc_autoencoder": (fc_autoencoder, "a" + "kba" * 10),
}


def reference_bits(slots):
    return [31 if slot == "b" else 16 for slot in slots]


def random_bits(generator, slots):
    return [generator.choice([16, 31] if slot == "b" else [4, 8, 16]) for slot in slots]


def set_bits(model, bits):
    bits = iter(bits)
    for layer in model.layers:
        if isinstance(layer, QActivation):
            layer.activation = activation(next(bits))
        elif hasattr(layer, "get_quantizers"):
            for quantizer in layer.get_quantizers()[:2]:
                quantizer.bits = next(bits)


def bits_cases(generator, name, count):
    build, slots = NETWORKS[name]
    bits = reference_bits(slots)
    model = build(Builder(bits), False)
    factor = ForgivingFactorBits(8.0, 5.0, 2.0, stress=0.5, ref_bits=8, config=CONFIG)
    reference = factor.get_reference(model)
    cases = []
    for _ in range(count):
        bits = random_bits(generator, slots)
        set_bits(model, bits)
        size = factor.get_trial(model)
        delta = float(factor.delta())
        cases.append(["".join(LETTERS[b] for b in bits), int(size), delta, 0.7 * (1 + delta)])
    return {"network": name, "stressed_reference": float(reference), "cases": cases}


def energy_cases(generator, name, count):
    build, slots = NETWORKS[name]
    model = build(Builder(reference_bits(slots)), True)
    factor = ForgivingFactorPower(8.0, 5.0, 2.0)
    reference = factor.get_reference(model)
    cases = []
    for number in range(count):
        bits = random_bits(generator, slots)
        trial = build(Builder(bits), True)
        energy = factor.get_trial(trial)
        # `total` is what extract_energy_sum adds before it cuts to a whole number.
        profile = factor.get_trial_stats()
        total = sum(layer["total"] for layer in profile.values())
        cases.append(["".join(LETTERS[b] for b in bits), int(energy), total,
                      float(factor.delta())])
        if number == 0:
            first = {key: value["total"] for key, value in profile.items()}
    return {"network": name, "reference": int(reference), "layers": list(first.values()),
            "cases": cases}


def main():
    generator = random.Random(2024)
    print(json.dumps({
        "bits": [bits_cases(generator, name, 500) for name in NETWORKS],
        "energy": [energy_cases(generator, name, 50) for name in NETWORKS],
    }))


if __name__ == "__main__":
    main()
